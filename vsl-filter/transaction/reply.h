// Replies as rules write them: "554 5.7.1 Relay access denied" (vsl.md 3.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rules {

struct Reply {
  int code = 0;
  std::string enhanced;  // "5.7.1"; may be empty
  std::string text;      // lines are separated by CR LF

  // "CODE[ ENHANCED] TEXT", the code from 100 to 599. nullopt: it is none.
  [[nodiscard]] static std::optional<Reply> parse(std::string_view text);
  // In that form, on one line unless the text has several.
  [[nodiscard]] std::string words() const;
  // As a server sends it: no line but the last has a blank behind the code, no text of a line is longer than 80 - 2 - what stands
  // in front of it, in code points; longer ones are broken at the last blank that fits (D-09). Without line ends.
  [[nodiscard]] std::vector<std::string> lines() const;
  // 4xx and 5xx.
  [[nodiscard]] bool is_refusal() const { return code >= 400; }

  friend bool operator==(const Reply&, const Reply&) = default;
};

// "5.7.1": three numbers of one, up to three and up to three digits (RFC 3463).
bool is_enhanced_status(std::string_view text);

}  // namespace rules
