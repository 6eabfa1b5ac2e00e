// The parser's inside; only parser*.cpp include it.
//
// Errors: the first one in a statement is reported and sets `panic_`, which silences what follows from it and ends all loops; the
// nearest list of statements, elements, entries or cases then skips to where its next one begins and clears it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/lang/lexer.h"
#include "vsl-filter/lang/parser.h"

namespace vsl {

struct BinaryRow {
  int precedence = 0;  // 0: no binary operator
  bool is_right_associative = false;
  ast::BinaryOperator op = ast::BinaryOperator::Add;
};
// Spec 1.2, "Operator precedence".
BinaryRow binary_row(Tok kind);
// Unary operators bind tighter than all of these; case labels end before `|`.
inline constexpr int kLowestPrecedence = 30;
inline constexpr int kAboveOr = 31;

class Parser {
 public:
  Parser(const Source& source, const Dialect& dialect, ast::Tree& tree, Diagnostics& diagnostics, const ParseLimits& limits);
  void parse_script();

 private:
  // --- tokens (parser.cpp)
  [[nodiscard]] const Token& now() const { return now_; }
  [[nodiscard]] bool at(Tok kind) const { return now_.kind == kind; }
  [[nodiscard]] bool at_word(std::string_view word) const { return now_.kind == Tok::Word && now_.text == word; }
  const Token& peek();
  void advance();
  bool accept(Tok kind) { return at(kind) ? (advance(), true) : false; }
  bool expect(Tok kind, std::string_view where);
  // A bracket that closes the one at `opened`.
  bool expect_closing(Tok kind, Span opened);
  [[nodiscard]] Span span() const { return {source_.id(), now_.begin, now_.end}; }
  [[nodiscard]] Span span_of(const Token& token) const { return {source_.id(), token.begin, token.end}; }
  [[nodiscard]] Span since(std::uint32_t begin) const { return {source_.id(), begin, std::max(begin, previous_end_)}; }

  // --- errors (parser.cpp)
  void panic();
  Diagnostic& fail(Span where, std::string message);  // and panic
  ast::Node* fail_expected(std::string_view what);
  void give_up(Span where, std::string message);      // no recovery: only End follows
  [[nodiscard]] std::string describe_now() const;
  enum class Sync { Statement, Element, Entry };
  void synchronize(Sync to, std::uint32_t began);
  bool is_sync_point(Sync to, bool is_inside);

  // Counts what is nested in each other; false: too deep, and given up.
  class Nest {
   public:
    explicit Nest(Parser& parser) : parser_(parser) { ++parser_.nesting_; }
    Nest(const Nest&) = delete;
    ~Nest() { --parser_.nesting_; }
    [[nodiscard]] bool is_too_deep();

   private:
    Parser& parser_;
  };

  // A bracket at `now`, as long as it is open: what the end of the file is blamed on.
  class Open {
   public:
    explicit Open(Parser& parser) : parser_(parser) { parser_.open_.push_back(parser_.span()); }
    Open(const Open&) = delete;
    ~Open() { parser_.open_.pop_back(); }

   private:
    Parser& parser_;
  };

  // --- nodes
  template <class T, class... Fields>
  T* make(ast::Kind kind, Span span, Fields&&... fields) {
    return tree_.make<T>(ast::Node{kind, 1, span}, std::forward<Fields>(fields)...);
  }
  ast::Node* error_node() { return make<ast::Node>(ast::Kind::Error, span()); }
  void raise(ast::Node* node, const ast::Node* child);
  void raise(ast::Node* node, ast::Nodes children);
  // Lists are collected on one stack: begin() says where, take() makes what was pushed since then a list of the tree.
  [[nodiscard]] std::size_t begin_list() const { return collected_.size(); }
  void push(ast::Node* node) { collected_.push_back(node); }
  ast::Nodes take_list(std::size_t begin);

  // --- statements (parser_statement.cpp)
  ast::Nodes statements(bool is_top_level);
  ast::Node* statement(bool is_top_level);
  ast::Node* single_statement(bool is_top_level = false);  // without its `;`
  void end_of_statement(const ast::Node* statement);
  [[nodiscard]] std::string_view hint_behind(const ast::Node& statement) const;
  ast::Block* block(std::string_view where);
  ast::Node* let(bool is_constant, bool is_top_level);
  ast::Node* expression_or_assignment();
  ast::Node* import_statement(bool is_top_level);
  ast::Node* export_statement(bool is_top_level);
  ast::Node* leave_statement(ast::Kind kind);  // break, return, throw
  ast::Node* try_statement();
  void function(bool is_top_level);
  std::vector<ast::Variable*> parameters(Tok closing, Span opened);
  ast::Variable* declare(bool is_constant, bool is_top_level, std::string_view what);
  bool is_assignable(const ast::Node& node);
  ast::Node* foreign_statement(bool is_top_level);  // what other languages write

  // --- control (parser_control.cpp)
  ast::Node* if_expression();
  ast::Node* condition();
  bool at_foreign_else_if();
  ast::Node* switch_expression();
  ast::Case switch_case();
  ast::Node* label();
  bool is_label(const ast::Node& node);
  ast::Node* while_loop();
  ast::Node* do_loop();
  ast::Node* endless_loop();
  ast::Node* for_loop();

  // --- expressions (parser_expression.cpp)
  ast::Node* expression();
  ast::Node* binary(int lowest);
  struct FoundOperator {
    BinaryRow row;
    int tokens = 1;
  };
  FoundOperator operator_now();
  ast::Node* unary();
  ast::Node* postfix(ast::Node* object);
  ast::Node* member(ast::Node* object, bool is_optional);
  ast::Nodes arguments();  // `now` is the opening parenthesis
  [[nodiscard]] bool starts_expression() const;

  // --- primaries (parser_primary.cpp)
  ast::Node* primary();
  ast::Node* integer(bool is_negative, std::uint32_t begin);
  ast::Node* string_literal();
  void see_interpolation();
  ast::Node* template_literal();
  ast::Node* name_or_call();
  ast::Node* parenthesised();
  ast::Node* array();
  ast::Node* map();
  std::optional<ast::MapEntry> map_entry();
  ast::Node* closure();
  ast::Node* reserved_word();

  // --- the dialect (parser_dialect.cpp)
  ast::Node* directive();
  ast::Node* directive_body();
  ast::Node* declaration(const DeclarationKeyword& keyword);
  ast::Node* legacy_declaration(const DeclarationKeyword& keyword, std::uint32_t begin);
  struct TypeName {
    std::string_view prefix;
    std::string_view type;
    Span span;
  };
  TypeName type_name(const DeclarationKeyword& keyword);
  const DeclarationKeyword* legacy_keyword_now();

  const Source& source_;
  const Dialect& dialect_;
  ast::Tree& tree_;
  Diagnostics& diagnostics_;
  const ParseLimits& limits_;
  Lexer lexer_;
  Token now_;
  std::optional<Token> peeked_;
  std::string_view doc_;  // the doc comment before `now_`
  std::uint32_t previous_end_ = 0;
  std::uint32_t nesting_ = 0;
  bool panic_ = false;
  bool has_given_up_ = false;
  bool is_block_over_ = false;  // its `}` was missing and has been reported
  bool is_top_level_ = true;  // whether a declaration met now is one of the top level
  std::vector<Span> open_;
  std::string open_at_panic_;  // how the brackets in open_ are written
  std::vector<ast::Node*> collected_;
  std::vector<ast::Function*> functions_;
  std::vector<ast::Import*> imports_;
};

}  // namespace vsl
