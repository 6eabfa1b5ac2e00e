// What an SMTP server answers: RFC 5321 section 4.2, with the enhanced status codes of RFC 2034 and RFC 3463.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace smtp {

// One line without its line end. `text` points into the line.
struct ReplyLine {
  int code = 0;
  bool more_follow = false;
  std::string_view text;
};
// Reply-code [ ("-" / SP) textstring ]. nullopt: not a reply line. RFC 5321 allows the second digit 0 to 5 only; servers
// that refuse with 571 or 598 are real, and what they mean is in the first digit, so every second digit is taken.
std::optional<ReplyLine> parse_reply_line(std::string_view line);

// Eats "5.1.1" and the space behind it from the front of `text`: class "." subject "." detail (RFC 3463 section 2).
// Empty, and nothing eaten, when there is none.
std::string_view consume_enhanced_status(std::string_view& text);

struct Reply {
  int code = 0;        // 0: there is no reply
  std::string status;  // "5.1.1"; empty: the server gave none, or one that contradicts the code (RFC 2034 section 4)
  std::string text;    // without codes; the lines are separated by LF

  [[nodiscard]] int digit() const { return code / 100; }
  [[nodiscard]] bool is_positive() const { return code >= 200 && code < 400; }
  // As a server says it: "550 5.1.1 no such user", code and status in front of each line.
  [[nodiscard]] std::string words() const;
};

// Puts replies together from the octets of a connection.
class ReplyReader {
 public:
  // RFC 5321 section 4.5.3.1.5 gives a line 512 octets and asks to take more where possible; a server that says more than
  // this is broken or hostile.
  struct Limits {
    std::size_t line_octets = 4096;
    std::size_t reply_octets = 65536;  // of all lines together
  };
  ReplyReader() = default;
  explicit ReplyReader(const Limits& limits) : limits_(limits) {}

  enum class Status {
    NeedMore,  // input is empty, call again with more
    Complete,  // take() the reply; what is left in `input` belongs to the next one
    Bad,       // not SMTP: problem() says why, and nothing after it can be trusted
  };
  // Eats octets from the front of `input`. A line may end with LF alone: nothing is decided by where a reply ends but when
  // to go on, and old servers do it.
  Status feed(std::string_view& input);
  [[nodiscard]] Reply take();
  [[nodiscard]] const std::string& problem() const { return problem_; }
  // A reply has begun and is not complete.
  [[nodiscard]] bool is_within_reply() const { return !line_.empty() || has_lines(); }

 private:
  [[nodiscard]] bool has_lines() const { return reply_.code != 0; }
  Status on_line(std::string_view line);
  Status bad(std::string problem);

  Limits limits_;
  std::string line_;  // begin of a line that came in pieces
  Reply reply_;
  std::size_t octets_ = 0;
  std::string problem_;
};

}  // namespace smtp
