// Numbers (spec 1.1).
#include <charconv>

#include "vsl-filter/lang/lexer.h"

namespace vsl {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_name_start(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr unsigned digit_value(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return 99;
}
// One more than the largest integer: with a minus before it, it is the smallest.
constexpr std::uint64_t kMost = std::uint64_t{1} << 63;

}  // namespace

Token Lexer::malformed_number(Token token) {
  const char* const begin = begin_ + token.begin;
  while (is_name_start(peek()) || is_digit(peek())) ++at_;
  diagnostics_.error(span(begin, at_), "malformed number `" + std::string(begin, at_) + "`");
  return finish(token, Tok::Int);
}

Token Lexer::based_integer(Token token, unsigned base, std::string_view kind) {
  at_ += 2;
  std::uint64_t value = 0;
  bool has_digits = false;
  bool overflows = false;
  for (; at_ < end_ && (*at_ == '_' || digit_value(*at_) < base); ++at_) {
    if (*at_ == '_') continue;
    has_digits = true;
    overflows = overflows || __builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit_value(*at_), &value);
  }
  if (!has_digits || is_name_start(peek()) || is_digit(peek())) return malformed_number(token);
  if (overflows || value > kMost) {
    diagnostics_.error(span(begin_ + token.begin, at_), std::string(kind) + " number does not fit into 64 bits with a sign");
    value = 0;
  }
  token.integer = value;
  return finish(token, Tok::Int);
}

Token Lexer::number(Token token) {
  const char* const begin = at_;
  if (*at_ == '0') {
    switch (peek(1)) {
      case 'x': case 'X': return based_integer(token, 16, "hexadecimal");
      case 'o': case 'O': return based_integer(token, 8, "octal");
      case 'b': case 'B': return based_integer(token, 2, "binary");
      default: break;
    }
  }
  std::uint64_t value = 0;
  bool overflows = false;
  for (; at_ < end_ && (is_digit(*at_) || *at_ == '_'); ++at_) {
    if (*at_ == '_') continue;
    overflows = overflows || __builtin_mul_overflow(value, 10U, &value) ||
                __builtin_add_overflow(value, static_cast<unsigned>(*at_ - '0'), &value);
  }
  const bool has_exponent = (peek() == 'e' || peek() == 'E') && (is_digit(peek(1)) || ((peek(1) == '+' || peek(1) == '-') && is_digit(peek(2))));
  // 1.to_string() is a call, 1..5 a range, 5. a float.
  const bool has_fraction = peek() == '.' && (is_digit(peek(1)) || !(is_name_start(peek(1)) || peek(1) == '.'));
  if (has_exponent || has_fraction) return float_literal(token, begin);
  if (is_name_start(peek())) return malformed_number(token);
  if (overflows || value > kMost) {
    diagnostics_.error(span(begin, at_), "number does not fit into 64 bits with a sign")
        .with_help("the largest integer is 9223372036854775807; with a fraction (`.0`) it is a float");
    value = 0;
  }
  token.integer = value;
  return finish(token, Tok::Int);
}

Token Lexer::float_literal(Token token, const char* begin) {
  const auto skip_digits = [this] {
    while (is_digit(peek()) || peek() == '_') ++at_;
  };
  if (peek() == '.') {
    ++at_;
    skip_digits();
  }
  if ((peek() == 'e' || peek() == 'E') && (is_digit(peek(1)) || ((peek(1) == '+' || peek(1) == '-') && is_digit(peek(2))))) {
    at_ += 2;
    skip_digits();
  }
  if (is_name_start(peek())) return malformed_number(token);
  scratch_.clear();
  for (const char* c = begin; c < at_; ++c) {
    if (*c != '_') scratch_ += *c;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(scratch_.data(), scratch_.data() + scratch_.size(), value);
  if (error == std::errc::result_out_of_range) {
    diagnostics_.error(span(begin, at_), "number is out of the range of a float");
  } else if (error != std::errc() || end != scratch_.data() + scratch_.size()) {
    return malformed_number(token);
  }
  token.real = value;
  return finish(token, Tok::Float);
}

}  // namespace vsl
