#include "lib/smtp/dot_writer.h"

#include <cstring>

namespace smtp {

DotWriter::DotWriter(std::string_view message, bool is_wire_ready, std::string_view ending, Form form)
    : rest_(message), ending_(ending), is_wire_ready_(is_wire_ready), form_(form), is_done_(false) {}

std::string_view DotWriter::next() {
  if (is_done_) return {};
  if (is_wire_ready_ && rest_.size() > kBlockOctets) {
    const auto piece = rest_.substr(0, kBlockOctets);
    rest_.remove_prefix(piece.size());
    return piece;
  }
  block_.clear();
  if (is_wire_ready_) {
    block_.reserve(rest_.size() + 3 + ending_.size());
    block_ = rest_;
    rest_ = {};
  } else {
    fill();
  }
  if (rest_.empty()) {
    if (!at_line_start_) put_line_end();
    if (form_ == Form::Dots) block_ += ".\r\n";
    block_ += ending_;
    is_done_ = true;
  }
  return block_;
}

void DotWriter::put_line_end() {
  block_ += "\r\n";
  at_line_start_ = true;
}

// `line` has no LF; each CR in it is a line end.
void DotWriter::put(std::string_view line) {
  for (;;) {
    const auto cr = line.find('\r');
    const auto piece = line.substr(0, cr);
    if (form_ == Form::Dots && at_line_start_ && piece.starts_with('.')) block_ += '.';
    if (!piece.empty()) at_line_start_ = false;
    block_ += piece;
    if (cr == std::string_view::npos) return;
    put_line_end();
    line.remove_prefix(cr + 1);
  }
}

// A line at a time, or what a window shows of a longer one. A block grows to at most three windows: each octet of the last
// one may become two.
void DotWriter::fill() {
  while (!rest_.empty() && block_.size() < kBlockOctets) {
    auto line = rest_.substr(0, kBlockOctets);
    const auto* lf = static_cast<const char*>(std::memchr(line.data(), '\n', line.size()));
    if (lf != nullptr) {
      line = line.substr(0, static_cast<std::size_t>(lf - line.data()));
      rest_.remove_prefix(line.size() + 1);
      if (line.ends_with('\r')) line.remove_suffix(1);
      put(line);
      put_line_end();
    } else {
      if (line.ends_with('\r') && rest_.size() > line.size()) line.remove_suffix(1);  // its LF may come next
      rest_.remove_prefix(line.size());
      put(line);
    }
  }
}

}  // namespace smtp
