#include "vsl-filter/lang/parser.h"

#include <algorithm>
#include <cstring>

#include "lib/base/utf8.h"
#include "vsl-filter/lang/parser_state.h"

namespace vsl {
namespace {

// Where the first octet stands that is not well-formed UTF-8.
std::optional<std::uint32_t> find_bad_octet(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t eight = 0;
    if (at + sizeof eight <= text.size()) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & 0x8080808080808080U) == 0) {
        at += sizeof eight;
        continue;
      }
    }
    const auto octets = base::utf8::sequence_octets(text.substr(at));
    if (octets == 0) return static_cast<std::uint32_t>(at);
    at += octets;
  }
  return std::nullopt;
}

std::string hex(unsigned char octet) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return {'0', 'x', kDigits[octet >> 4], kDigits[octet & 15]};
}

}  // namespace

std::unique_ptr<ast::Tree> parse(const Source& source, const Dialect& dialect, Diagnostics& diagnostics, const ParseLimits& limits) {
  const std::string_view text = source.text();
  auto tree = std::make_unique<ast::Tree>(std::clamp<std::size_t>(text.size() * 8, 4096, 1U << 20));
  tree->script.source = &source;
  tree->script.body.code = tree->make<ast::Block>(ast::Node{ast::Kind::Block, 1, {source.id(), 0, 0}}, ast::Nodes{});
  if (text.size() > limits.source_octets) {
    diagnostics.error({source.id(), 0, 0}, "script of " + std::to_string(text.size()) + " octets; the limit is " +
                                               std::to_string(limits.source_octets));
    return tree;
  }
  if (const auto bad = find_bad_octet(text)) {
    diagnostics.error({source.id(), *bad, *bad + 1}, "invalid UTF-8: octet " + hex(static_cast<unsigned char>(text[*bad])))
        .with_help("scripts are written in UTF-8; a file in ISO 8859-1 is converted by `iconv -f latin1 -t utf8`");
    return tree;
  }
  Parser(source, dialect, *tree, diagnostics, limits).parse_script();
  return tree;
}

Parser::Parser(const Source& source, const Dialect& dialect, ast::Tree& tree, Diagnostics& diagnostics, const ParseLimits& limits)
    : source_(source), dialect_(dialect), tree_(tree), diagnostics_(diagnostics), limits_(limits), lexer_(source, dialect, tree, diagnostics) {
  now_ = lexer_.next();
  doc_ = lexer_.doc();
}

void Parser::parse_script() {
  ast::Script& script = tree_.script;
  const auto list = statements(true);
  auto* code = make<ast::Block>(ast::Kind::Block, Span{source_.id(), 0, static_cast<std::uint32_t>(source_.text().size())}, list);
  raise(code, list);
  script.body.code = code;
  script.functions = tree_.list(functions_);
  script.imports = tree_.list(imports_);
  script.doc = lexer_.module_doc();
}

// --- tokens

const Token& Parser::peek() {
  if (!peeked_) peeked_ = lexer_.next();
  return *peeked_;
}

void Parser::advance() {
  previous_end_ = now_.end;
  if (peeked_) {
    now_ = *peeked_;
    peeked_.reset();
    doc_ = {};
  } else {
    now_ = lexer_.next();
    doc_ = lexer_.doc();
  }
}

bool Parser::expect(Tok kind, std::string_view where) {
  if (accept(kind)) return true;
  if (!panic_) fail_expected("`" + std::string(symbol_text(kind)) + "` " + std::string(where));
  return false;
}

bool Parser::expect_closing(Tok kind, Span opened) {
  if (accept(kind)) return true;
  if (panic_) return false;
  if (at(Tok::Error)) return panic(), false;
  const std::string closing(symbol_text(kind));
  if (at(Tok::End)) {
    fail(opened, "this `" + std::string(source_.text(opened)) + "` is not closed").with_help("`" + closing + "` is missing before the end of the file");
    return false;
  }
  fail(span(), "expected `" + closing + "`, found " + describe_now()).with_note(opened, "to close this");
  return false;
}

// --- errors

std::string Parser::describe_now() const {
  switch (now_.kind) {
    case Tok::End: return "the end of the file";
    case Tok::String: return "a string";
    case Tok::TemplateWhole:
    case Tok::TemplateStart: return "a template";
    case Tok::TemplateMiddle:
    case Tok::TemplateEnd: return "`}` of a template";
    default: return "`" + std::string(source_.text(span())) + "`";
  }
}

void Parser::panic() {
  panic_ = true;
  open_at_panic_.clear();
  for (const Span& bracket : open_) open_at_panic_ += source_.text()[bracket.end - 1];
}

Diagnostic& Parser::fail(Span where, std::string message) {
  static thread_local Diagnostic silenced;
  if (panic_) return silenced = Diagnostic{};
  panic();
  if (at(Tok::End)) {  // whatever follows is a consequence
    has_given_up_ = true;
    if (lexer_.is_cut_short()) return silenced = Diagnostic{};
  }
  return diagnostics_.error(where, std::move(message));
}

ast::Node* Parser::fail_expected(std::string_view what) {
  ast::Node* node = error_node();
  if (at(Tok::Error)) {
    panic();  // the lexer has told it
  } else if (now_.kind == Tok::Reserved || (is_word(now_.kind) && now_.kind != Tok::Word && what == "a name")) {
    fail(span(), "'" + std::string(now_.text) + "' is a reserved keyword").with_help("another name is needed here");
  } else {
    const bool is_template = at(Tok::TemplateMiddle) || at(Tok::TemplateEnd);
    const Span where = is_template ? Span{source_.id(), now_.begin, now_.begin + 1} : span();  // its `}`, without the text behind it
    auto& error = fail(where, "expected " + std::string(what) + ", found " + describe_now());
    if (at(Tok::End) && !open_.empty()) error.with_note(open_.back(), "this `" + std::string(source_.text(open_.back())) + "` is not closed");
  }
  return node;
}

void Parser::give_up(Span where, std::string message) {
  fail(where, std::move(message));
  has_given_up_ = panic_ = true;
  lexer_.stop();
  peeked_.reset();
  now_.kind = Tok::End;
}

bool Parser::Nest::is_too_deep() {
  if (parser_.nesting_ <= parser_.limits_.nesting) return false;
  if (!parser_.has_given_up_) {
    parser_.panic_ = false;
    parser_.give_up(parser_.span(), "Expression exceeds maximum complexity: more than " + std::to_string(parser_.limits_.nesting) +
                                        " expressions and blocks in each other");
  }
  return true;
}

// Whether `now` is where the next thing of that kind begins or its list ends. `is_inside`: some bracket is open that was opened in what
// is skipped; commas are then not ours.
bool Parser::is_sync_point(Sync to, bool is_inside) {
  if (now_.is_first_on_line && at(Tok::Directive) && (to != Sync::Statement || !is_inside)) return true;
  if (now_.is_first_on_line && at(Tok::Fn) && source_.locate(now_.begin).column == 1) return true;
  if (is_inside) return false;
  switch (to) {
    case Sync::Element: return at(Tok::Comma) || at(Tok::Semicolon) || at(Tok::CloseBracket) || at(Tok::CloseBrace);
    case Sync::Entry: return at(Tok::Comma) || at(Tok::Semicolon) || at(Tok::CloseBrace);
    case Sync::Statement: break;
  }
  if (at(Tok::Semicolon) || at(Tok::CloseBrace) || at(Tok::TemplateMiddle) || at(Tok::TemplateEnd)) return true;
  if (!now_.is_first_on_line) return false;
  switch (now_.kind) {
    case Tok::Break: case Tok::Const: case Tok::Continue: case Tok::Do: case Tok::Export: case Tok::Fn: case Tok::For: case Tok::If:
    case Tok::Import: case Tok::Let: case Tok::Loop: case Tok::Private: case Tok::Return: case Tok::Switch: case Tok::Throw: case Tok::Try:
    case Tok::While: case Tok::Declaration: return true;
    default: return false;
  }
}

// `began`: where what failed began; at least one token is eaten, so that every list comes to its end.
void Parser::synchronize(Sync to, std::uint32_t began) {
  if (has_given_up_) return;
  // Brackets opened within what failed. Statements end so clearly that a bracket forgotten in them is not waited for.
  std::string inside;
  if (to != Sync::Statement && open_at_panic_.size() > open_.size()) inside = open_at_panic_.substr(open_.size());
  bool must_eat = now_.begin == began;
  for (; !at(Tok::End); advance(), must_eat = false) {
    const auto close = [&](char bracket) {
      const auto opened = inside.rfind(bracket);
      if (opened == std::string::npos) return false;
      inside.resize(opened);
      return true;
    };
    switch (now_.kind) {
      case Tok::CloseParen: close('('); continue;
      case Tok::CloseBracket: if (close('[')) continue; break;
      case Tok::CloseBrace: if (close('{')) continue; break;
      case Tok::TemplateEnd: if (close('`')) continue; break;
      default: break;
    }
    // A closing bracket that none of ours opened ends what is around us.
    if (at(Tok::CloseBracket) || at(Tok::CloseBrace)) inside.clear();
    if (!must_eat && is_sync_point(to, !inside.empty())) break;
    switch (now_.kind) {
      case Tok::OpenParen: inside += '('; break;
      case Tok::OpenBracket: case Tok::OptionalBracket: inside += '['; break;
      case Tok::OpenBrace: case Tok::OpenMap: inside += '{'; break;
      case Tok::TemplateStart: inside += '`'; break;
      default: break;
    }
  }
  if (at(Tok::End) && lexer_.is_cut_short()) has_given_up_ = true;
  panic_ = has_given_up_;
}

// --- nodes

void Parser::raise(ast::Node* node, const ast::Node* child) {
  if (child == nullptr || child->height < node->height) return;
  if (child->height >= limits_.height) {
    if (!has_given_up_) {
      panic_ = false;
      give_up(child->span, "Expression exceeds maximum complexity: more than " + std::to_string(limits_.height) + " operators and calls in a chain");
    }
    return;
  }
  node->height = static_cast<std::uint16_t>(child->height + 1);
}

void Parser::raise(ast::Node* node, ast::Nodes children) {
  for (const ast::Node* child : children) raise(node, child);
}

ast::Nodes Parser::take_list(std::size_t begin) {
  const auto list = tree_.list(std::span<ast::Node* const>(collected_).subspan(begin));
  collected_.resize(begin);
  return list;
}

}  // namespace vsl
