// Expressions: operators, access to members, calls of methods (spec 1.2).
#include <array>

#include "vsl-filter/lang/parser_state.h"

namespace vsl {

using ast::Kind;
using ast::Node;

namespace {

using Op = ast::BinaryOperator;
constexpr auto kBinary = [] {
  std::array<BinaryRow, static_cast<std::size_t>(Tok::Bang) + 1> rows{};
  const auto set = [&rows](Tok token, int precedence, Op op, bool is_right = false) {
    rows[static_cast<std::size_t>(token)] = {precedence, is_right, op};
  };
  set(Tok::ShiftLeft, 210, Op::ShiftLeft);
  set(Tok::ShiftRight, 210, Op::ShiftRight);
  set(Tok::Power, 190, Op::Power, true);
  set(Tok::Multiply, 180, Op::Multiply);
  set(Tok::Divide, 180, Op::Divide);
  set(Tok::Modulo, 180, Op::Modulo);
  set(Tok::Plus, 150, Op::Add);
  set(Tok::Minus, 150, Op::Subtract);
  set(Tok::Range, 140, Op::Range);
  set(Tok::RangeInclusive, 140, Op::RangeInclusive);
  set(Tok::Coalesce, 135, Op::Coalesce);
  set(Tok::Less, 130, Op::Less);
  set(Tok::LessEqual, 130, Op::LessEqual);
  set(Tok::Greater, 130, Op::Greater);
  set(Tok::GreaterEqual, 130, Op::GreaterEqual);
  set(Tok::In, 110, Op::In);
  set(Tok::NotIn, 110, Op::NotIn);
  set(Tok::Equal, 90, Op::Equal);
  set(Tok::NotEqual, 90, Op::NotEqual);
  set(Tok::Is, 90, Op::Equal);
  set(Tok::Not, 90, Op::NotEqual);
  set(Tok::AndAnd, 60, Op::And);
  set(Tok::And, 60, Op::BitAnd);
  set(Tok::OrOr, kLowestPrecedence, Op::Or);
  set(Tok::Or, kLowestPrecedence, Op::BitOr);
  set(Tok::Xor, kLowestPrecedence, Op::BitXor);
  return rows;
}();

}  // namespace

BinaryRow binary_row(Tok kind) { return kBinary[static_cast<std::size_t>(kind)]; }

Node* Parser::expression() {
  Nest nest(*this);
  if (nest.is_too_deep()) return error_node();
  return binary(kLowestPrecedence);
}

// The operator at `now` with its alternatives in words: `is not` is !=, `not in` is !in.
Parser::FoundOperator Parser::operator_now() {
  if (at(Tok::Is) && peek().kind == Tok::Not) return {binary_row(Tok::NotEqual), 2};
  if (at(Tok::Not) && peek().kind == Tok::In) return {binary_row(Tok::NotIn), 2};
  if (at(Tok::Word) && !now_.is_first_on_line) {
    if (now_.text == "and") return {binary_row(Tok::AndAnd), 1};
    if (now_.text == "or") return {binary_row(Tok::OrOr), 1};
  }
  return {binary_row(now_.kind), 1};
}

Node* Parser::binary(int lowest) {
  Node* left = unary();
  while (!panic_) {
    const auto [row, tokens] = operator_now();
    if (row.precedence < lowest || row.precedence == 0) return left;
    Span op_span = span();
    if (at(Tok::Word)) {
      diagnostics_.error(op_span, "unexpected `" + std::string(now_.text) + "`")
          .with_help(row.op == Op::And ? "the logical operator is written `&&`" : "the logical operator is written `||`");
    }
    advance();
    if (tokens == 2) {
      op_span = joined(op_span, span());
      advance();
    }
    Node* right = nullptr;
    if (row.is_right_associative) {
      Nest nest(*this);
      right = nest.is_too_deep() ? error_node() : binary(row.precedence);
    } else {
      right = binary(row.precedence + 1);
    }
    auto* node = make<ast::Binary>(Kind::Binary, since(left->span.begin), row.op, op_span, left, right);
    raise(node, left);
    raise(node, right);
    left = node;
  }
  return left;
}

bool Parser::starts_expression() const {
  switch (now_.kind) {
    case Tok::Int: case Tok::Float: case Tok::Char: case Tok::String: case Tok::TemplateWhole: case Tok::TemplateStart:
    case Tok::True: case Tok::False: case Tok::This: case Tok::Word: case Tok::Callable: case Tok::Global: case Tok::Reserved:
    case Tok::Directive: case Tok::Declaration: case Tok::If: case Tok::Switch: case Tok::While: case Tok::Do: case Tok::Loop: case Tok::For:
    case Tok::OpenParen: case Tok::OpenBrace: case Tok::OpenBracket: case Tok::OpenMap: case Tok::OrOr: case Tok::Or:
    case Tok::Minus: case Tok::Plus: case Tok::Bang: case Tok::Not: case Tok::Error: return true;
    default: return false;
  }
}

// Prefix operators bind to the right and less tight than calls and members: -x.abs() is -(x.abs()).
Node* Parser::unary() {
  struct Prefix {
    ast::UnaryOperator op;
    std::uint32_t begin;
  };
  Prefix kept[8];  // more are as many nested expressions
  std::size_t count = 0;
  Node* operand = nullptr;
  while (operand == nullptr) {
    const std::uint32_t begin = now_.begin;
    // A minus directly before a number belongs to it: -5.abs() is 5.
    if (at(Tok::Minus) && (peek().kind == Tok::Int || peek().kind == Tok::Float) && peek().begin == now_.end) {
      advance();
      if (at(Tok::Int)) {
        operand = integer(true, begin);
      } else {
        operand = make<ast::Float>(Kind::Float, Span{source_.id(), begin, now_.end}, -now_.real);
        advance();
      }
      operand = postfix(operand);
      break;
    }
    ast::UnaryOperator op = ast::UnaryOperator::Not;
    if (at(Tok::Minus)) {
      op = ast::UnaryOperator::Minus;
    } else if (at(Tok::Plus)) {
      op = ast::UnaryOperator::Plus;
    } else if (!at(Tok::Bang) && !at(Tok::Not)) {
      operand = postfix(primary());
      break;
    }
    if (count == std::size(kept)) {
      Nest nest(*this);
      operand = nest.is_too_deep() ? error_node() : unary();
      break;
    }
    kept[count++] = {op, begin};
    advance();
  }
  while (count > 0) {
    const Prefix& prefix = kept[--count];
    auto* node = make<ast::Unary>(Kind::Unary, since(prefix.begin), prefix.op, operand);
    raise(node, operand);
    operand = node;
  }
  return operand;
}

Node* Parser::postfix(Node* object) {
  while (!panic_) {
    switch (now_.kind) {
      case Tok::Dot:
      case Tok::OptionalDot: {
        const bool is_optional = at(Tok::OptionalDot);
        advance();
        object = member(object, is_optional);
        break;
      }
      case Tok::OpenBracket:
      case Tok::OptionalBracket: {
        const Span opened = span();
        const bool is_optional = at(Tok::OptionalBracket);
        Open open(*this);
        advance();
        Node* index = expression();
        expect_closing(Tok::CloseBracket, opened);
        auto* node = make<ast::Index>(Kind::Index, since(object->span.begin), object, index, is_optional);
        raise(node, object);
        raise(node, index);
        object = node;
        break;
      }
      case Tok::OpenParen:
        // Only names are called; on a line of its own a parenthesis is the next statement without its `;` before it.
        if (now_.is_first_on_line || object->kind == Kind::Block || object->kind == Kind::If || object->kind == Kind::Switch) return object;
        fail(span(), "only functions can be called by name").with_help("a function pointer is called with `.call(...)`");
        return object;
      default: return object;
    }
  }
  return object;
}

// `now` is behind the dot. Every word is a plain name here.
Node* Parser::member(Node* object, bool is_optional) {
  if (!is_word(now_.kind)) {
    return fail_expected("the name of a property or method after the dot");
  }
  const std::string_view name = now_.text;
  const Span name_span = span();
  advance();
  const bool in_callers_scope = at(Tok::Bang) && !now_.follows_space && peek().kind == Tok::OpenParen && peek().begin == now_.end;
  if (in_callers_scope) advance();
  if (!at(Tok::OpenParen) || (now_.is_first_on_line && !in_callers_scope)) {
    auto* node = make<ast::Property>(Kind::Property, since(object->span.begin), object, name, name_span, is_optional);
    raise(node, object);
    return node;
  }
  const auto list = arguments();
  auto* node = make<ast::MethodCall>(Kind::MethodCall, since(object->span.begin), object, name, name_span, list, is_optional, in_callers_scope);
  raise(node, object);
  raise(node, list);
  return node;
}

ast::Nodes Parser::arguments() {
  const Span opened = span();
  Open open(*this);
  advance();
  const std::size_t begin = begin_list();
  while (!at(Tok::CloseParen) && !panic_) {
    push(expression());
    if (panic_ || !accept(Tok::Comma)) break;
  }
  if (!panic_ && !at(Tok::CloseParen) && starts_expression() && !at(Tok::Error) && !now_.is_first_on_line) {
    fail(span(), "expected `,` or `)`, found " + describe_now()).with_note(opened, "in the arguments that begin here");
  } else {
    expect_closing(Tok::CloseParen, opened);
  }
  return take_list(begin);
}

}  // namespace vsl
