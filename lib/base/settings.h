// The configuration: vsmtp.ini, and options of the same names that win over it. DESIGN.md section 7.
// Every key is a row of settings.cpp: its kind, its default, what it is for. --help and the manual are made from the rows.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"

namespace base {

enum class Kind {
  Text,
  Path,      // text; relative to the working directory
  Flag,      // yes or no
  Count,     // a whole number
  Octets,    // a number with k, m or g
  Duration,  // a number with ms, s, m, h, d or w; a bare number is seconds
  Choice,    // one of `choices`, which are separated by '|'
  List,      // words separated by blanks; as an option it may be given several times
  Lines,     // text of several lines, separated by LF: those that continue it in the file
  Program,   // a chain: "PROGRAM ARGUMENT... -- PROGRAM ...", split at blanks
};

struct Setting {
  std::string_view section;   // "smtp"; "virtual" for all [virtual "NAME"]
  std::string_view key;       // "rcpt_count_max"; the option is --rcpt-count-max
  Kind kind;
  std::string_view standard;  // the default, as it would be written in the file
  std::string_view choices;   // for Kind::Choice
  std::string_view doc;       // one line, no full stop
};

std::span<const Setting> all_settings();
// Whether sections of this kind have a name: [virtual "NAME"].
bool is_named_section(std::string_view section);
// nullptr: no such key. `name` is "smtp.rcpt_count_max".
const Setting* find_setting(std::string_view name);

// Whether `value` is one of this kind; the error says what was expected, without file and line.
[[nodiscard]] Result<void> check_value(const Setting& setting, std::string_view value);

class Settings {
 public:
  // Reads an INI file over the defaults. An unknown section or key or a bad value is Fault::Config and names file, line,
  // value and what is allowed; all mistakes of the file are reported at once, a line each.
  [[nodiscard]] Result<void> read(const std::string& path);
  // One value over what the file said; for command lines. For a List, a second call adds.
  [[nodiscard]] Result<void> set(const Setting& setting, std::string_view value);
  [[nodiscard]] Result<void> set(const Setting& setting, std::string_view value, std::string_view section);  // [virtual "NAME"] and the like

  // The section whose keys no program knows: they are for rules.
  static constexpr std::string_view kFreeSection = "rules.user";
  void set_free(std::string_view key, std::string_view value);
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> free_values() const;  // key and value, in order

  // Sections that stand once for each of something, such as a domain: [virtual "example.org"]. A key of one is
  // `virtual "example.org".certificate` for find_setting() and the accessors below.
  [[nodiscard]] std::vector<std::string> names(std::string_view section) const;  // as written, in order of the alphabet
  [[nodiscard]] static std::string named(std::string_view section, std::string_view name, std::string_view key);

  // A section of that kind stands in the file, whether it has keys or not.
  void open_named(std::string_view section);
  // Where the file gave this value, "vsmtp.ini:12: " for the front of an error; "" when no file did.
  [[nodiscard]] std::string place_of(std::string_view name) const;
  void note_place(std::string_view name, std::string place);

  // Back to the default.
  void forget(const Setting& setting);

  // The accessors assert that the name exists and is of that kind: a wrong one is a bug, not an input.
  [[nodiscard]] const std::string& text(std::string_view name) const;
  [[nodiscard]] bool flag(std::string_view name) const;
  [[nodiscard]] std::uint64_t count(std::string_view name) const;
  [[nodiscard]] std::uint64_t octets(std::string_view name) const;
  [[nodiscard]] std::uint64_t milliseconds(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> words(std::string_view name) const;  // List and Program
  [[nodiscard]] bool is_given(std::string_view name) const;                   // by file or option

 private:
  std::map<std::string, std::string, std::less<>> given_;  // "section.key" -> value
  std::map<std::string, std::string, std::less<>> places_;  // "section.key" -> "FILE:LINE: ", of what stood in a file
};

}  // namespace base
