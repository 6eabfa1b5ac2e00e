// The text of maps: aliases(5) files, virtual maps as Postfix's virtual(5) has them, and :include: files. No I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace address_map {

// What an entry leads to.
struct Target {
  enum class Kind : char {
    Address = '@',  // an address, or a local name
    Final = '=',    // the same, and not looked up again: \name
    Command = '|',
    File = '/',     // a path; with a slash at the end it is a Maildir
    Include = ':',  // a file with more of them
  };
  Kind kind = Kind::Address;
  std::string text;  // the address, the command line, the path

  friend bool operator==(const Target&, const Target&) = default;
};
using Targets = std::vector<Target>;

// A letter of Kind and the text, each ended by LF: how compiled maps keep them.
[[nodiscard]] std::string to_octets(const Targets& targets);
[[nodiscard]] base::Result<Targets> parse_octets(std::string_view octets);

enum class Format : char { Aliases = 'a', Virtual = 'v', Recipients = 'r' };
[[nodiscard]] std::string_view name_of(Format format);  // "aliases"

struct Entry {
  std::string key;  // lower case: "name", "user@domain", "@domain"
  Targets targets;  // none of Format::Recipients
  int line = 0;
};

// All entries of a file; every mistake is told, a line each with `path` and number (Fault::Config). A key that stands there twice
// is one.
[[nodiscard]] base::Result<std::vector<Entry>> parse_map(Format format, std::string_view text, std::string_view path);

// Addresses, separated by commas or line ends; no commands, files or further includes.
[[nodiscard]] base::Result<Targets> parse_include(std::string_view text, std::string_view path);

// The form in which keys are compared: ASCII letters in lower case.
[[nodiscard]] std::string key_of(std::string_view address);

}  // namespace address_map
