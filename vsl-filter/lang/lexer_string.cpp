// Strings, characters and templates (spec 1.1).
#include <algorithm>
#include <cstring>

#include "lib/base/utf8.h"
#include "vsl-filter/lang/lexer.h"

namespace vsl {
namespace {

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

struct EscapeRow {
  char letter;
  char octet;
};
constexpr EscapeRow kEscapes[] = {{'t', '\t'}, {'n', '\n'}, {'r', '\r'}, {'\\', '\\'}, {'"', '"'}, {'\'', '\''}};
struct CodePointRow {
  char letter;
  int digits;
};
constexpr CodePointRow kCodePoints[] = {{'x', 2}, {'u', 4}, {'U', 8}};

const char* end_of_line(const char* at, const char* end) {
  const void* found = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
  return found == nullptr ? end : static_cast<const char*>(found);
}

}  // namespace

Token Lexer::unterminated(Token token, std::string message, std::string help) {
  const char* const begin = begin_ + token.begin;
  diagnostics_.error(span(begin, std::max(at_, begin + 1)), std::move(message)).with_help(std::move(help));
  return finish(token, Tok::Error);
}

// `at_` is on the backslash. False: reported; the reader goes on behind what was wrong.
bool Lexer::append_escape(std::string& out) {
  const char* const begin = at_;
  const char letter = peek(1);
  at_ += std::min<std::ptrdiff_t>(2, end_ - at_);
  for (const EscapeRow& row : kEscapes) {
    if (row.letter == letter) return out += row.octet, true;
  }
  for (const CodePointRow& row : kCodePoints) {
    if (row.letter == letter) return append_code_point(out, begin, row.digits);
  }
  at_ = begin + 1 + std::max<std::size_t>(base::utf8::sequence_octets({begin + 1, static_cast<std::size_t>(end_ - begin - 1)}), 1);
  at_ = std::min(at_, end_);
  diagnostics_.error(span(begin, at_), "unknown escape `" + std::string(begin, at_) + "`")
      .with_help("known are \\t \\n \\r \\\\ \\\" \\' \\xHH \\uHHHH \\UHHHHHHHH; a backslash itself is written `\\\\`");
  return false;
}

bool Lexer::append_code_point(std::string& out, const char* begin, int digits) {
  char32_t value = 0;
  int seen = 0;
  for (; seen < digits && hex_value(peek()) >= 0; ++seen, ++at_) value = value * 16 + static_cast<char32_t>(hex_value(*at_));
  if (seen < digits) {
    diagnostics_.error(span(begin, at_), "`" + std::string(begin, begin + 2) + "` needs " + std::to_string(digits) + " hexadecimal digits");
    return false;
  }
  if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    diagnostics_.error(span(begin, at_), "`" + std::string(begin, at_) + "` is no Unicode character");
    return false;
  }
  base::utf8::append(out, value);
  return true;
}

Token Lexer::string(Token token) {
  const char* const begin = ++at_;
  while (at_ < end_ && *at_ != '"' && *at_ != '\\' && *at_ != '\n') ++at_;
  if (at_ < end_ && *at_ == '"' && peek(1) != '"') {  // the usual one: nothing in it has to be changed
    token.text = {begin, static_cast<std::size_t>(at_ - begin)};
    ++at_;
    return finish(token, Tok::String);
  }
  scratch_.assign(begin, at_);
  while (at_ < end_ && *at_ != '\n') {
    if (*at_ == '"') {
      if (peek(1) != '"') {
        ++at_;
        token.text = tree_.text(scratch_);
        return finish(token, Tok::String);
      }
      scratch_ += '"';
      at_ += 2;
    } else if (*at_ != '\\') {
      scratch_ += *at_++;
    } else if (peek(1) == '\n') {
      at_ += 2;
    } else if (peek(1) == '\r' && peek(2) == '\n') {
      at_ += 3;
    } else {
      append_escape(scratch_);
    }
  }
  return unterminated(token, "this string is not closed on its line",
                      "close it with `\"`; a text of several lines stands between back-ticks, or each line ends with `\\`");
}

// #"..."#, ##"..."##: nothing in it is special.
Token Lexer::raw_string(Token token) {
  std::size_t marks = 0;
  while (peek(marks) == '#') ++marks;
  if (peek(marks) != '"') return unexpected_character(token);
  at_ += marks + 1;
  const char* const begin = at_;
  const std::string closing = '"' + std::string(marks, '#');
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  const auto length = rest.find(closing);
  if (length == std::string_view::npos) {
    at_ = end_of_line(at_, end_);
    return unterminated(token, "this raw string is not closed", "it ends with `" + closing + "`");
  }
  token.text = {begin, length};
  at_ += length + closing.size();
  return finish(token, Tok::String);
}

Token Lexer::character(Token token) {
  const char* const begin = at_++;
  scratch_.clear();
  std::size_t points = 0;
  while (at_ < end_ && *at_ != '\'' && *at_ != '\n') {
    ++points;
    if (*at_ == '\\') {
      if (!append_escape(scratch_)) scratch_ += '?';
      continue;
    }
    const auto octets = std::max<std::size_t>(base::utf8::sequence_octets({at_, static_cast<std::size_t>(end_ - at_)}), 1);
    scratch_.append(at_, octets);
    at_ += octets;
  }
  if (peek() != '\'') {
    return unterminated(token, "this character is not closed", "a character is written 'x', a text \"text\"");
  }
  ++at_;
  if (points != 1) {
    diagnostics_.error(span(begin, at_), points == 0 ? "a character literal holds exactly one character"
                                                     : "a character literal holds exactly one character, this one " + std::to_string(points))
        .with_help(points == 0 ? "an empty text is written \"\"" : "texts stand between double quotes: \"" + std::string(begin + 1, at_ - 1) + "\"");
    token.text = tree_.text(scratch_);
    return finish(token, Tok::String);
  }
  // Decoded again: the scratch holds one well-formed sequence.
  const auto* octets = reinterpret_cast<const unsigned char*>(scratch_.data());
  char32_t value = octets[0];
  if (scratch_.size() == 2) value = (octets[0] & 0x1F);
  if (scratch_.size() == 3) value = (octets[0] & 0x0F);
  if (scratch_.size() == 4) value = (octets[0] & 0x07);
  for (std::size_t i = 1; i < scratch_.size(); ++i) value = value << 6 | (octets[i] & 0x3F);
  token.character = value;
  return finish(token, Tok::Char);
}

// `at_` is behind the opening back-tick, or behind the } that ends a ${.
Token Lexer::template_chunk(Token token, bool is_start) {
  if (is_start) {
    templates_.push_back({at_ - 1, 0});
    if (peek() == '\r' && peek(1) == '\n') ++at_;
    if (peek() == '\n') ++at_;
  }
  const char* from = at_;  // what is not in the scratch yet
  bool is_plain = true;
  scratch_.clear();
  const auto flush = [&] { scratch_.append(from, at_); };
  const auto text = [&]() -> std::string_view {
    if (is_plain) return {from, static_cast<std::size_t>(at_ - from)};
    flush();
    return tree_.text(scratch_);
  };
  for (; at_ < end_; ++at_) {
    if (*at_ == '`') {
      if (peek(1) != '`') {
        token.text = text();
        ++at_;
        templates_.pop_back();
        return finish(token, is_start ? Tok::TemplateWhole : Tok::TemplateEnd);
      }
      is_plain = false;
      flush();
      from = ++at_;  // the second one stands for itself
    } else if (*at_ == '$' && peek(1) == '{') {
      token.text = text();
      at_ += 2;
      return finish(token, is_start ? Tok::TemplateStart : Tok::TemplateMiddle);
    } else if (*at_ == '\\' && peek(1) == '$' && peek(2) == '{') {  // D-20
      is_plain = false;
      flush();
      from = at_ + 1;
      at_ += 2;
    }
  }
  const char* const start = templates_.front().begin;
  templates_.clear();
  is_cut_short_ = true;
  diagnostics_.error(span(start, start + 1), "this template is not closed").with_help("templates end with a back-tick; a back-tick in it is written twice");
  return finish(token, Tok::Error);
}

}  // namespace vsl
