// editor_help vim | vscode: prints the syntax file of an editor, made from the words of the language, of the dialect of rules and of
// the API. Tests compare it with share/vim/syntax/vsl.vim and share/vscode/syntaxes/vsl.tmLanguage.json; `make generated` writes them.
#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <string>
#include <string_view>

#include "lib/base/text.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/lang/token.h"
#include "vsl-filter/stages/rule_set.h"

namespace {

using Words = std::set<std::string, std::less<>>;

// What a word is to a reader; the lexer only knows what it is to the parser.
enum class Look { Control, Declaration, Import, Operator, Literal, Callable, Reserved };
struct LookRow {
  std::string_view word;
  Look look;
};
constexpr auto kLooks = std::to_array<LookRow>({
    {"if", Look::Control},        {"else", Look::Control},      {"switch", Look::Control},  {"for", Look::Control},
    {"while", Look::Control},     {"loop", Look::Control},      {"do", Look::Control},      {"until", Look::Control},
    {"break", Look::Control},     {"continue", Look::Control},  {"return", Look::Control},  {"throw", Look::Control},
    {"try", Look::Control},       {"catch", Look::Control},     {"let", Look::Declaration}, {"const", Look::Declaration},
    {"fn", Look::Declaration},    {"private", Look::Declaration}, {"import", Look::Import}, {"export", Look::Import},
    {"as", Look::Import},         {"global", Look::Import},     {"in", Look::Operator},     {"is", Look::Operator},
    {"not", Look::Operator},      {"true", Look::Literal},      {"false", Look::Literal},   {"this", Look::Literal},
});

struct Vocabulary {
  Words looks[7];
  Words directives, declarations, types, stages, functions, spaces, constants;
  [[nodiscard]] const Words& of(Look look) const { return looks[static_cast<std::size_t>(look)]; }
};

// A namespace a::b is `a` and `b`.
void add_spaces(Words& spaces, std::string_view space) {
  for (const auto part : base::text::split(space, ':'))
    if (!part.empty()) spaces.emplace(part);
}

void add_api(Vocabulary& words) {
  const rules::Site site;
  const rules::Api api(site);
  for (const vsl::NativeRow* row : api.natives().rows()) {
    if (std::ranges::find(rules::kDialect.declarations, row->name, &vsl::DeclarationKeyword::constructor) != rules::kDialect.declarations.end()) continue;
    words.functions.emplace(row->name);
    for (const auto alias : base::text::split(row->aliases, ' '))
      if (!alias.empty()) words.functions.emplace(alias);
    add_spaces(words.spaces, row->space);
  }
  api.natives().each_constant([&](const vsl::NativeConstant& constant) {
    if (constant.space.empty()) words.constants.emplace(constant.name);
    add_spaces(words.spaces, constant.space);
  });
}

// False: a keyword whose look nobody has said.
bool add_keywords(Vocabulary& words) {
  for (const vsl::KeywordRow& keyword : vsl::keywords()) {
    auto look = Look::Reserved;
    if (keyword.kind == vsl::Tok::Callable) {
      look = Look::Callable;
    } else if (keyword.kind != vsl::Tok::Reserved) {
      const auto row = std::ranges::find(kLooks, keyword.word, &LookRow::word);
      if (row == kLooks.end()) {
        std::fprintf(stderr, "editor_help: kLooks has no row for the keyword %.*s\n", static_cast<int>(keyword.word.size()), keyword.word.data());
        return false;
      }
      look = row->look;
    }
    words.looks[static_cast<std::size_t>(look)].emplace(keyword.word);
  }
  return true;
}

void add_dialect(Vocabulary& words) {
  for (const auto& directive : rules::kDialect.directives) words.directives.emplace(directive.word);
  words.directives.emplace("test");  // of test files
  for (const auto& declaration : rules::kDialect.declarations) {
    words.declarations.emplace(declaration.word);
    if (!declaration.legacy_word.empty()) words.declarations.emplace(declaration.legacy_word);
    for (const auto type : declaration.types) words.types.emplace(type);
    for (const auto prefix : declaration.prefixes) words.types.emplace(prefix);
  }
  for (const rules::StageRow& stage : rules::kStages) {
    words.stages.emplace(stage.name);
    for (const auto alias : base::text::split(stage.aliases, ' ')) words.stages.emplace(alias);
  }
}

std::string joined(const Words& words, std::string_view between) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : std::string(between)) + word;
  return text;
}

// ---- vim --------------------------------------------------------------------------------------------------------------

constexpr std::string_view kVimHead = R"V(" Rules of vSMTP (vSL): see vsl(7).
" Made by tests/tools/editor_help.cpp from the tables of the language and of the API.
if exists('b:current_syntax')
  finish
endif
let s:saved_cpo = &cpo
set cpo&vim
syntax case match
syntax sync minlines=300

)V";

constexpr std::string_view kVimTail = R"V(
" Stages stand before a colon. Elsewhere their names are ordinary words, and behind a dot and as keys all words are.
syntax match vslMember "\.\s*\h\w*" contains=vslFunction,vslCallable
syntax match vslNamespace "\<\h\w*\ze::"
syntax match vslNumber "\<\d[0-9_]*\%(\.\%(\.\|\h\)\@!\d*\)\?\%([eE][+-]\?\d[0-9_]*\)\?"
syntax match vslNumber "\<0[xX][0-9a-fA-F_]\+\>\|\<0[oO][0-7_]\+\>\|\<0[bB][01_]\+\>"

syntax match vslEscape contained "\\[tnr\\\"']\|\\x\x\{2}\|\\u\x\{4}\|\\U\x\{8}\|\"\"\|\\$"
syntax match vslCharacter "'\%([^'\\]\|\\[tnr\\\"']\|\\x\x\{2}\|\\u\x\{4}\|\\U\x\{8}\)'"
syntax region vslString start=+"+ skip=+\\\\\|\\"\|""+ end=+"+ contains=vslEscape
syntax region vslRawString start=+\z(#\+\)"+ end=+"\z1+
syntax region vslTemplate start=+`+ skip=+``\|\\\${+ end=+`+ contains=vslInterpolation
syntax region vslInterpolation contained matchgroup=vslInterpolationMark start=+${+ end=+}+ contains=TOP
syntax region vslBlock transparent start=+{+ end=+}+ contains=TOP fold

syntax keyword vslTodo contained TODO FIXME XXX NOTE
syntax region vslComment start="//" end="$" oneline contains=vslTodo,@Spell
syntax region vslDocComment start="//[/!]" end="$" oneline contains=vslTodo,@Spell
syntax region vslComment start="/\*" end="\*/" contains=vslComment,vslTodo,@Spell
syntax match vslComment "\%^#!.*"

highlight default link vslControl Statement
highlight default link vslDeclaration Keyword
highlight default link vslImport Include
highlight default link vslOperator Operator
highlight default link vslLiteral Constant
highlight default link vslCallable Function
highlight default link vslReserved Error
highlight default link vslDirective Keyword
highlight default link vslObject StorageClass
highlight default link vslType Type
highlight default link vslStage Label
highlight default link vslFunction Function
highlight default link vslConstant Constant
highlight default link vslNamespace Identifier
highlight default link vslNumber Number
highlight default link vslEscape SpecialChar
highlight default link vslCharacter Character
highlight default link vslString String
highlight default link vslRawString String
highlight default link vslTemplate String
highlight default link vslInterpolationMark Special
highlight default link vslTodo Todo
highlight default link vslComment Comment
highlight default link vslDocComment SpecialComment

let b:current_syntax = 'vsl'
let &cpo = s:saved_cpo
unlet s:saved_cpo
)V";

std::string vim_keywords(std::string_view group, const Words& words) {
  constexpr std::size_t kWidth = 130;
  std::string text, line = "syntax keyword " + std::string(group);
  for (const auto& word : words) {
    if (line.size() + word.size() > kWidth) {
      text += line + "\n";
      line = "syntax keyword " + std::string(group);
    }
    line += " " + word;
  }
  return words.empty() ? std::string() : text + line + "\n";
}

// What `:syntax keyword` takes for an option.
constexpr auto kVimOptions = std::to_array<std::string_view>({"cchar", "conceal", "concealends", "contained", "containedin", "contains", "display",
                                                              "excludenl", "extend", "fold", "keepend", "matchgroup", "nextgroup", "oneline", "skipempty",
                                                              "skipnl", "skipwhite", "transparent"});

// Keywords win over matches, so functions with the name of a stage or type are matches: `mail: [`, `object x address`.
std::string vim_functions(const Vocabulary& words) {
  Words alone, shared;
  for (const auto& name : words.functions) {
    const bool is_shared = words.stages.contains(name) || words.types.contains(name) || std::ranges::find(kVimOptions, name) != kVimOptions.end();
    (is_shared ? shared : alone).insert(name);
  }
  return vim_keywords("vslFunction", alone) + "syntax match vslFunction \"\\<\\%(" + joined(shared, "\\|") + "\\)\\>\\ze\\s*!\\?(\"\n";
}

std::string vim(const Vocabulary& words) {
  std::string text(kVimHead);
  // Of words that are in several groups the last one counts.
  text += vim_keywords("vslConstant", words.constants) + vim_functions(words);
  text += vim_keywords("vslCallable", words.of(Look::Callable)) + vim_keywords("vslControl", words.of(Look::Control));
  text += vim_keywords("vslDeclaration", words.of(Look::Declaration)) + vim_keywords("vslImport", words.of(Look::Import));
  text += vim_keywords("vslOperator", words.of(Look::Operator)) + vim_keywords("vslLiteral", words.of(Look::Literal));
  text += vim_keywords("vslReserved", words.of(Look::Reserved)) + vim_keywords("vslDirective", words.directives);
  text += "\n\" `object NAME TYPE = ...`, `service NAME db:KIND = ...`\n";
  text += "syntax match vslObject \"\\<\\%(" + joined(words.declarations, "\\|") + "\\)\\>\\ze\\s\\+[\\\"A-Za-z_]\"\n";
  text += "syntax match vslType \"\\%(\\<\\%(" + joined(words.declarations, "\\|") + "\\)\\s\\+\\h\\w*\\s\\+\\)\\@<=\\h\\w*\\%(:\\h\\w*\\)\\?\"\n";
  text += "syntax match vslStage \"\\<\\%(" + joined(words.stages, "\\|") + "\\)\\>\\ze\\s*:[^:]\"\n";
  return text + std::string(kVimTail);
}

// ---- VS Code ----------------------------------------------------------------------------------------------------------

constexpr std::string_view kGrammar = R"J({
  "$comment": "Made by tests/tools/editor_help.cpp from the tables of the language and of the API.",
  "name": "vSL",
  "scopeName": "source.vsl",
  "fileTypes": ["vsl"],
  "patterns": [{ "include": "#everything" }],
  "repository": {
    "everything": {
      "patterns": [
        { "include": "#comments" },
        { "include": "#texts" },
        { "include": "#numbers" },
        { "include": "#declarations" },
        { "include": "#members" },
        { "include": "#words" },
        { "include": "#blocks" }
      ]
    },
    "comments": {
      "patterns": [
        { "name": "comment.line.shebang.vsl", "match": "\\A#!.*$" },
        { "name": "comment.line.documentation.vsl", "match": "//[/!].*$" },
        { "name": "comment.line.double-slash.vsl", "match": "//.*$" },
        { "include": "#blockComment" }
      ]
    },
    "blockComment": {
      "name": "comment.block.vsl", "begin": "/\\*", "end": "\\*/",
      "patterns": [{ "include": "#blockComment" }]
    },
    "texts": {
      "patterns": [
        { "name": "string.quoted.double.raw.vsl", "begin": "(#+)\"", "end": "\"\\1" },
        {
          "name": "string.quoted.double.vsl", "begin": "\"", "end": "\"(?!\")",
          "patterns": [
            { "name": "constant.character.escape.vsl", "match": "\"\"|\\\\([tnr\\\\\"']|x\\h{2}|u\\h{4}|U\\h{8}|$)" },
            { "name": "invalid.illegal.escape.vsl", "match": "\\\\." }
          ]
        },
        {
          "name": "string.interpolated.vsl", "begin": "`", "end": "`(?!`)",
          "patterns": [
            { "name": "constant.character.escape.vsl", "match": "``|\\\\\\$\\{" },
            {
              "name": "meta.embedded.line.vsl", "begin": "\\$\\{", "end": "\\}",
              "beginCaptures": { "0": { "name": "punctuation.section.embedded.begin.vsl" } },
              "endCaptures": { "0": { "name": "punctuation.section.embedded.end.vsl" } },
              "patterns": [{ "include": "#everything" }]
            }
          ]
        },
        { "name": "string.quoted.single.vsl", "match": "'([^'\\\\]|\\\\([tnr\\\\\"']|x\\h{2}|u\\h{4}|U\\h{8}))'" }
      ]
    },
    "numbers": {
      "patterns": [
        { "name": "constant.numeric.hex.vsl", "match": "\\b0[xX][0-9a-fA-F_]+\\b" },
        { "name": "constant.numeric.octal.vsl", "match": "\\b0[oO][0-7_]+\\b" },
        { "name": "constant.numeric.binary.vsl", "match": "\\b0[bB][01_]+\\b" },
        { "name": "constant.numeric.vsl", "match": "\\b[0-9][0-9_]*(\\.(?![.A-Za-z_])[0-9_]*)?([eE][+-]?[0-9_]+)?" }
      ]
    },
    "declarations": {
      "patterns": [
        {
          "match": "\\b(@DECLARATIONS@)\\s+([A-Za-z_]\\w*)\\s+([A-Za-z_]\\w*(?::[A-Za-z_]\\w*)?)",
          "captures": {
            "1": { "name": "storage.type.vsl" },
            "2": { "name": "variable.other.constant.vsl" },
            "3": { "name": "support.type.vsl" }
          }
        },
        {
          "match": "\\b(fn)\\s+([A-Za-z_]\\w*)",
          "captures": { "1": { "name": "keyword.declaration.vsl" }, "2": { "name": "entity.name.function.vsl" } }
        },
        {
          "match": "\\b(@DIRECTIVES@)\\b(?=[^:.]*\")",
          "name": "keyword.other.directive.vsl"
        },
        { "match": "\\b(@STAGES@)(?=\\s*:[^:])", "name": "entity.name.section.vsl" }
      ]
    },
    "members": {
      "patterns": [
        { "match": "(?<!\\.)\\.\\s*(@FUNCTIONS@)\\b", "captures": { "1": { "name": "support.function.vsl" } } },
        { "match": "(?<!\\.)\\.\\s*([A-Za-z_]\\w*)", "captures": { "1": { "name": "variable.other.member.vsl" } } },
        { "match": "\\b[A-Za-z_]\\w*(?=::)", "name": "entity.name.namespace.vsl" }
      ]
    },
    "words": {
      "patterns": [
        { "match": "\\b(@CONTROL@)\\b", "name": "keyword.control.vsl" },
        { "match": "\\b(@DECLARATION@)\\b", "name": "keyword.declaration.vsl" },
        { "match": "\\b(@IMPORT@)\\b", "name": "keyword.control.import.vsl" },
        { "match": "\\b(@OPERATOR@)\\b", "name": "keyword.operator.word.vsl" },
        { "match": "\\b(@LITERAL@)\\b", "name": "constant.language.vsl" },
        { "match": "\\b(@RESERVED@)\\b", "name": "invalid.illegal.reserved.vsl" },
        { "match": "\\b(@CALLABLE@)\\b", "name": "support.function.vsl" },
        { "match": "\\b(@CONSTANTS@)\\b", "name": "support.constant.vsl" },
        { "match": "\\b(@FUNCTIONS@)(?=\\s*!?\\()", "name": "support.function.vsl" }
      ]
    },
    "blocks": {
      "patterns": [{ "begin": "\\{", "end": "\\}", "patterns": [{ "include": "#everything" }] }]
    }
  }
}
)J";

std::string vscode(const Vocabulary& words) {
  const struct { std::string_view token; const Words& list; } lists[] = {
      {"@DECLARATIONS@", words.declarations},
      {"@DIRECTIVES@", words.directives},
      {"@STAGES@", words.stages},
      {"@FUNCTIONS@", words.functions},
      {"@CONSTANTS@", words.constants},
      {"@CONTROL@", words.of(Look::Control)},
      {"@DECLARATION@", words.of(Look::Declaration)},
      {"@IMPORT@", words.of(Look::Import)},
      {"@OPERATOR@", words.of(Look::Operator)},
      {"@LITERAL@", words.of(Look::Literal)},
      {"@RESERVED@", words.of(Look::Reserved)},
      {"@CALLABLE@", words.of(Look::Callable)},
  };
  std::string text(kGrammar);
  for (const auto& [token, list] : lists)
    for (std::size_t at = 0; (at = text.find(token, at)) != std::string::npos;) text.replace(at, token.size(), joined(list, "|"));
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view editor = argc == 2 ? argv[1] : "";
  if (editor != "vim" && editor != "vscode") {
    std::fputs("usage: editor_help vim | vscode\n", stderr);
    return 64;
  }
  Vocabulary words;
  if (!add_keywords(words)) return 70;
  add_dialect(words);
  add_api(words);
  const std::string text = editor == "vim" ? vim(words) : vscode(words);
  std::fwrite(text.data(), 1, text.size(), stdout);
}
