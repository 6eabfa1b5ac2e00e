#include "lib/mail/lexer.h"

#include <array>

namespace mail {
namespace {

enum Class : unsigned char { kAtext = 1, kToken = 2 };

constexpr auto kClasses = [] {
  std::array<unsigned char, 256> classes{};
  for (unsigned octet = 33; octet < 256; ++octet) {
    if (octet == 127) continue;
    const char c = static_cast<char>(octet);
    if (!std::string_view("()<>[]:;@\\,.\"").contains(c)) classes[octet] |= kAtext;   // specials  RFC 5322 section 3.2.3
    if (!std::string_view("()<>@,;:\\\"/[]?=").contains(c)) classes[octet] |= kToken;  // tspecials  RFC 2045 section 5.1
  }
  return classes;
}();

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

bool is_atext(char c) { return (kClasses[static_cast<unsigned char>(c)] & kAtext) != 0; }
bool is_token(char c) { return (kClasses[static_cast<unsigned char>(c)] & kToken) != 0; }

bool Lexer::consume(char c) {
  if (at_end() || body_[at_] != c) return false;
  ++at_;
  return true;
}

void Lexer::advance(std::size_t octets) { at_ = std::min(at_ + octets, body_.size()); }

void Lexer::skip_blanks() {
  while (!at_end() && is_blank(body_[at_])) ++at_;
}

bool Lexer::skip_cfws() {
  last_comment_ = {};
  for (;;) {
    skip_blanks();
    if (peek() != '(') return true;
    const std::size_t start = at_ + 1;
    std::size_t depth = 0;  // comments nest; counted, not recursed into, since mail decides how deep
    for (; !at_end(); ++at_) {
      const char c = body_[at_];
      if (c == '\\') {
        if (at_ + 1 < body_.size()) ++at_;
      } else if (c == '(') {
        ++depth;
      } else if (c == ')' && --depth == 0) {
        break;
      }
    }
    if (at_end()) {
      last_comment_ = body_.substr(start);
      return false;
    }
    last_comment_ = body_.substr(start, at_ - start);
    ++at_;
  }
}

std::string_view Lexer::atom() {
  const std::size_t start = at_;
  while (!at_end() && is_atext(body_[at_])) ++at_;
  return between(start);
}

std::string_view Lexer::token() {
  const std::size_t start = at_;
  while (!at_end() && is_token(body_[at_])) ++at_;
  return between(start);
}

std::optional<std::string> Lexer::quoted_string() {
  const std::size_t start = ++at_;
  for (; !at_end(); ++at_) {
    if (body_[at_] == '"') {
      ++at_;
      return unquoted(body_.substr(start, at_ - start - 1));
    }
    if (body_[at_] == '\\' && at_ + 1 < body_.size()) ++at_;
  }
  return std::nullopt;
}

std::optional<std::string> Lexer::domain_literal() {
  std::string literal(1, body_[at_++]);
  for (; !at_end(); ++at_) {
    const char c = body_[at_];
    if (c == '[') return std::nullopt;
    if (is_blank(c)) continue;
    literal += c;
    if (c == ']') {
      ++at_;
      return literal;
    }
    if (c == '\\' && at_ + 1 < body_.size()) literal += body_[++at_];
  }
  return std::nullopt;
}

std::string unquoted(std::string_view text) {
  std::string octets;
  octets.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\n') continue;
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    octets += text[i];
  }
  return octets;
}

}  // namespace mail
