// What travels between a caller and a resident program, over a Unix stream socket: one frame a call, one frame an
// answer, many under way at once. vsmtp-chain(7) has the layout. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/chain/message_call.h"

namespace chain {

// Numbers are big-endian, a string is a 32-bit length and its octets.
//
//   length   32   octets of the frame behind this number
//   type      8   'C' call, 'A' answer
//   value     8   call: Kind; answer: exit code
//   flags     8   Flag
//   zero      8
//   id       64   chosen by the caller, the same in the answer
//   call:    three numbers of 32 bits, how many arguments, next words and variables of the environment follow, then
//            these strings; envelope; context (strings)
//   answer:  report; envelope if HasEnvelope; context if HasContext (strings)
//   message: the rest of the frame, if HasMessage; if MessageIsDescriptor two numbers of 64 bits, offset and length in the
//            file whose descriptor travels with the first octet of the frame
inline constexpr std::size_t kFrameLengthOctets = 4;
inline constexpr std::size_t kFrameHeadOctets = 12;

enum Flag : std::uint8_t {
  HasMessage = 1,
  MessageIsDescriptor = 2,
  Passes = 4,  // answers only, as the two below
  HasEnvelope = 8,
  HasContext = 16,
};

// How the message of a frame travels.
struct FramedMessage {
  bool is_descriptor = false;
  std::string_view octets;  // unless is_descriptor; into the frame
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct CallFrame {
  std::uint64_t id = 0;
  Invocation invocation;  // without its message
  FramedMessage message;
};

struct AnswerFrame {
  std::uint64_t id = 0;
  Answer answer;  // without its message
  std::optional<FramedMessage> message;
};

// Appends a whole frame. A message in a file travels as descriptor, which is left to the caller of this; in memory,
// within the frame. `message` goes in the place of call.message.
void append_call(std::string& out, std::uint64_t id, const Call& call, const base::Blob& message, WordsView arguments, WordsView next);
void append_answer(std::string& out, std::uint64_t id, const Answer& answer);

// `body` is a frame without its length. The error says what is wrong with it.
[[nodiscard]] base::Result<CallFrame> parse_call(std::string_view body);
[[nodiscard]] base::Result<AnswerFrame> parse_answer(std::string_view body);

// Cuts a stream of octets into frames.
class FrameSplitter {
 public:
  enum class Status { Frame, NeedMore, TooLong };
  explicit FrameSplitter(std::size_t limit_octets) : limit_(limit_octets) {}

  // Eats from the front of `input`. Frame: `body` is the next one, valid until the next call, while `input` lives.
  // NeedMore: all of `input` is eaten, what was not a whole frame is kept. TooLong: the stream cannot be read on.
  [[nodiscard]] Status next(std::string_view& input, std::string_view& body);
  // Keeps what is left of `input` for the time when next() is called again.
  void keep(std::string_view input) { kept_ += input; }

 private:
  [[nodiscard]] bool top_up(std::string_view& input, std::size_t octets);

  std::size_t limit_;
  std::string kept_;       // from cut_ on: octets that came and were not handed out
  std::size_t cut_ = 0;
};

}  // namespace chain
