// What notifications say to people: built in, in English, or of files that a postmaster has written. No I/O but load().
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace run {

enum class NoticeKind : std::uint8_t { Failure, Delay, Success, Double };
inline constexpr std::size_t kNoticeKinds = 4;
[[nodiscard]] std::string_view name_of(NoticeKind kind);  // "failure": also of its file

// A text with {names} in it. Fields stand in front, behind them an empty line, as in a message:
//
//   Subject: Nicht zugestellt: {subject}
//   Content-Language: de
//
//   Ihre Nachricht ...
struct NoticeTemplate {
  std::string subject;
  std::string from;      // display name
  std::string language;  // Content-Language; "" for none
  std::string body;      // lines end with LF
};

// The names that may stand in {}.
[[nodiscard]] std::span<const std::string_view> notice_names();
using NoticeValues = std::map<std::string_view, std::string>;
[[nodiscard]] std::string fill_in(std::string_view text, const NoticeValues& values);

// The error names line and what is wrong with it: an unknown field or name, no text, not UTF-8.
[[nodiscard]] base::Result<NoticeTemplate> parse_notice_template(std::string_view text);

class NoticeTexts {
 public:
  NoticeTexts();  // the built-in ones
  // What stands in files failure, delay, success and double of `folder` takes their places; a kind without a file keeps its
  // text. Fault::Config names file and line.
  [[nodiscard]] static base::Result<NoticeTexts> load(const std::string& folder);
  [[nodiscard]] const NoticeTemplate& of(NoticeKind kind) const { return templates_[static_cast<std::size_t>(kind)]; }

 private:
  std::array<NoticeTemplate, kNoticeKinds> templates_;
};

}  // namespace run
