// Undoes dot-stuffing and finds the end of DATA (RFC 5321 section 4.5.2); keeps line ends right in BDAT chunks as well. No I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lib/smtp/line_scan.h"

namespace smtp {

// Only CR LF . CR LF ends the data, and only CR LF ends a line: an LF or CR alone never begins or ends one, so a dot beside
// it is text and what the sender took for message is never read as a command (SMTP smuggling). Octets of any other value,
// NUL too, are text like all others.
class DotReader {
 public:
  enum class Framing : std::uint8_t {
    Dots,     // DATA: the text ends itself
    Counted,  // BDAT: the caller knows where a chunk ends, a dot is text
  };
  // What becomes of the message at the first CR or LF that stands alone (RFC 5321 section 2.3.8).
  enum class BareLineEnd : std::uint8_t {
    Refuse,     // nothing more is put; the caller refuses the message when it has ended
    Normalise,  // CR LF is put in its place; of several CR in front of an LF one CR LF is left
  };
  enum class Status : std::uint8_t {
    NeedMore,   // input is empty, call again with more
    EndOfData,  // what is left in `input` is the next command; clients may pipeline (RFC 2920 section 3.1)
  };

  DotReader() = default;
  explicit DotReader(Framing framing, BareLineEnd bare_line_end);

  // Eats octets from the front of `input` and calls put(std::string_view) with message octets: mostly parts of `input`,
  // which stay the caller's. A limit on the size is the caller's as well: it keeps feeding and drops what is put.
  template <class Put>
  Status feed(std::string_view& input, Put&& put);

  // Counted text has ended: a CR that waited for its LF stands alone.
  template <class Put>
  void finish(Put&& put);

  [[nodiscard]] bool has_bare_line_end() const { return has_bare_line_end_; }
  [[nodiscard]] std::size_t longest_line_octets() const { return scan_.longest_line_octets; }

 private:
  enum State : std::uint8_t { LineStart, InLine, Cr, Dot, DotCr, End };
  // What an octet makes: Bare notes that a line end stands alone and puts CR LF if those are normalised.
  enum class Action : std::uint8_t { None, Put, PutCrLf, Bare, BarePut, BareRun };
  struct Cell {
    State next;
    Action action;
  };
  static constexpr Cell kTable[][4] = {
      // state          '.'                         CR                      LF                        other
      /* LineStart */ {{Dot, Action::None},        {Cr, Action::None},     {InLine, Action::Bare},   {InLine, Action::Put}},
      /* InLine    */ {{InLine, Action::Put},      {Cr, Action::None},     {InLine, Action::Bare},   {InLine, Action::Put}},
      /* Cr        */ {{InLine, Action::BarePut},  {Cr, Action::BareRun},  {LineStart, Action::PutCrLf}, {InLine, Action::BarePut}},
      /* Dot       */ {{InLine, Action::Put},      {DotCr, Action::None},  {InLine, Action::Bare},   {InLine, Action::Put}},
      /* DotCr     */ {{InLine, Action::BarePut},  {Cr, Action::BareRun},  {End, Action::None},      {InLine, Action::BarePut}},
  };
  static constexpr std::size_t class_of(char octet) { return octet == '.' ? 0 : octet == '\r' ? 1 : octet == '\n' ? 2 : 3; }

  [[nodiscard]] bool is_between_cares() const { return state_ <= InLine; }
  [[nodiscard]] bool puts() const { return !has_bare_line_end_ || bare_line_end_ == BareLineEnd::Normalise; }
  template <class Put>
  void act(Action action, std::string_view octet, Put&& put);

  LineScan scan_;
  State state_ = LineStart;
  BareLineEnd bare_line_end_ = BareLineEnd::Refuse;
  bool has_bare_line_end_ = false;
};

inline DotReader::DotReader(Framing framing, BareLineEnd bare_line_end) : bare_line_end_(bare_line_end) {
  scan_.minds_dots = framing == Framing::Dots;
}

template <class Put>
DotReader::Status DotReader::feed(std::string_view& input, Put&& put) {
  while (!input.empty()) {
    if (is_between_cares()) {
      scan_.is_line_start = state_ == LineStart;
      const std::size_t plain = scan_.plain_prefix(input);
      if (plain > 0 && puts()) put(input.substr(0, plain));
      input.remove_prefix(plain);
      state_ = scan_.is_line_start ? LineStart : InLine;
      if (input.empty()) break;
    }
    const std::string_view octet = input.substr(0, 1);
    const State from = state_ == LineStart && !scan_.minds_dots ? InLine : state_;
    const Cell cell = kTable[from][class_of(octet.front())];
    act(cell.action, octet, put);
    state_ = cell.next;
    input.remove_prefix(1);
    if (state_ == End) return Status::EndOfData;
  }
  return Status::NeedMore;
}

template <class Put>
void DotReader::act(Action action, std::string_view octet, Put&& put) {
  constexpr std::string_view kCrLf = "\r\n";
  if (action >= Action::Bare) has_bare_line_end_ = true;
  const bool ends_line = action == Action::PutCrLf || action == Action::Bare || action == Action::BarePut;
  scan_.count_octet(ends_line);
  if (!puts()) return;
  if (ends_line) put(kCrLf);
  if (action == Action::Put || action == Action::BarePut) put(octet);
}

template <class Put>
void DotReader::finish(Put&& put) {
  if (state_ != Cr) return;
  act(Action::Bare, {}, put);
  state_ = InLine;
}

}  // namespace smtp
