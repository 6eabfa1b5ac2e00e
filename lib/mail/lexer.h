// Tokens of structured field bodies: RFC 5322 section 3.2, with the UTF-8 of RFC 6532. Bodies come folded, as they stand
// in the message: line ends count as blanks here, whether they are lawful is the message's matter.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mail {

// atext  RFC 5322 section 3.2.3; octets over 127 count (RFC 6532 section 3.2).
bool is_atext(char c);
// What a token of RFC 2045 section 5.1 is made of; octets over 127 count, since mail has them.
bool is_token(char c);

class Lexer {
 public:
  explicit Lexer(std::string_view body) : body_(body) {}

  [[nodiscard]] std::size_t offset() const { return at_; }
  [[nodiscard]] bool at_end() const { return at_ == body_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : body_[at_]; }  // NUL also where NUL stands
  bool consume(char c);
  void advance(std::size_t octets = 1);
  [[nodiscard]] std::string_view rest() const { return body_.substr(at_); }
  [[nodiscard]] std::string_view between(std::size_t from) const { return body_.substr(from, at_ - from); }

  // [CFWS]. False when a comment is not closed: then the rest of the body was eaten as comment.
  bool skip_cfws();
  // Blanks and line ends only.
  void skip_blanks();
  // The text of the comment that skip_cfws() met last, without its outer brackets and as it stands; "" when it met none.
  [[nodiscard]] std::string_view last_comment() const { return last_comment_; }

  // 1*atext, or 1*token; empty when there is none.
  std::string_view atom();
  std::string_view token();
  // quoted-string, from its opening quote: quoted-pairs undone, folding removed. nullopt: not closed, and all is eaten.
  std::optional<std::string> quoted_string();
  // domain-literal, from its "[": with the brackets, without blanks. nullopt as above, or a "[" inside.
  std::optional<std::string> domain_literal();

 private:
  std::string_view body_;
  std::size_t at_ = 0;
  std::string_view last_comment_;
};

// Quoted-pairs of a comment or quoted-string undone, line ends of folding removed.
std::string unquoted(std::string_view text);

}  // namespace mail
