// Looks at the header of a message while it comes in, in pieces of any size, and tells when it ends: the place where fields that it lacks
// are put in. Of the message it keeps no more than the begin of a line. No I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "lib/base/utf8.h"

namespace smtpd {

class HeaderWatch {
 public:
  // All of the message passes, piece by piece, through `put(octets)`; where the header ends, `complete()` comes in between: what it
  // returns, whole lines or nothing, is put there. A line that is no field ends a header too (RFC 5322 section 2.2), and then an empty
  // line is put in front of it if something was added.
  template <class Put, class Complete>
  void feed(std::string_view octets, const Put& put, const Complete& complete);
  // The message is at its end, perhaps still within the header.
  template <class Put, class Complete>
  void finish(const Put& put, const Complete& complete);

  // Of what has come of the header.
  [[nodiscard]] bool has_date() const { return has_date_; }
  [[nodiscard]] bool has_message_id() const { return has_message_id_; }
  [[nodiscard]] bool has_8bit() const { return has_8bit_; }

  static constexpr std::size_t kMaxNameOctets = 997;  // RFC 5322 section 2.1.1: a line has 998, one is the colon

 private:
  enum class Line : std::uint8_t { Unknown, OfField, Empty, Other };
  [[nodiscard]] Line look(std::string_view line);
  void note(std::string_view name);

  enum class Where : std::uint8_t { LineStart, InLine, Behind };
  Where where_ = Where::LineStart;
  std::string held_;  // begin of a line of which nothing is known yet
  bool has_field_ = false, has_date_ = false, has_message_id_ = false, has_8bit_ = false;
};

template <class Put, class Complete>
void HeaderWatch::feed(std::string_view octets, const Put& put, const Complete& complete) {
  if (where_ == Where::Behind) return put(octets);
  std::string joined;
  if (!held_.empty()) octets = joined = std::exchange(held_, std::string()).append(octets);
  const auto put_header = [&](std::string_view part) {
    has_8bit_ = has_8bit_ || base::utf8::has_8bit(part);
    put(part);
  };
  for (std::size_t at = 0;;) {
    if (where_ == Where::InLine) {
      const auto lf = octets.find('\n', at);
      if (lf == std::string_view::npos) return put_header(octets);
      at = lf + 1;
      where_ = Where::LineStart;
    }
    const auto line = look(octets.substr(at));
    if (line == Line::OfField) {
      where_ = Where::InLine;
      continue;
    }
    put_header(octets.substr(0, at));
    if (line == Line::Unknown) {
      held_ = octets.substr(at);
      return;
    }
    where_ = Where::Behind;
    const std::string added = complete();
    put(added);
    if (line == Line::Other && !added.empty()) put(std::string_view("\r\n"));
    return put(octets.substr(at));
  }
}

template <class Put, class Complete>
void HeaderWatch::finish(const Put& put, const Complete& complete) {
  if (where_ == Where::Behind) return;
  const std::string added = complete();
  if (where_ == Where::InLine && !added.empty()) put(std::string_view("\r\n"));
  put(added);
  if (!held_.empty() && !added.empty()) put(std::string_view("\r\n"));
  put(held_);
  held_.clear();
  where_ = Where::Behind;
}

}  // namespace smtpd
