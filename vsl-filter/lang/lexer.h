// Text to tokens: the lexical grammar of spec 1.1, with templates whose ${...} hold any statements.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/lang/ast.h"
#include "vsl-filter/lang/diagnostic.h"
#include "vsl-filter/lang/dialect.h"
#include "vsl-filter/lang/token.h"

namespace vsl {

// What a word means: the language's keywords and the dialect's in one table.
class WordTable {
 public:
  explicit WordTable(const Dialect& dialect);

  struct Meaning {
    Tok kind = Tok::Word;
    std::uint8_t row = 0;
  };
  [[nodiscard]] Meaning find(std::string_view word) const;

 private:
  struct Slot {
    std::string_view word;
    Meaning meaning;
  };
  void insert(std::string_view word, Meaning meaning);

  static constexpr std::size_t kSlots = 256;
  std::array<Slot, kSlots> slots_{};
};

// The caller asks for one token after the other; after the last one, for ever End. Strings with escapes are put into `tree`.
class Lexer {
 public:
  Lexer(const Source& source, const Dialect& dialect, ast::Tree& tree, Diagnostics& diagnostics);

  Token next();
  // From now on only End: the parser has given up.
  void stop() { at_ = end_; }

  // The file ended inside of a comment or template, which has been reported: that something else is not closed is no news.
  [[nodiscard]] bool is_cut_short() const { return is_cut_short_; }

  // The doc comments directly before the token last read, else empty; the first //! comments of the file.
  [[nodiscard]] std::string_view doc() const { return doc_; }
  [[nodiscard]] std::string_view module_doc() const { return module_doc_; }

 private:
  Token finish(Token token, Tok kind) const;

  void skip_prologue();
  bool skip_blanks();  // true if there were any
  void skip_line_comment();
  bool skip_block_comment();
  void remember_doc(const char* begin);

  Token word(Token token);
  Token symbol(Token token);
  Token reserved_symbol(Token token, std::size_t octets, std::string_view help);
  Token unexpected_character(Token token);

  Token number(Token token);  // lexer_number.cpp
  Token based_integer(Token token, unsigned base, std::string_view kind);
  Token float_literal(Token token, const char* begin);
  Token malformed_number(Token token);

  Token string(Token token);  // lexer_string.cpp
  Token raw_string(Token token);
  Token character(Token token);
  Token template_chunk(Token token, bool is_start);
  bool append_escape(std::string& out);
  bool append_code_point(std::string& out, const char* begin, int digits);
  Token unterminated(Token token, std::string message, std::string help);

  [[nodiscard]] char peek(std::size_t ahead = 0) const { return at_ + ahead < end_ ? at_[ahead] : '\0'; }
  [[nodiscard]] std::uint32_t offset(const char* at) const { return static_cast<std::uint32_t>(at - begin_); }
  [[nodiscard]] Span span(const char* begin, const char* end) const { return {source_.id(), offset(begin), offset(end)}; }

  const Source& source_;
  ast::Tree& tree_;
  Diagnostics& diagnostics_;
  WordTable words_;
  const char* begin_;
  const char* at_;
  const char* end_;
  std::string scratch_;  // a string with escapes, while it is read
  // One for each template that is open: where it began, and how many braces are open in its ${.
  struct OpenTemplate {
    const char* begin;
    std::uint32_t braces;
  };
  std::vector<OpenTemplate> templates_;
  bool is_cut_short_ = false;
  std::string_view doc_;
  std::string_view module_doc_;
};

}  // namespace vsl
