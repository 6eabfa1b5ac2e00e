// Directives and declarations: what the host's dialect adds to the grammar (dialect.h, spec 2.3, 2.5, 2.6).
#include <algorithm>

#include "vsl-filter/lang/nearest.h"
#include "vsl-filter/lang/parser_state.h"

namespace vsl {

using ast::Kind;
using ast::Node;

Node* Parser::directive() {
  const DirectiveKeyword& keyword = dialect_.directives[now_.row];
  const std::uint32_t begin = now_.begin;
  const std::string word(keyword.word);
  advance();
  Node* subject = nullptr;
  if (!keyword.subject_key.empty()) {
    if (at(Tok::String)) {
      fail(span(), "expected the " + std::string(keyword.subject_key) + " after `" + word + "`, found the name")
          .with_help("write `" + word + " " + std::string(keyword.subject_key) + " \"name\" || ...`");
      return error_node();
    }
    subject = expression();
    if (panic_) return error_node();
  }
  if (!at(Tok::String)) {
    if (at(Tok::TemplateWhole) || at(Tok::TemplateStart)) {
      fail(span(), "the name of a directive must be a plain string").with_help("it stands between double quotes");
    } else if (!at(Tok::Error)) {
      fail(span(), "expected the name of the directive, found " + describe_now()).with_help("write `" + word + " \"name\" || ...`");
    } else {
      panic();
    }
    return error_node();
  }
  auto* name = make<ast::String>(Kind::String, span(), now_.text);
  advance();
  Node* body = directive_body();
  auto* node = make<ast::Directive>(Kind::Directive, since(begin), &keyword, subject, name, body);
  raise(node, subject);
  raise(node, body);
  return node;
}

Node* Parser::directive_body() {
  if (at(Tok::Or) && peek().kind != Tok::Word) {
    diagnostics_.error(span(), "expected `||`, found `|`").with_help("the body of a directive is a closure: `|| { ... }`");
    advance();
    return single_statement();
  }
  if (at(Tok::OrOr) || at(Tok::Or)) {
    Node* node = closure();
    if (node->kind == Kind::Closure && !panic_) {
      const auto parameters = ast::as<ast::Closure>(*node).body.parameters;
      if (parameters.size() > 1) diagnostics_.error(parameters[1]->span, "the closure of a directive takes at most one parameter");
    }
    return node;
  }
  if (at(Tok::OpenMap)) return map();
  if (!starts_expression() || at(Tok::Error)) return fail_expected("`||` and what the directive does");
  diagnostics_.error(span(), "expected `||`, found " + describe_now()).with_help("the body of a directive is a closure: `|| { ... }`");
  return single_statement();
}

// Nothing but a declaration has two words after each other: obj ip4 "name" "192.0.2.1".
const DeclarationKeyword* Parser::legacy_keyword_now() {
  for (const DeclarationKeyword& keyword : dialect_.declarations) {
    if (at(Tok::Word) && !keyword.legacy_word.empty() && now_.text == keyword.legacy_word && peek().kind == Tok::Word && !peek().is_first_on_line) {
      return &keyword;
    }
  }
  return nullptr;
}

// TYPE or PREFIX:TYPE
Parser::TypeName Parser::type_name(const DeclarationKeyword& keyword) {
  TypeName name{{}, now_.text, span()};
  if (!is_word(now_.kind)) {
    fail_expected("the type of the " + std::string(keyword.noun));
    return name;
  }
  advance();
  if (at(Tok::Colon)) {
    name.prefix = name.type;
    advance();
    if (!is_word(now_.kind)) {
      fail_expected("a type after `" + std::string(name.prefix) + ":`");
      return name;
    }
    name.type = now_.text;
    name.span = joined(name.span, span());
    advance();
    if (std::ranges::find(keyword.prefixes, name.prefix) == keyword.prefixes.end()) {
      diagnostics_.error(name.span, "Improper " + std::string(keyword.noun) + " type '" + std::string(source_.text(name.span)) + "'.");
      return name;
    }
  }
  if (!keyword.types.empty() && std::ranges::find(keyword.types, name.type) == keyword.types.end()) {
    auto& error = diagnostics_.error(name.span, "Improper " + std::string(keyword.noun) + " type '" + std::string(name.type) + "'.");
    Nearest nearest(name.type);
    for (const std::string_view type : keyword.types) nearest.see(type);
    error.with_help(nearest.suggestion());
  }
  return name;
}

Node* Parser::declaration(const DeclarationKeyword& keyword) {
  const std::uint32_t begin = now_.begin;
  const bool is_legacy = at(Tok::Word);
  advance();
  if (is_legacy || (is_word(now_.kind) && (peek().kind == Tok::String || peek().kind == Tok::Colon))) return legacy_declaration(keyword, begin);
  const bool is_top_level = is_top_level_;
  ast::Variable* variable = declare(true, is_top_level, "the name of the " + std::string(keyword.noun));
  if (panic_) return error_node();
  const TypeName type = type_name(keyword);
  if (!panic_ && !expect(Tok::Assign, "after the type")) return error_node();
  if (panic_) return error_node();
  Node* value = expression();
  auto* node = make<ast::Declaration>(Kind::Declaration, since(begin), &keyword, variable, type.prefix, type.type, type.span, value);
  raise(node, value);
  return node;
}

// object TYPE "NAME" EXPR, as versions before 1.0 wrote it.
Node* Parser::legacy_declaration(const DeclarationKeyword& keyword, std::uint32_t begin) {
  const bool is_top_level = is_top_level_;
  const TypeName type = type_name(keyword);
  if (panic_) return error_node();
  if (!at(Tok::String)) return fail_expected("the name of the " + std::string(keyword.noun));
  const std::string_view name = now_.text;
  const bool is_name = !name.empty() && name.find_first_not_of("0123456789_") != std::string_view::npos && !(name[0] >= '0' && name[0] <= '9') &&
                       std::ranges::all_of(name, [](char c) { return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }) &&
                       WordTable(dialect_).find(name).kind == Tok::Word;
  if (!is_name) diagnostics_.error(span(), "'" + std::string(name) + "' cannot be the name of a variable").with_help("names hold letters, digits and `_`");
  auto* variable = tree_.make<ast::Variable>(
      ast::Variable{.name = name, .span = span(), .is_constant = true, .is_top_level = is_top_level});
  advance();
  accept(Tok::Assign);
  Node* value = expression();
  auto* node = make<ast::Declaration>(Kind::Declaration, since(begin), &keyword, variable, type.prefix, type.type, type.span, value);
  raise(node, value);
  if (!panic_ && is_name) {
    diagnostics_.warning(since(begin), "deprecated form of declaration")
        .with_help("write `" + std::string(keyword.word) + " " + std::string(name) + " " + std::string(source_.text(type.span)) + " = ...`");
  }
  return node;
}

}  // namespace vsl
