// The message as it goes over the wire. Behind a 354: CRLF line ends, dots doubled, the final dot (RFC 5321 sections 2.3.8 and
// 4.5.2). Behind a BDAT: CRLF line ends alone (RFC 3030 section 2), MessageNeeds::size_octets of them.
#pragma once

#include <string>
#include <string_view>

namespace smtp {

class DotWriter {
 public:
  static constexpr std::size_t kBlockOctets = 65536;

  enum class Form : bool { Dots, Chunk };

  DotWriter() = default;  // nothing to send
  // `message` is borrowed while blocks are taken. `is_wire_ready` as MessageNeeds has it, of a Chunk also when only dots begin
  // lines: then large messages are handed out where they lie. `ending` follows in the last block: "QUIT\r\n" or the next command of a
  // pipeline.
  DotWriter(std::string_view message, bool is_wire_ready, std::string_view ending = {}, Form form = Form::Dots);

  // The next octets to send, valid until the next call; empty when all have been handed out. CR and LF that stand alone
  // leave as CRLF: left as they are, the next server might find an end of data in them that we did not mean.
  std::string_view next();
  [[nodiscard]] bool is_done() const { return is_done_; }

 private:
  void fill();
  void put(std::string_view line);
  void put_line_end();

  std::string_view rest_;
  std::string ending_;
  bool is_wire_ready_ = true;
  Form form_ = Form::Dots;
  bool is_done_ = true;
  bool at_line_start_ = true;
  std::string block_;
};

}  // namespace smtp
