// The session question: Postfix's policy delegation protocol (Postfix's SMTPD_POLICY_README; DESIGN.md 2.2, vsmtp-chain(7)).
// Lines name=value, ended by an empty line; the answer has the same form. One question at a time on a connection. No I/O but
// in serve_policy().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/chain/message_call.h"

namespace chain {

// In a Call of Kind::Policy, `envelope` is the text of the question; the report of its Answer is the text of the reply. Both
// without the empty line.
struct PolicyAttribute {
  std::string_view name, value;  // into the text
};
using PolicyAttributes = std::vector<PolicyAttribute>;

// The last line of a question over a Unix socket, and of the answer of a program that takes questions as frames (frame.h) on the same socket.
inline constexpr std::string_view kTakesFrames = "frames=yes\n";
inline constexpr std::size_t kPolicyOctets = 65536;  // of a question or reply; longer ones end the connection

// Lines "name=value\n". A line without '=' or without a name is an error.
[[nodiscard]] base::Result<PolicyAttributes> parse_policy(std::string_view text);
// What would end a line within a value becomes a blank.
void append_policy(std::string& out, std::string_view name, std::string_view value);
// nullptr: not there. The first one counts.
[[nodiscard]] const std::string_view* find(const PolicyAttributes& attributes, std::string_view name);

// Cuts a stream of octets into questions or replies.
class PolicySplitter {
 public:
  enum class Status { Text, NeedMore, TooLong };

  // Whether a stream that begins so is one of questions. A frame (frame.h) begins with its length, which is less than 2^28.
  [[nodiscard]] static bool is_start(char first) { return static_cast<unsigned char>(first) >= 0x20; }

  void add(std::string_view octets) { kept_ += octets; }
  // Text: `text` is the next one, valid until the next call of either. CR LF counts as a line end too.
  [[nodiscard]] Status next(std::string_view& text);
  [[nodiscard]] bool has_part() const { return cut_ < kept_.size(); }

 private:
  std::string kept_;      // from cut_ on: octets that came and were not handed out
  std::size_t cut_ = 0;
};

// The life of a policy program under spawn(8) or smtpd: questions on descriptor 0, replies on descriptor 1, to the end of the input.
// Returns the exit code.
int serve_policy(std::string_view program, const Handler& handler);

}  // namespace chain
