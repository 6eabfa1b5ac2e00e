// if, switch and loops (spec 1.2): statements and expressions alike.
#include "vsl-filter/lang/parser_state.h"

namespace vsl {

using ast::Kind;
using ast::Node;

// An expression that must be bool. One `=` in it is read as the comparison that was meant.
Node* Parser::condition() {
  if (at(Tok::OpenBrace)) {
    fail(span(), "expected a condition, found `{`");
    return error_node();
  }
  Node* node = expression();
  if (panic_ || !at(Tok::Assign)) return node;
  diagnostics_.error(span(), "`=` assigns and is no condition").with_help("equality is written `==` or `is`");
  advance();
  expression();
  return node;
}

// elif, elsif, elseif: told, and read as `else if`.
bool Parser::at_foreign_else_if() {
  if (!at_word("elif") && !at_word("elsif") && !at_word("elseif")) return false;
  diagnostics_.error(span(), "unexpected `" + std::string(now_.text) + "`").with_help("write `else if`");
  return true;
}

Node* Parser::if_expression() {
  const std::uint32_t begin = now_.begin;
  std::vector<ast::Branch> branches;
  ast::Block* otherwise = nullptr;
  for (;;) {
    advance();  // if
    Node* asked = condition();
    if (!panic_ && at_word("then")) {
      fail(span(), "unexpected `then`").with_help("write `if condition { ... }`");
    }
    branches.push_back({asked, block("after the condition")});
    if (panic_) break;
    if (at_foreign_else_if()) continue;
    if (!accept(Tok::Else)) break;
    if (at(Tok::If)) continue;
    otherwise = block("after `else`");
    break;
  }
  auto* node = make<ast::If>(Kind::If, since(begin), tree_.list(branches), otherwise);
  for (const ast::Branch& branch : branches) {
    raise(node, branch.condition);
    raise(node, branch.block);
  }
  raise(node, otherwise);
  return node;
}

Node* Parser::switch_expression() {
  const std::uint32_t begin = now_.begin;
  advance();
  Nest nest(*this);
  if (nest.is_too_deep()) return error_node();
  Node* subject = expression();
  const Span opened = span();
  std::vector<ast::Case> cases;
  Open open(*this);
  if (expect(Tok::OpenBrace, "before the cases of the switch")) {
    while (!at(Tok::CloseBrace) && !at(Tok::End) && !has_given_up_) {
      const std::uint32_t began = now_.begin;
      const ast::Case read = switch_case();
      if (!panic_) {
        cases.push_back(read);
        if (accept(Tok::Comma) || at(Tok::CloseBrace)) continue;
        if (read.body->kind == Kind::Block) continue;
        if (at(Tok::Semicolon)) {
          fail(span(), "expected `,`, found `;`").with_help("cases are separated by `,`");
        } else if (now_.is_first_on_line && !at(Tok::End) && !at(Tok::Error)) {
          diagnostics_.error(behind(read.span), "`,` is missing after this case");
        } else {
          expect_closing(Tok::CloseBrace, opened);
        }
      }
      if (panic_) {
        synchronize(Sync::Entry, began);
        if (!accept(Tok::Comma)) accept(Tok::Semicolon);
      }
    }
    expect_closing(Tok::CloseBrace, opened);
  }
  auto* node = make<ast::Switch>(Kind::Switch, since(begin), subject, tree_.list(cases));
  raise(node, subject);
  for (const ast::Case& each : cases) {
    raise(node, each.guard);
    raise(node, each.body);
    raise(node, each.labels);
  }
  return node;
}

ast::Case Parser::switch_case() {
  ast::Case made{};
  const std::uint32_t begin = now_.begin;
  const std::size_t list = begin_list();
  if (at_word("_")) {
    advance();
  } else if (now_.kind == Tok::Reserved && (now_.text == "default" || now_.text == "case")) {
    fail(span(), "'" + std::string(now_.text) + "' is a reserved keyword")
        .with_help(now_.text == "default" ? "the last case is written `_ => ...`" : "cases are written `label => ...`");
  } else if (at(Tok::Else)) {
    fail(span(), "unexpected `else`").with_help("the last case is written `_ => ...`");
  } else {
    do {
      push(label());
    } while (!panic_ && accept(Tok::Or));
  }
  made.labels = take_list(list);
  if (!panic_ && accept(Tok::If)) made.guard = condition();
  if (!panic_ && at(Tok::Colon)) fail(span(), "expected `=>`, found `:`").with_help("cases are written `label => ...`");
  if (!panic_) expect(Tok::Arrow, "after the label");
  made.body = panic_ ? error_node() : single_statement();
  if (made.body->kind == Kind::Let || made.body->kind == Kind::Import || made.body->kind == Kind::Export) {
    diagnostics_.error(made.body->span, "a case cannot declare anything").with_help("put it into a block: `=> { ... }`");
  }
  made.span = since(begin);
  return made;
}

bool Parser::is_label(const Node& node) {
  switch (node.kind) {
    case Kind::Unit: case Kind::Bool: case Kind::Int: case Kind::Float: case Kind::Char: case Kind::String: return true;
    case Kind::Array:
      for (const Node* element : ast::as<ast::Array>(node).elements) {
        if (!is_label(*element) || element->kind == Kind::Binary) return false;
      }
      return true;
    case Kind::Map:
      for (const ast::MapEntry& entry : ast::as<ast::Map>(node).entries) {
        if (!is_label(*entry.value) || entry.value->kind == Kind::Binary) return false;
      }
      return true;
    case Kind::Binary: {
      const auto& range = ast::as<ast::Binary>(node);
      return (range.op == ast::BinaryOperator::Range || range.op == ast::BinaryOperator::RangeInclusive) && range.left->kind == Kind::Int &&
             range.right->kind == Kind::Int;
    }
    default: return false;
  }
}

Node* Parser::label() {
  Node* node = binary(kAboveOr);
  if (panic_ || is_label(*node)) return node;
  diagnostics_.error(node->span, "the label of a case must be a literal value")
      .with_help("numbers, strings, characters, true, false, (), arrays and maps of these, ranges of integers; conditions are written `_ if ... =>` as "
                 "guards of such a label, or as `if`");
  return node;
}

Node* Parser::while_loop() {
  const std::uint32_t begin = now_.begin;
  advance();
  Node* asked = condition();
  ast::Block* body = block("after the condition");
  auto* node = make<ast::While>(Kind::While, since(begin), asked, body);
  raise(node, asked);
  raise(node, body);
  return node;
}

Node* Parser::do_loop() {
  const std::uint32_t begin = now_.begin;
  advance();
  ast::Block* body = block("after `do`");
  const bool is_until = at(Tok::Until);
  Node* asked = body;
  if (!panic_) {
    if (!at(Tok::While) && !at(Tok::Until)) {
      fail_expected("`while` or `until` after the block of `do`");
    } else {
      advance();
      asked = condition();
    }
  }
  auto* node = make<ast::DoLoop>(Kind::DoLoop, since(begin), body, asked, is_until);
  raise(node, body);
  raise(node, asked);
  return node;
}

Node* Parser::endless_loop() {
  const std::uint32_t begin = now_.begin;
  advance();
  ast::Block* body = block("after `loop`");
  auto* node = make<ast::Loop>(Kind::Loop, since(begin), body);
  raise(node, body);
  return node;
}

Node* Parser::for_loop() {
  const std::uint32_t begin = now_.begin;
  advance();
  ast::Variable* variable = nullptr;
  ast::Variable* counter = nullptr;
  if (const Span opened = span(); accept(Tok::OpenParen)) {
    variable = declare(false, false, "the name of the loop variable");
    if (at(Tok::Assign) && !panic_) {
      fail(span(), "expected `,`, found `=`").with_help("a loop over numbers is written `for " + std::string(variable->name) + " in 0..10`");
      while (!at(Tok::OpenBrace) && !at(Tok::CloseBrace) && !at(Tok::End)) advance();
    }
    if (!panic_ && expect(Tok::Comma, "between the loop variable and the counter")) counter = declare(false, false, "the name of the counter");
    if (!panic_) expect_closing(Tok::CloseParen, opened);
  } else {
    variable = declare(false, false, "the name of the loop variable");
    if (!panic_ && at(Tok::Comma)) fail(span(), "expected `in`, found `,`").with_help("with a counter: `for (value, index) in ...`");
  }
  Node* iterable = nullptr;
  if (panic_) {
    iterable = error_node();
  } else if (accept(Tok::In)) {
    iterable = expression();
  } else {
    iterable = fail_expected("`in`");
  }
  ast::Block* body = block("after what the loop goes over");
  auto* node = make<ast::For>(Kind::For, since(begin), variable, counter, iterable, body);
  raise(node, iterable);
  raise(node, body);
  return node;
}

}  // namespace vsl
