// What a host adds to the grammar, so that the language itself knows neither mail nor rules.
#pragma once

#include <span>
#include <string_view>

namespace vsl {

// A keyword that makes a directive: `rule "name" BODY`, or with a subject `delegate SERVICE "name" BODY`. BODY is a closure, or a
// map with a key `evaluate`. The directive is an expression; its value is the map
//   #{type: "rule", name: "name", evaluate: closure}           and with a subject also   service: SERVICE
// in the long form together with the keys of the map.
struct DirectiveKeyword {
  std::string_view word;
  std::string_view noun;         // as errors call it: "'evaluate' function is missing from 'N' rule"
  std::string_view subject_key;  // key of the subject in the map; empty: the directive has no subject
  bool needs_evaluate = true;    // false: a map without `evaluate` is a body too
};

// A keyword that declares a constant whose value a host function makes:
//   object NAME TYPE = EXPR        object NAME file:TYPE = EXPR        service NAME db:KIND = EXPR
// The value is what the host function `constructor` returns for (NAME, "TYPE" or "file:TYPE", EXPR). The declaration is also an
// expression with that value. At the top level of a module it is exported.
// Earlier spellings, accepted with a deprecation:  object TYPE "NAME" EXPR   and the same with `legacy_word`.
struct DeclarationKeyword {
  std::string_view word;
  std::string_view legacy_word;               // an ordinary word elsewhere; may be empty
  std::string_view constructor;               // name of the host function
  std::span<const std::string_view> types;    // "ip4", "file", ... ; empty: the constructor judges
  std::span<const std::string_view> prefixes;  // "file", "db": may stand before ":TYPE"
  std::string_view noun;                      // "object": "Improper object type 'x'."
};

struct Dialect {
  std::span<const DirectiveKeyword> directives;
  std::span<const DeclarationKeyword> declarations;
};

}  // namespace vsl
