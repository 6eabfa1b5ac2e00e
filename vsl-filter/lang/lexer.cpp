#include "vsl-filter/lang/lexer.h"

#include <algorithm>
#include <cstring>

#include "lib/base/utf8.h"

namespace vsl {
namespace {

enum : std::uint8_t { kStart = 1, kDigit = 2, kBlank = 4 };
constexpr auto kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (int c = 'a'; c <= 'z'; ++c) classes[c] = classes[c - 'a' + 'A'] = kStart;
  for (int c = '0'; c <= '9'; ++c) classes[c] = kDigit;
  classes['_'] = kStart;
  for (const char c : {' ', '\t', '\r', '\n', '\f'}) classes[static_cast<unsigned char>(c)] = kBlank;
  return classes;
}();
constexpr bool is(char c, std::uint8_t which) { return (kClasses[static_cast<unsigned char>(c)] & which) != 0; }

std::size_t slot_of(std::string_view word) {
  return word.size() * 31 + static_cast<unsigned char>(word.front()) * 7 + static_cast<unsigned char>(word.back()) * 61;
}

// What is probably meant by a symbol that the language keeps for itself.
struct ReservedSymbol {
  std::string_view text;
  std::string_view help;
};
constexpr auto kReservedSymbols = std::to_array<ReservedSymbol>({
    {"===", "equality is written `==`"},
    {"!==", "inequality is written `!=`"},
    {"->", "properties are read with `.`; the cases of a switch use `=>`"},
    {"<-", "write a blank between `<` and `-`"},
    {":=", "assignment is written `=`"},
    {":;", {}},
    {"...", "ranges are written `..` or, with the end included, `..=`"},
    {"++", "write `+= 1`"},
    {"--", "write `-= 1`; or a blank between the two signs"},
    {"::<", {}},
    {"<|", {}},
    {"|>", {}},
    {"(*", "comments are written `/* ... */`"},
    {"*)", "comments are written `/* ... */`"},
    {"!.", {}},
    {"#", "comments begin with `//`; a map is written `#{ key: value }`"},
    {"?", "there is no `? :`; write `if condition { a } else { b }`, which has a value"},
    {"~", {}},
    {"@", {}},
    {"$", "values are put into a text as `${...}` between back-ticks"},
});

}  // namespace

WordTable::WordTable(const Dialect& dialect) {
  for (const KeywordRow& row : keywords()) insert(row.word, {row.kind, 0});
  for (std::uint8_t i = 0; i < dialect.directives.size(); ++i) insert(dialect.directives[i].word, {Tok::Directive, i});
  for (std::uint8_t i = 0; i < dialect.declarations.size(); ++i) insert(dialect.declarations[i].word, {Tok::Declaration, i});
}

void WordTable::insert(std::string_view word, Meaning meaning) {
  std::size_t at = slot_of(word);
  while (!slots_[at % kSlots].word.empty()) ++at;
  slots_[at % kSlots] = {word, meaning};
}

WordTable::Meaning WordTable::find(std::string_view word) const {
  for (std::size_t at = slot_of(word);; ++at) {
    const Slot& slot = slots_[at % kSlots];
    if (slot.word.empty()) return {};
    if (slot.word == word) return slot.meaning;
  }
}

Lexer::Lexer(const Source& source, const Dialect& dialect, ast::Tree& tree, Diagnostics& diagnostics)
    : source_(source),
      tree_(tree),
      diagnostics_(diagnostics),
      words_(dialect),
      begin_(source.text().data()),
      at_(begin_),
      end_(begin_ + source.text().size()) {
  skip_prologue();
}

// A byte-order mark, and a first line #! that makes a script executable.
void Lexer::skip_prologue() {
  std::string_view text = source_.text();
  if (text.starts_with("\xEF\xBB\xBF")) at_ += 3;
  if (peek() == '#' && peek(1) == '!') {
    const void* end = std::memchr(at_, '\n', static_cast<std::size_t>(end_ - at_));
    at_ = end == nullptr ? end_ : static_cast<const char*>(end);
  }
}

Token Lexer::finish(Token token, Tok kind) const {
  token.kind = kind;
  token.end = offset(at_);
  return token;
}

Token Lexer::next() {
  // Who has so many errors has sent us no script.
  if (diagnostics_.errors() >= Diagnostics::kMostKept) stop();
  const char* const before = at_;
  doc_ = {};
  Token token;
  token.follows_space = skip_blanks();
  token.is_first_on_line = before == begin_ || std::memchr(before, '\n', static_cast<std::size_t>(at_ - before)) != nullptr;
  token.begin = token.end = offset(at_);
  if (at_ == end_) {
    if (!templates_.empty()) {
      const char* const start = templates_.front().begin;
      templates_.clear();
      is_cut_short_ = true;
      diagnostics_.error(span(start, start + 1), "this template is not closed").with_help("templates end with a back-tick; a `${` in it needs its `}`");
      return finish(token, Tok::Error);
    }
    return token;
  }
  const char c = *at_;
  if (is(c, kStart)) return word(token);
  if (is(c, kDigit)) return number(token);
  return symbol(token);
}

bool Lexer::skip_blanks() {
  const char* const before = at_;
  while (at_ < end_) {
    if (is(*at_, kBlank)) {
      ++at_;
    } else if (*at_ == '/' && peek(1) == '/') {
      skip_line_comment();
    } else if (*at_ == '/' && peek(1) == '*') {
      if (!skip_block_comment()) break;
    } else {
      break;
    }
  }
  return at_ != before;
}

// Doc comments one after the other are one.
void Lexer::remember_doc(const char* begin) {
  if (!doc_.empty()) begin = doc_.data();
  doc_ = std::string_view(begin, static_cast<std::size_t>(at_ - begin));
}

void Lexer::skip_line_comment() {
  const char* const begin = at_;
  const void* end = std::memchr(at_, '\n', static_cast<std::size_t>(end_ - at_));
  at_ = end == nullptr ? end_ : static_cast<const char*>(end);
  const std::string_view text(begin, static_cast<std::size_t>(at_ - begin));
  if (text.starts_with("///") && !text.starts_with("////")) return remember_doc(begin);
  doc_ = {};
  if (!text.starts_with("//!")) return;
  if (module_doc_.empty()) {
    module_doc_ = text;
  } else {
    const char* const behind = module_doc_.data() + module_doc_.size();
    if (std::all_of(behind, begin, [](char c) { return is(c, kBlank); })) {
      module_doc_ = std::string_view(module_doc_.data(), static_cast<std::size_t>(at_ - module_doc_.data()));
    }
  }
}

bool Lexer::skip_block_comment() {
  const char* const begin = at_;
  std::size_t open = 0;
  do {
    if (at_ + 1 >= end_) {
      at_ = end_;
      is_cut_short_ = true;
      diagnostics_.error(span(begin, begin + 2), "this comment is not closed").with_help("comments nest: each `/*` needs a `*/`");
      return false;
    }
    if (*at_ == '/' && at_[1] == '*') {
      ++open;
      at_ += 2;
    } else if (*at_ == '*' && at_[1] == '/') {
      --open;
      at_ += 2;
    } else {
      ++at_;
    }
  } while (open > 0);
  const std::string_view text(begin, static_cast<std::size_t>(at_ - begin));
  if (text.starts_with("/**") && text.size() > 4 && text[3] != '*') {
    remember_doc(begin);
  } else {
    doc_ = {};
  }
  return true;
}

Token Lexer::word(Token token) {
  const char* const begin = at_;
  do {
    ++at_;
  } while (at_ < end_ && is(*at_, kStart | kDigit));
  token.text = {begin, static_cast<std::size_t>(at_ - begin)};
  if (token.text.find_first_not_of('_') == std::string_view::npos) {
    // At least one letter (spec 1.1); "_" alone is the last case of a switch.
    if (token.text != "_") diagnostics_.error(span(begin, at_), "a name needs at least one letter");
    return finish(token, Tok::Word);
  }
  const auto meaning = words_.find(token.text);
  token.row = meaning.row;
  return finish(token, meaning.kind);
}

Token Lexer::reserved_symbol(Token token, std::size_t octets, std::string_view help) {
  const char* const begin = at_;
  at_ += octets;
  diagnostics_.error(span(begin, at_), "`" + std::string(begin, octets) + "` is a reserved symbol").with_help(std::string(help));
  return finish(token, Tok::Error);
}

Token Lexer::unexpected_character(Token token) {
  const char* const begin = at_;
  for (const ReservedSymbol& row : kReservedSymbols) {
    if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(row.text)) {
      return reserved_symbol(token, row.text.size(), row.help);
    }
  }
  at_ += std::max<std::size_t>(base::utf8::sequence_octets({at_, static_cast<std::size_t>(end_ - at_)}), 1);
  const std::string_view text(begin, static_cast<std::size_t>(at_ - begin));
  auto& error = diagnostics_.error(span(begin, at_), "unexpected character `" + std::string(text) + "`");
  if (text == "\xE2\x80\x9C" || text == "\xE2\x80\x9D" || text == "\xE2\x80\x9E") {
    error.with_help("strings stand between plain quotes: \"text\"");
  } else if (text.size() > 1) {
    error.with_help("names hold letters a to z, digits and `_` only; other characters belong into strings and comments");
  } else if (static_cast<unsigned char>(text.front()) < 0x20 || text.front() == 0x7f) {
    error.message = "unexpected control character " + std::to_string(static_cast<int>(text.front()));
  } else if (text.front() == '\\') {
    error.with_help("a statement goes on over line ends by itself");
  }
  return finish(token, Tok::Error);
}

// The longest symbol that fits.
Token Lexer::symbol(Token token) {
  const char c = *at_;
  const char second = peek(1);
  const char third = peek(2);
  const auto take = [&](std::size_t octets, Tok kind) {
    at_ += octets;
    return finish(token, kind);
  };
  switch (c) {
    case '(': return second == '*' ? unexpected_character(token) : take(1, Tok::OpenParen);
    case ')': return take(1, Tok::CloseParen);
    case '[': return take(1, Tok::OpenBracket);
    case ']': return take(1, Tok::CloseBracket);
    case ',': return take(1, Tok::Comma);
    case ';': return take(1, Tok::Semicolon);
    case '{':
      if (!templates_.empty()) ++templates_.back().braces;
      return take(1, Tok::OpenBrace);
    case '}':
      if (!templates_.empty()) {
        if (templates_.back().braces == 0) return ++at_, template_chunk(token, false);
        --templates_.back().braces;
      }
      return take(1, Tok::CloseBrace);
    case '#':
      if (second == '"' || second == '#') return raw_string(token);
      if (second != '{') return unexpected_character(token);
      if (!templates_.empty()) ++templates_.back().braces;
      return take(2, Tok::OpenMap);
    case '"': return string(token);
    case '\'': return character(token);
    case '`': return ++at_, template_chunk(token, true);
    case ':':
      if (second == ':') return third == '<' ? unexpected_character(token) : take(2, Tok::DoubleColon);
      return second == '=' || second == ';' ? unexpected_character(token) : take(1, Tok::Colon);
    case '.':
      if (second != '.') return take(1, Tok::Dot);
      if (third == '.') return unexpected_character(token);
      return third == '=' ? take(3, Tok::RangeInclusive) : take(2, Tok::Range);
    case '?':
      if (second == '?') return take(2, Tok::Coalesce);
      if (second == '.') return take(2, Tok::OptionalDot);
      if (second == '[') return take(2, Tok::OptionalBracket);
      return unexpected_character(token);
    case '=':
      if (second == '>') return take(2, Tok::Arrow);
      if (second != '=') return take(1, Tok::Assign);
      return third == '=' ? unexpected_character(token) : take(2, Tok::Equal);
    case '!':
      if (second == '=') return third == '=' ? unexpected_character(token) : take(2, Tok::NotEqual);
      if (second == 'i' && third == 'n' && !is(peek(3), kStart | kDigit)) return take(3, Tok::NotIn);
      return second == '.' ? unexpected_character(token) : take(1, Tok::Bang);
    case '+': return second == '+' ? unexpected_character(token) : second == '=' ? take(2, Tok::AddAssign) : take(1, Tok::Plus);
    case '-':
      if (second == '-' || second == '>') return unexpected_character(token);
      return second == '=' ? take(2, Tok::SubtractAssign) : take(1, Tok::Minus);
    case '*':
      if (second == ')') return unexpected_character(token);
      if (second == '*') return third == '=' ? take(3, Tok::PowerAssign) : take(2, Tok::Power);
      return second == '=' ? take(2, Tok::MultiplyAssign) : take(1, Tok::Multiply);
    case '/': return second == '=' ? take(2, Tok::DivideAssign) : take(1, Tok::Divide);
    case '%': return second == '=' ? take(2, Tok::ModuloAssign) : take(1, Tok::Modulo);
    case '<':
      if (second == '-' || second == '|') return unexpected_character(token);
      if (second == '<') return third == '=' ? take(3, Tok::ShiftLeftAssign) : take(2, Tok::ShiftLeft);
      return second == '=' ? take(2, Tok::LessEqual) : take(1, Tok::Less);
    case '>':
      if (second == '>') return third == '=' ? take(3, Tok::ShiftRightAssign) : take(2, Tok::ShiftRight);
      return second == '=' ? take(2, Tok::GreaterEqual) : take(1, Tok::Greater);
    case '&': return second == '&' ? take(2, Tok::AndAnd) : second == '=' ? take(2, Tok::AndAssign) : take(1, Tok::And);
    case '|':
      if (second == '>') return unexpected_character(token);
      return second == '|' ? take(2, Tok::OrOr) : second == '=' ? take(2, Tok::OrAssign) : take(1, Tok::Or);
    case '^': return second == '=' ? take(2, Tok::XorAssign) : take(1, Tok::Xor);
    default: return unexpected_character(token);
  }
}

}  // namespace vsl
