// Statements (spec 1.2).
#include "vsl-filter/lang/parser_state.h"

namespace vsl {

using ast::Kind;
using ast::Node;

namespace {

// After these no `;` is needed. A directive that ends with a block is as good as one.
bool is_block_like(const Node& node, std::string_view text) {
  switch (node.kind) {
    case Kind::Block: case Kind::If: case Kind::Switch: case Kind::While: case Kind::Loop: case Kind::For: case Kind::Try: return true;
    case Kind::Directive: return text.ends_with('}');
    default: return false;
  }
}

struct AssignRow {
  Tok token;
  ast::BinaryOperator op;
};
constexpr AssignRow kCompound[] = {
    {Tok::AddAssign, ast::BinaryOperator::Add},          {Tok::SubtractAssign, ast::BinaryOperator::Subtract},
    {Tok::MultiplyAssign, ast::BinaryOperator::Multiply}, {Tok::DivideAssign, ast::BinaryOperator::Divide},
    {Tok::ModuloAssign, ast::BinaryOperator::Modulo},    {Tok::PowerAssign, ast::BinaryOperator::Power},
    {Tok::ShiftLeftAssign, ast::BinaryOperator::ShiftLeft}, {Tok::ShiftRightAssign, ast::BinaryOperator::ShiftRight},
    {Tok::AndAssign, ast::BinaryOperator::BitAnd},       {Tok::OrAssign, ast::BinaryOperator::BitOr},
    {Tok::XorAssign, ast::BinaryOperator::BitXor},
};
const AssignRow* compound_row(Tok kind) {
  if (kind < Tok::AddAssign || kind > Tok::XorAssign) return nullptr;
  return &kCompound[static_cast<std::size_t>(kind) - static_cast<std::size_t>(Tok::AddAssign)];
}

// How other languages declare a variable or a function.
constexpr std::string_view kForeignLet[] = {"var", "auto", "my", "local", "int", "string"};
constexpr std::string_view kForeignFn[] = {"function", "func", "def", "fun", "sub"};
bool contains(std::span<const std::string_view> words, std::string_view word) {
  for (const auto each : words) {
    if (each == word) return true;
  }
  return false;
}

}  // namespace

ast::Nodes Parser::statements(bool is_top_level) {
  const std::size_t begin = begin_list();
  while (!has_given_up_) {
    while (accept(Tok::Semicolon)) {}
    if (at(Tok::End) || at(Tok::CloseBrace) || at(Tok::TemplateMiddle) || at(Tok::TemplateEnd)) {
      if (!is_top_level || at(Tok::End)) break;
      fail(span(), "this `}` closes nothing");
      advance();
      panic_ = false;
      continue;
    }
    const std::uint32_t began = now_.begin;
    if (Node* node = statement(is_top_level)) push(node);
    if (is_block_over_) break;
    if (panic_) synchronize(Sync::Statement, began);
  }
  return take_list(begin);
}

Node* Parser::statement(bool is_top_level) {
  if (at(Tok::Fn) || at(Tok::Private)) return function(is_top_level), nullptr;
  Node* node = single_statement(is_top_level);
  if (!panic_) end_of_statement(node);
  return node;
}

void Parser::end_of_statement(const Node* statement) {
  if (accept(Tok::Semicolon) || at(Tok::CloseBrace) || at(Tok::End) || at(Tok::TemplateMiddle) || at(Tok::TemplateEnd)) return;
  if (at(Tok::Comma) && !open_.empty() && peek().kind == Tok::Directive) {  // the next one of a list of directives
    diagnostics_.error(open_.back(), "this `{` is not closed").with_help("`}` is missing before the next directive").with_note(span(), "here");
    is_block_over_ = true;
    return;
  }
  if (is_block_like(*statement, source_.text(statement->span))) return;
  if (at(Tok::Error)) {
    panic();
    return;
  }
  const Span here = behind(since(statement->span.begin));
  if (at(Tok::Assign)) {
    fail(span(), "unexpected `=`").with_help("assignment is a statement of its own and has no value; equality is written `==`");
    return;
  }
  if (now_.is_first_on_line) {
    diagnostics_.error(here, "`;` is missing").with_help("statements end with `;`; only the last one of a block may go without");
    return;  // as if it stood there
  }
  if (at(Tok::Colon) && (statement->kind == Kind::Name || statement->kind == Kind::String)) {
    fail(span(), "unexpected `:`").with_help("a map is written `#{ key: value }`; braces alone are a block");
    return;
  }
  fail(span(), "expected `;`, found " + describe_now()).with_help(std::string(hint_behind(*statement)));
}

// What was probably meant by a statement that goes on as none can.
std::string_view Parser::hint_behind(const Node& statement) const {
  switch (now_.kind) {
    case Tok::Arrow: return "a closure is written `|x| x + 1`; greater or equal is `>=`";
    case Tok::If: return "the condition stands first: `if condition { ... }`";
    case Tok::Comma:
    case Tok::CloseBracket:
      return statement.kind == Kind::Directive ? "directives stand in an array: `[ rule \"a\" || ..., rule \"b\" || ... ]`" : "";
    case Tok::String:
    case Tok::TemplateWhole:
    case Tok::TemplateStart:
      if (statement.kind != Kind::Name && statement.kind != Kind::Let) return {};
      return now_.follows_space ? "arguments stand in parentheses: `f(\"text\")`" : "values are put into a text as `${...}` between back-ticks";
    case Tok::Word:
      return statement.kind == Kind::Import ? "the name follows after `as`: `import \"path\" as name;`" : "";
    default: return {};
  }
}

Node* Parser::single_statement(bool is_top_level) {
  const bool outer = std::exchange(is_top_level_, is_top_level);
  Node* node = nullptr;
  switch (now_.kind) {
    case Tok::Let: node = let(false, is_top_level); break;
    case Tok::Const: node = let(true, is_top_level); break;
    case Tok::Export: node = export_statement(is_top_level); break;
    case Tok::Import: node = import_statement(is_top_level); break;
    case Tok::Break: node = leave_statement(Kind::Break); break;
    case Tok::Return: node = leave_statement(Kind::Return); break;
    case Tok::Throw: node = leave_statement(Kind::Throw); break;
    case Tok::Continue:
      node = make<ast::Continue>(Kind::Continue, span());
      advance();
      break;
    case Tok::Try: node = try_statement(); break;
    case Tok::OpenBrace: node = block("here"); break;
    case Tok::If: node = if_expression(); break;
    case Tok::Switch: node = switch_expression(); break;
    case Tok::While: node = while_loop(); break;
    case Tok::Do: node = do_loop(); break;
    case Tok::Loop: node = endless_loop(); break;
    case Tok::For: node = for_loop(); break;
    case Tok::Fn:
    case Tok::Private:
      function(false);
      node = error_node();
      break;
    case Tok::Word:
    case Tok::Reserved:
      node = foreign_statement(is_top_level);
      if (node == nullptr) node = expression_or_assignment();
      break;
    default: node = expression_or_assignment(); break;
  }
  is_top_level_ = outer;
  return node;
}

ast::Block* Parser::block(std::string_view where) {
  const Span opened = span();
  Nest nest(*this);
  if (!at(Tok::OpenBrace)) {
    if (!panic_) {
      fail(span(), "expected `{` " + std::string(where) + ", found " + describe_now())
          .with_help(at(Tok::Arrow) ? "greater or equal is written `>=`" : "the braces of a block are never left out");
    }
    return make<ast::Block>(Kind::Block, opened, ast::Nodes{});
  }
  if (nest.is_too_deep()) return make<ast::Block>(Kind::Block, opened, ast::Nodes{});
  Open open(*this);
  advance();
  const auto list = statements(false);
  if (!std::exchange(is_block_over_, false)) expect_closing(Tok::CloseBrace, opened);
  auto* node = make<ast::Block>(Kind::Block, since(opened.begin), list);
  raise(node, list);
  return node;
}

// The name of a new variable.
ast::Variable* Parser::declare(bool is_constant, bool is_top_level, std::string_view what) {
  if (!at(Tok::Word) || now_.text == "_") {
    if (at_word("_")) {
      fail(span(), "`_` is no name").with_help("a name needs at least one letter");
    } else if (!panic_) {
      fail_expected(is_word(now_.kind) ? "a name" : what);
    }
    return tree_.make<ast::Variable>(ast::Variable{.name = "?", .span = span()});
  }
  auto* variable = tree_.make<ast::Variable>(
      ast::Variable{.name = now_.text, .span = span(), .is_constant = is_constant, .is_top_level = is_top_level});
  advance();
  return variable;
}

Node* Parser::let(bool is_constant, bool is_top_level) {
  const std::uint32_t begin = now_.begin;
  advance();
  ast::Variable* variable = declare(is_constant, is_top_level, "the name of the variable");
  Node* value = nullptr;
  if (at(Tok::Colon) && !panic_) {
    fail(span(), "expected `=`, found `:`").with_help("variables have no declared type: `let " + std::string(variable->name) + " = ...`");
  } else if (at(Tok::Equal) && !panic_) {
    diagnostics_.error(span(), "expected `=`, found `==`");
    advance();
    value = expression();
  }
  if (!panic_ && accept(Tok::Assign)) value = expression();
  auto* node = make<ast::Let>(Kind::Let, since(begin), variable, value);
  raise(node, value);
  return node;
}

bool Parser::is_assignable(const Node& node) {
  switch (node.kind) {
    case Kind::Name:
    case Kind::This:
    case Kind::Error: return true;
    case Kind::Property: return is_assignable(*ast::as<ast::Property>(node).object);
    case Kind::Index: return is_assignable(*ast::as<ast::Index>(node).object);
    default: return false;
  }
}

Node* Parser::expression_or_assignment() {
  const std::uint32_t begin = now_.begin;
  Node* target = expression();
  if (panic_ || now_.kind < Tok::Assign || now_.kind > Tok::XorAssign) return target;
  if (!is_assignable(*target)) {
    auto& error = diagnostics_.error(target->span, "cannot assign to this");
    error.with_help("a variable, a property or an element of one can be assigned; equality is written `==`");
  }
  const AssignRow* row = compound_row(now_.kind);
  const Span op_span = span();
  advance();
  Node* value = expression();
  if (at(Tok::Assign) && !panic_) {
    fail(span(), "assignment is a statement and has no value").with_help("write one assignment after the other");
  }
  auto* node = make<ast::Assign>(Kind::Assign, since(begin), target, value, op_span, row != nullptr,
                                 row != nullptr ? row->op : ast::BinaryOperator::Add);
  raise(node, target);
  raise(node, value);
  return node;
}

// break, return and throw, each with a value or without.
Node* Parser::leave_statement(Kind kind) {
  const std::uint32_t begin = now_.begin;
  advance();
  Node* value = starts_expression() ? expression() : nullptr;
  Node* node = nullptr;
  switch (kind) {
    case Kind::Break: node = make<ast::Break>(kind, since(begin), value); break;
    case Kind::Return: node = make<ast::Return>(kind, since(begin), value); break;
    default: node = make<ast::Throw>(kind, since(begin), value); break;
  }
  raise(node, value);
  return node;
}

Node* Parser::try_statement() {
  const std::uint32_t begin = now_.begin;
  advance();
  ast::Block* guarded = block("after `try`");
  ast::Variable* error = nullptr;
  ast::Block* handler = guarded;
  if (!panic_ && !at(Tok::Catch)) {
    fail_expected("`catch`");
  } else if (!panic_) {
    advance();
    if (const Span opened = span(); accept(Tok::OpenParen)) {
      error = declare(false, false, "a name for the error");
      expect_closing(Tok::CloseParen, opened);
    }
    if (at(Tok::Word) && !panic_) {
      fail(span(), "expected `{` or `(` after `catch`, found " + describe_now()).with_help("write `catch (" + std::string(now_.text) + ") { ... }`");
    }
    if (!panic_) handler = block("after `catch`");
  }
  auto* node = make<ast::Try>(Kind::Try, since(begin), guarded, error, handler);
  raise(node, guarded);
  raise(node, handler);
  return node;
}

Node* Parser::import_statement(bool is_top_level) {
  const std::uint32_t begin = now_.begin;
  advance();
  Node* path = expression();
  if (!panic_ && path->kind != Kind::String) {
    auto& error = diagnostics_.error(path->span, "the path of an import must be a plain string");
    const std::string name = path->kind == Kind::Name ? std::string(ast::as<ast::Name>(*path).name) : std::string();
    error.with_help(name.empty() ? "imports are resolved before the script runs" : "write `import \"" + name + "\" as " + name + ";`");
  }
  std::string_view alias;
  Span alias_span = behind(path->span);
  if (!panic_ && accept(Tok::As)) {
    alias_span = span();
    if (at(Tok::Word) && now_.text != "_") {
      alias = now_.text;
      advance();
    } else {
      fail_expected("a name");
    }
  }
  auto* node = make<ast::Import>(Kind::Import, since(begin), path, alias, alias_span, is_top_level, -1);
  raise(node, path);
  imports_.push_back(node);
  return node;
}

Node* Parser::export_statement(bool is_top_level) {
  const std::uint32_t begin = now_.begin;
  if (!is_top_level) diagnostics_.error(span(), "`export` is possible only at the top level of a file");
  advance();
  if (at(Tok::Let) || at(Tok::Const)) {
    Node* declared = let(at(Tok::Const), is_top_level);
    auto* node = make<ast::Export>(Kind::Export, since(begin), &ast::as<ast::Let>(*declared), ast::List<ast::ExportItem>{});
    raise(node, declared);
    return node;
  }
  if (at(Tok::Declaration)) return expression();  // exported without a word
  if (at(Tok::Fn)) {
    fail(span(), "unexpected `fn`").with_help("functions are exported unless they are `private`");
    return error_node();
  }
  std::vector<ast::ExportItem> items;
  do {
    if (!at(Tok::Word)) return fail_expected("a name");
    ast::ExportItem item{now_.text, now_.text, span(), nullptr};
    advance();
    if (accept(Tok::As)) {
      if (!is_word(now_.kind)) return fail_expected("a name");
      item.as = now_.text;
      advance();
    }
    items.push_back(item);
  } while (accept(Tok::Comma));
  return make<ast::Export>(Kind::Export, since(begin), nullptr, tree_.list(items));
}

std::vector<ast::Variable*> Parser::parameters(Tok closing, Span opened) {
  std::vector<ast::Variable*> list;
  while (!at(closing) && !panic_) {
    ast::Variable* parameter = declare(false, false, "a parameter");
    parameter->is_parameter = true;
    list.push_back(parameter);
    if (at(Tok::Colon) && !panic_) fail(span(), "expected `,`, found `:`").with_help("parameters have no declared type");
    if (!panic_ && !accept(Tok::Comma)) break;
  }
  if (!panic_) expect_closing(closing, opened);
  return list;
}

void Parser::function(bool is_top_level) {
  const std::uint32_t begin = now_.begin;
  const std::string_view doc = doc_;
  const bool is_private = accept(Tok::Private);
  if (!at(Tok::Fn)) {
    fail_expected("`fn` after `private`");
    return;
  }
  if (!is_top_level) {
    diagnostics_.error(span(), "functions can be defined only at the top level of a file")
        .with_help("inside of a block use a closure: `let f = |a, b| { ... };` and `f.call(1, 2)`");
  }
  advance();
  auto* made = tree_.make<ast::Function>();
  made->doc = doc;
  made->is_private = is_private;
  made->name_span = span();
  made->name = now_.text;
  if (!at(Tok::Word) || now_.text == "_") {
    fail_expected(is_word(now_.kind) ? "a name" : "the name of the function");
    return;
  }
  advance();
  const Span opened = span();
  if (!expect(Tok::OpenParen, "after the name of the function")) return;
  made->body.parameters = tree_.list(parameters(Tok::CloseParen, opened));
  if (panic_) return;
  made->body.code = block("before the body of the function");
  made->span = since(begin);
  if (is_top_level) functions_.push_back(made);
}

// Null: nothing of that kind.
Node* Parser::foreign_statement(bool is_top_level) {
  const std::string_view word = now_.text;
  const bool is_let = contains(kForeignLet, word);
  const bool is_fn = !is_let && contains(kForeignFn, word);
  if ((!is_let && !is_fn) || (peek().kind != Tok::Word && now_.kind != Tok::Reserved) || peek().is_first_on_line) return nullptr;
  if (is_let) {
    if (now_.kind == Tok::Reserved) {
      diagnostics_.error(span(), "'" + std::string(word) + "' is a reserved keyword").with_help("variables are declared with `let`");
    } else {
      diagnostics_.error(span(), "unexpected `" + std::string(word) + "`").with_help("variables are declared with `let`, without a type");
    }
    return let(false, is_top_level);
  }
  fail(span(), "unexpected `" + std::string(word) + "`").with_help("functions are defined with `fn`");
  return error_node();
}

}  // namespace vsl
