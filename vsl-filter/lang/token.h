// Words and symbols of the language.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vsl {

enum class Tok : std::uint8_t {
  End,
  Error,  // reported already: the parser gives up what it was reading without another word
  // literals
  Int, Float, Char, String,
  TemplateWhole,   // `text`
  TemplateStart,   // `text${
  TemplateMiddle,  // }text${
  TemplateEnd,     // }text`
  // words
  Word,
  As, Break, Catch, Const, Continue, Do, Else, Export, False, Fn, For, Global, If, Import, In, Is, Let, Loop, Not, Private, Return,
  Switch, This, Throw, True, Try, Until, While,
  Callable,     // print, type_of, Fn ...: reserved, but functions
  Reserved,     // var, match, ...: reserved and nothing else
  Directive,    // of the dialect; Token::row says which
  Declaration,  // of the dialect
  // symbols
  OpenParen, CloseParen, OpenBrace, CloseBrace, OpenBracket, CloseBracket, OpenMap,
  Comma, Semicolon, Colon, DoubleColon, Dot, OptionalDot, OptionalBracket, Arrow,
  Assign, AddAssign, SubtractAssign, MultiplyAssign, DivideAssign, ModuloAssign, PowerAssign,
  ShiftLeftAssign, ShiftRightAssign, AndAssign, OrAssign, XorAssign,
  ShiftLeft, ShiftRight, Power, Multiply, Divide, Modulo, Plus, Minus, Range, RangeInclusive, Coalesce,
  Less, LessEqual, Greater, GreaterEqual, NotIn, Equal, NotEqual, AndAnd, And, OrOr, Or, Xor, Bang,
};

struct Token {
  Tok kind = Tok::End;
  bool is_first_on_line = false;
  bool follows_space = false;  // white space or a comment stands before it
  std::uint8_t row = 0;        // Directive, Declaration: index in the dialect
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  // A word as written; the octets of a string, escapes resolved.
  std::string_view text;
  union {
    std::uint64_t integer = 0;  // up to 2^63: the parser knows whether a minus stands before it
    double real;
    char32_t character;
  };
};

// Whether it is written with letters: after `.` and as a key of a map all of these are plain names.
constexpr bool is_word(Tok kind) { return kind >= Tok::Word && kind <= Tok::Declaration; }

struct KeywordRow {
  std::string_view word;
  Tok kind;
};
// Spec 1.1 and appendix B, without the words of the dialect.
std::span<const KeywordRow> keywords();
// How a symbol is written; empty for other kinds.
std::string_view symbol_text(Tok kind);

}  // namespace vsl
