#include "vsl-filter/lang/token.h"

#include <array>

namespace vsl {
namespace {

constexpr auto kKeywords = std::to_array<KeywordRow>({
    {"as", Tok::As},           {"break", Tok::Break},       {"catch", Tok::Catch},       {"const", Tok::Const},
    {"continue", Tok::Continue}, {"do", Tok::Do},           {"else", Tok::Else},         {"export", Tok::Export},
    {"false", Tok::False},     {"fn", Tok::Fn},             {"for", Tok::For},           {"global", Tok::Global},
    {"if", Tok::If},           {"import", Tok::Import},     {"in", Tok::In},             {"is", Tok::Is},
    {"let", Tok::Let},         {"loop", Tok::Loop},         {"not", Tok::Not},           {"private", Tok::Private},
    {"return", Tok::Return},   {"switch", Tok::Switch},     {"this", Tok::This},         {"throw", Tok::Throw},
    {"true", Tok::True},       {"try", Tok::Try},           {"until", Tok::Until},       {"while", Tok::While},

    {"Fn", Tok::Callable},     {"call", Tok::Callable},     {"curry", Tok::Callable},    {"debug", Tok::Callable},
    {"eval", Tok::Callable},   {"is_def_fn", Tok::Callable}, {"is_def_var", Tok::Callable}, {"is_shared", Tok::Callable},
    {"print", Tok::Callable},  {"type_of", Tok::Callable},

    {"async", Tok::Reserved},  {"await", Tok::Reserved},    {"case", Tok::Reserved},     {"default", Tok::Reserved},
    {"go", Tok::Reserved},     {"goto", Tok::Reserved},     {"match", Tok::Reserved},    {"module", Tok::Reserved},
    {"new", Tok::Reserved},    {"nil", Tok::Reserved},      {"null", Tok::Reserved},     {"package", Tok::Reserved},
    {"protected", Tok::Reserved}, {"public", Tok::Reserved}, {"shared", Tok::Reserved},  {"spawn", Tok::Reserved},
    {"static", Tok::Reserved}, {"super", Tok::Reserved},    {"sync", Tok::Reserved},     {"thread", Tok::Reserved},
    {"use", Tok::Reserved},    {"var", Tok::Reserved},      {"void", Tok::Reserved},     {"with", Tok::Reserved},
    {"yield", Tok::Reserved},
});

struct SymbolRow {
  Tok kind;
  std::string_view text;
};
constexpr auto kSymbols = std::to_array<SymbolRow>({
    {Tok::OpenParen, "("},       {Tok::CloseParen, ")"},      {Tok::OpenBrace, "{"},       {Tok::CloseBrace, "}"},
    {Tok::OpenBracket, "["},     {Tok::CloseBracket, "]"},    {Tok::OpenMap, "#{"},        {Tok::Comma, ","},
    {Tok::Semicolon, ";"},       {Tok::Colon, ":"},           {Tok::DoubleColon, "::"},    {Tok::Dot, "."},
    {Tok::OptionalDot, "?."},    {Tok::OptionalBracket, "?["}, {Tok::Arrow, "=>"},         {Tok::Assign, "="},
    {Tok::AddAssign, "+="},      {Tok::SubtractAssign, "-="}, {Tok::MultiplyAssign, "*="}, {Tok::DivideAssign, "/="},
    {Tok::ModuloAssign, "%="},   {Tok::PowerAssign, "**="},   {Tok::ShiftLeftAssign, "<<="}, {Tok::ShiftRightAssign, ">>="},
    {Tok::AndAssign, "&="},      {Tok::OrAssign, "|="},       {Tok::XorAssign, "^="},      {Tok::ShiftLeft, "<<"},
    {Tok::ShiftRight, ">>"},     {Tok::Power, "**"},          {Tok::Multiply, "*"},        {Tok::Divide, "/"},
    {Tok::Modulo, "%"},          {Tok::Plus, "+"},            {Tok::Minus, "-"},           {Tok::Range, ".."},
    {Tok::RangeInclusive, "..="}, {Tok::Coalesce, "??"},      {Tok::Less, "<"},            {Tok::LessEqual, "<="},
    {Tok::Greater, ">"},         {Tok::GreaterEqual, ">="},   {Tok::NotIn, "!in"},         {Tok::Equal, "=="},
    {Tok::NotEqual, "!="},       {Tok::AndAnd, "&&"},         {Tok::And, "&"},             {Tok::OrOr, "||"},
    {Tok::Or, "|"},              {Tok::Xor, "^"},             {Tok::Bang, "!"},
});
constexpr bool is_complete() {
  for (std::size_t i = 0; i < kSymbols.size(); ++i) {
    if (kSymbols[i].kind != static_cast<Tok>(static_cast<std::size_t>(Tok::OpenParen) + i)) return false;
  }
  return kSymbols.back().kind == Tok::Bang;
}
static_assert(is_complete(), "indexed by kind, in the order of the enumeration");

}  // namespace

std::span<const KeywordRow> keywords() { return kKeywords; }

std::string_view symbol_text(Tok kind) {
  if (kind < Tok::OpenParen || kind > Tok::Bang) return {};
  return kSymbols[static_cast<std::size_t>(kind) - static_cast<std::size_t>(Tok::OpenParen)].text;
}

}  // namespace vsl
