// What an expression is made of: literals, names, calls, closures (spec 1.2).
#include "vsl-filter/lang/parser_state.h"

namespace vsl {

using ast::Kind;
using ast::Node;

namespace {

// What other languages write with words that are reserved here.
struct ReservedHint {
  std::string_view word;
  std::string_view help;
};
constexpr ReservedHint kHints[] = {
    {"null", "nothing is written `()`"},
    {"nil", "nothing is written `()`"},
    {"void", "nothing is written `()`"},
    {"var", "variables are declared with `let`"},
    {"static", "constants are declared with `const`"},
    {"match", "write `switch`"},
    {"case", "cases of a switch are written `label => ...`"},
    {"default", "the last case of a switch is written `_ => ...`"},
    {"new", "values are made by functions: `address(\"a@example.org\")`"},
    {"use", "files are taken in with `import \"path\" as name`"},
    {"module", "files are taken in with `import \"path\" as name`"},
    {"public", "functions are visible to importers unless they are `private`"},
    {"yield", "a closure that makes values is called with `.call()`"},
};

constexpr std::uint64_t kSmallest = std::uint64_t{1} << 63;

}  // namespace

Node* Parser::primary() {
  switch (now_.kind) {
    case Tok::Int: return integer(false, now_.begin);
    case Tok::Float: {
      auto* node = make<ast::Float>(Kind::Float, span(), now_.real);
      return advance(), node;
    }
    case Tok::Char: {
      auto* node = make<ast::Char>(Kind::Char, span(), now_.character);
      return advance(), node;
    }
    case Tok::True:
    case Tok::False: {
      auto* node = make<ast::Bool>(Kind::Bool, span(), at(Tok::True));
      return advance(), node;
    }
    case Tok::This: {
      auto* node = make<ast::This>(Kind::This, span());
      return advance(), node;
    }
    case Tok::String:
    case Tok::TemplateWhole: return string_literal();
    case Tok::TemplateStart: return template_literal();
    case Tok::Word:
    case Tok::Callable:
    case Tok::Global: return name_or_call();
    case Tok::Reserved: return reserved_word();
    case Tok::OpenParen: return parenthesised();
    case Tok::OpenBracket: return array();
    case Tok::OpenMap: return map();
    case Tok::OrOr:
    case Tok::Or: return closure();
    case Tok::OpenBrace: return block("here");
    case Tok::If: return if_expression();
    case Tok::Switch: return switch_expression();
    case Tok::While: return while_loop();
    case Tok::Do: return do_loop();
    case Tok::Loop: return endless_loop();
    case Tok::For: return for_loop();
    case Tok::Directive: return directive();
    case Tok::Declaration: return declaration(dialect_.declarations[now_.row]);
    case Tok::Try:
      fail(span(), "`try` is a statement and has no value").with_help("assign to a variable inside of its blocks");
      return error_node();
    case Tok::Throw: case Tok::Return: case Tok::Break: case Tok::Continue: case Tok::Let: case Tok::Const: case Tok::Import: case Tok::Export:
      fail(span(), "`" + std::string(now_.text) + "` is a statement and has no value").with_help("in an expression it can stand in a block: `{ ... }`");
      return error_node();
    case Tok::Fn:
      fail(span(), "expected an expression, found `fn`").with_help("a function without a name is written `|a, b| ...`");
      return error_node();
    default: return fail_expected("an expression");
  }
}

Node* Parser::integer(bool is_negative, std::uint32_t begin) {
  const std::uint64_t magnitude = now_.integer;
  if (magnitude == kSmallest && !is_negative) {
    diagnostics_.error(span(), "number does not fit into 64 bits with a sign")
        .with_help("the largest integer is 9223372036854775807; with a fraction (`.0`) it is a float");
  }
  const auto value = static_cast<std::int64_t>(is_negative ? std::uint64_t{0} - magnitude : magnitude);
  auto* node = make<ast::Int>(Kind::Int, Span{source_.id(), begin, now_.end}, value);
  advance();
  return node;
}

// "Dear ${name}": in a plain string that is text, or the end of the string comes within the braces.
void Parser::see_interpolation() {
  const auto begin = now_.text.find("${");
  if (begin == std::string_view::npos || !source_.text(span()).starts_with('"')) return;
  const bool is_closed = now_.text.find('}', begin) != std::string_view::npos;
  if (is_closed || !peek().follows_space)
    diagnostics_.warning(span(), "`${...}` is only text in a plain string").with_help("values are put into a text between back-ticks: `text ${value}`");
}

Node* Parser::string_literal() {
  if (at(Tok::String)) see_interpolation();
  auto* node = make<ast::String>(Kind::String, span(), now_.text);
  advance();
  return node;
}

Node* Parser::template_literal() {
  const std::uint32_t begin = now_.begin;
  const Span opened{source_.id(), now_.end - 2, now_.end};
  const std::size_t list = begin_list();
  for (bool is_last = false; !is_last;) {
    if (!now_.text.empty()) push(make<ast::String>(Kind::String, span(), now_.text));
    if (at(Tok::TemplateEnd)) {
      advance();
      break;
    }
    advance();
    const std::uint32_t inside = now_.begin;
    const auto inner = statements(false);
    auto* code = make<ast::Block>(Kind::Block, since(inside), inner);
    raise(code, inner);
    push(code);
    if (!at(Tok::TemplateMiddle) && !at(Tok::TemplateEnd)) {
      if (at(Tok::Error)) panic();
      fail(opened, "this `${` is not closed");
      is_last = true;
    }
  }
  const auto parts = take_list(list);
  auto* node = make<ast::Template>(Kind::Template, since(begin), parts);
  raise(node, parts);
  return node;
}

Node* Parser::name_or_call() {
  const std::uint32_t begin = now_.begin;
  if (at_word("_")) {
    fail(span(), "`_` is no name").with_help("`_` is the last case of a switch");
    return error_node();
  }
  if (const auto* keyword = legacy_keyword_now()) return declaration(*keyword);
  const Tok first = now_.kind;
  ast::Segment segments[16];
  std::size_t count = 0;
  segments[count++] = {now_.text, span()};
  advance();
  while (at(Tok::DoubleColon) && !panic_) {
    advance();
    if (!is_word(now_.kind)) return fail_expected("a name after `::`");
    if (count == std::size(segments)) {
      fail(span(), "path of more than " + std::to_string(count) + " names");
      return error_node();
    }
    segments[count++] = {now_.text, span()};
    advance();
  }
  const bool in_callers_scope = at(Tok::Bang) && !now_.follows_space && peek().kind == Tok::OpenParen && peek().begin == now_.end;
  if (in_callers_scope) advance();
  if (at(Tok::OpenParen) && (in_callers_scope || !now_.is_first_on_line)) {
    const auto callee = tree_.list(std::span<const ast::Segment>(segments, count));
    const auto list = arguments();
    auto* node = make<ast::Call>(Kind::Call, since(begin), callee, list, in_callers_scope, nullptr, nullptr);
    raise(node, list);
    if (count == 1 && segments[0].name == "eval" && !panic_) diagnostics_.error(segments[0].span, "'eval' is disabled");
    return node;
  }
  if (count == 1 && first != Tok::Word) {
    fail(segments[0].span, "'" + std::string(segments[0].name) + "' is a reserved keyword")
        .with_help(first == Tok::Callable ? "it is a function: `" + std::string(segments[0].name) + "(...)`" : "constants of this file are read in functions as `global::NAME`");
    return error_node();
  }
  if (count > 1) {
    return make<ast::Path>(Kind::Path, since(begin), tree_.list(std::span<const ast::Segment>(segments, count)), nullptr, nullptr);
  }
  return make<ast::Name>(Kind::Name, since(begin), segments[0].name, nullptr);
}

Node* Parser::reserved_word() {
  std::string_view help;
  for (const ReservedHint& hint : kHints) {
    if (hint.word == now_.text) help = hint.help;
  }
  fail(span(), "'" + std::string(now_.text) + "' is a reserved keyword").with_help(std::string(help));
  return error_node();
}

// () is the unit value; otherwise parentheses only group.
Node* Parser::parenthesised() {
  const Span opened = span();
  Open open(*this);
  advance();
  if (accept(Tok::CloseParen)) return make<Node>(Kind::Unit, since(opened.begin));
  Node* node = expression();
  if (at(Tok::Assign) && !panic_) {
    fail(span(), "assignment is a statement and has no value").with_help("equality is written `==`");
  } else if (at(Tok::Comma) && !panic_) {
    fail(span(), "expected `)`, found `,`").with_help("lists are written `[a, b]`");
  }
  expect_closing(Tok::CloseParen, opened);
  return node;
}

Node* Parser::array() {
  const Span opened = span();
  Open open(*this);
  advance();
  const std::size_t begin = begin_list();
  while (!at(Tok::CloseBracket) && !at(Tok::End) && !has_given_up_) {
    const std::uint32_t began = now_.begin;
    Node* element = expression();
    push(element);
    if (!panic_) {
      if (accept(Tok::Comma)) continue;
      if (at(Tok::CloseBracket)) break;
      if (at(Tok::Semicolon) && element->kind == Kind::Directive && (peek().kind == Tok::Directive || peek().kind == Tok::CloseBracket)) {
        diagnostics_.error(span(), "expected `,` or `]`, found `;`").with_help("directives are separated by `,`");
        advance();
        continue;  // as if it were one
      }
      if (at(Tok::Semicolon)) {
        const bool ends_statement = peek().is_first_on_line || peek().kind == Tok::End;
        if (ends_statement) {
          expect_closing(Tok::CloseBracket, opened);
          break;
        }
        fail(span(), "expected `,` or `]`, found `;`").with_help("the elements of an array are separated by `,`");
      } else if (starts_expression() && !at(Tok::Error) && (at(Tok::Directive) || now_.is_first_on_line)) {
        diagnostics_.error(behind(element->span), element->kind == Kind::Directive ? "`,` is missing after this directive"
                                                                                   : "`,` is missing after this element");
        continue;  // as if it stood there
      } else {
        expect_closing(Tok::CloseBracket, opened);
      }
    }
    synchronize(Sync::Element, began);
    if (accept(Tok::Comma) || accept(Tok::Semicolon) || at(Tok::Directive)) continue;
    if (!at(Tok::CloseBracket) && !at(Tok::End)) panic();  // told already
    break;
  }
  expect_closing(Tok::CloseBracket, opened);
  const auto elements = take_list(begin);
  auto* node = make<ast::Array>(Kind::Array, since(opened.begin), elements);
  raise(node, elements);
  return node;
}

std::optional<ast::MapEntry> Parser::map_entry() {
  ast::MapEntry entry{now_.text, span(), nullptr};
  if (!is_word(now_.kind) && !at(Tok::String)) {
    if (at(Tok::TemplateWhole) || at(Tok::TemplateStart) || at(Tok::Int) || at(Tok::Char)) {
      fail(span(), "the key of a map must be a name or a plain string, found " + describe_now());
    } else {
      fail_expected("the key of a map");
    }
    return std::nullopt;
  }
  advance();
  if (at(Tok::Assign) || at(Tok::Arrow)) {
    fail(span(), "expected `:`, found " + describe_now()).with_help("in a map, key and value are separated by `:`");
    return std::nullopt;
  }
  if (!expect(Tok::Colon, "after the key of a map")) return std::nullopt;
  entry.value = expression();
  return entry;
}

Node* Parser::map() {
  const Span opened = span();
  Open open(*this);
  advance();
  std::vector<ast::MapEntry> entries;
  while (!at(Tok::CloseBrace) && !at(Tok::End) && !has_given_up_) {
    const std::uint32_t began = now_.begin;
    const auto entry = map_entry();
    if (entry) entries.push_back(*entry);
    if (!panic_) {
      if (accept(Tok::Comma)) continue;
      if (at(Tok::CloseBrace)) break;
      if (at(Tok::Semicolon)) {
        const bool ends_statement = (peek().is_first_on_line && peek().kind != Tok::Word && peek().kind != Tok::CloseBrace) || peek().kind == Tok::End;
        if (ends_statement) {
          expect_closing(Tok::CloseBrace, opened);
          break;
        }
        fail(span(), "expected `,` or `}`, found `;`").with_help("the entries of a map are separated by `,`");
      } else if (now_.is_first_on_line && (is_word(now_.kind) || at(Tok::String))) {
        diagnostics_.error(behind(entry->value->span), "`,` is missing after this entry");
        continue;
      } else {
        expect_closing(Tok::CloseBrace, opened);
      }
    }
    synchronize(Sync::Entry, began);
    if (accept(Tok::Comma) || accept(Tok::Semicolon)) continue;
    if (!at(Tok::CloseBrace) && !at(Tok::End)) panic();  // told already
    break;
  }
  expect_closing(Tok::CloseBrace, opened);
  auto* node = make<ast::Map>(Kind::Map, since(opened.begin), tree_.list(entries));
  for (const ast::MapEntry& entry : entries) raise(node, entry.value);
  return node;
}

// || BODY or |a, b| BODY; the body is one statement of any kind.
Node* Parser::closure() {
  const std::uint32_t begin = now_.begin;
  const Span opened = span();
  std::vector<ast::Variable*> list;
  if (accept(Tok::Or)) {
    list = parameters(Tok::Or, opened);
  } else {
    advance();  // ||
  }
  Node* code = panic_ ? error_node() : single_statement();
  auto* node = make<ast::Closure>(Kind::Closure, since(begin), ast::Body());
  node->body.parameters = tree_.list(list);
  node->body.code = code;
  raise(node, code);
  return node;
}

}  // namespace vsl
