// Functions of regular expressions. Where they take a regex they also take a string that is a pattern.
#include "lib/base/text.h"
#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/regex.h"
#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

Result make(Run& run, Arguments a) {
  std::string pattern(a[0].as_text());
  if (a.size() > 1 && !a[1].as_text().empty()) pattern = "(?" + std::string(a[1].as_text()) + ")" + pattern;
  auto compiled = Regex::compile(pattern);
  if (!compiled) return fail_api("'" + pattern + "' is not a valid regex: " + compiled.error());
  return run.heap().host(kRegexClass, new Regex(std::move(*compiled)));
}

Result pattern(Run& run, Arguments a) { return run.string(a[0].as_host().as<Regex>().pattern()); }
Result escape(Run& run, Arguments a) { return string_result(run, Regex::quoted(a[0].as_text())); }

Result matches(Run& run, Arguments a) {
  auto regex = regex_of(a[1]);
  if (!regex) return pass_on(regex.error());
  if (auto fits = charge(run, a[0].as_text().size() / 64); !fits) return pass_on(fits.error());
  return (*regex)->matches(a[0].as_text());
}

Result matches_swapped(Run& run, Arguments a) {
  Value swapped[] = {std::move(a[1]), std::move(a[0])};
  return matches(run, swapped);
}

Value group_value(Run& run, std::string_view group) { return group.data() == nullptr ? Value() : run.string(group); }

Result captures(Run& run, Arguments a) {
  auto regex = regex_of(a[1]);
  if (!regex) return pass_on(regex.error());
  if (auto fits = charge(run, a[0].as_text().size() / 16); !fits) return pass_on(fits.error());
  Regex::Groups groups;
  if (!(*regex)->find(a[0].as_text(), 0, groups)) return Value();
  Value result = run.heap().array(groups.size());
  for (const std::string_view group : groups) result.array_for_write(run.heap()).push(group_value(run, group));
  return result;
}

Result named_captures(Run& run, Arguments a) {
  auto regex = regex_of(a[1]);
  if (!regex) return pass_on(regex.error());
  if (auto fits = charge(run, a[0].as_text().size() / 16); !fits) return pass_on(fits.error());
  Regex::Groups groups;
  if (!(*regex)->find(a[0].as_text(), 0, groups)) return Value();
  Value result = run.heap().map();
  for (const auto& [name, number] : (*regex)->group_names())
    result.map_for_write(run.heap()).set(name, group_value(run, groups[number]));
  return result;
}

Result find_all(Run& run, Arguments a) {
  auto regex = regex_of(a[1]);
  if (!regex) return pass_on(regex.error());
  if (auto fits = charge(run, a[0].as_text().size() / 16); !fits) return pass_on(fits.error());
  Value result = run.heap().array();
  bool is_over = false;
  (*regex)->each(a[0].as_text(), [&](const Regex::Groups& groups) {
    Array& array = result.array_for_write(run.heap());
    is_over = !run.heap().may_hold_elements(array.size() + 1) || !run.charge(1);
    if (!is_over) array.push(run.string(groups.front()));
    return !is_over;
  });
  if (is_over) return too_large("Array");
  return result;
}

Result split_regex(Run& run, Arguments a) {
  auto regex = regex_of(a[1]);
  if (!regex) return pass_on(regex.error());
  const std::string_view text = a[0].as_text();
  if (auto fits = charge(run, text.size() / 16); !fits) return pass_on(fits.error());
  Value result = run.heap().array();
  Array& array = result.array_for_write(run.heap());
  const char* start = text.data();
  bool is_over = false;
  (*regex)->each(text, [&](const Regex::Groups& groups) {
    const std::string_view separator = groups.front();
    is_over = !run.heap().may_hold_elements(array.size() + 2) || !run.charge(1);
    if (!is_over) array.push(run.string({start, separator.data()}));
    start = separator.data() + separator.size();
    return !is_over;
  });
  if (is_over) return too_large("Array");
  array.push(run.string({start, text.data() + text.size()}));
  return result;
}

Result replace_regex(Run& run, Arguments a) {
  auto found = regex_of(a[1]);
  if (!found) return pass_on(found.error());
  const Regex& regex = **found;
  const Value subject = a[0];
  const std::string_view text = subject.as_text();
  if (auto fits = charge(run, text.size() / 16); !fits) return pass_on(fits.error());
  Regex::Groups first;
  if (!regex.find(text, 0, first)) return Value();
  auto substitution = Substitution::of(a[2].as_text(), regex);
  if (!substitution) return pass_on(substitution.error());
  std::string out;
  const char* start = text.data();
  bool is_over = false;
  regex.each(text, [&](const Regex::Groups& groups) {
    const std::string_view whole = groups.front();
    out.append(start, whole.data());
    substitution->append_to(out, groups);
    start = whole.data() + whole.size();
    is_over = !run.heap().may_hold_string(out.size()) || !run.charge(1);
    return !is_over;
  });
  if (is_over) return too_large("String");
  out.append(start, text.data() + text.size());
  auto result = string_result(run, out);
  if (!result) return result;
  a[0] = std::move(*result);
  return Value();
}

constexpr NativeRow kRows[] = {
    {"regex", "", {Type::String}, kPure, make,
     "a regular expression (RE2 syntax), compiled once; `text in r` and `text == r` look for it in a text"},
    {"regex", "", {Type::String, Type::String}, kPure, make,
     "a regular expression with flags: i ignores case, m makes ^ and $ match at lines, s makes . match LF"},
    {"pattern", "", {kRegexClass}, kProperty, pattern, "the pattern of a regex"},
    {"matches", "is_match", {Type::String, kRegexClass}, kPure, matches, "whether the regex is found in the text"},
    {"matches", "is_match", {kRegexClass, Type::String}, kPure, matches_swapped, "whether the regex is found in the text"},
    {"matches", "is_match", {Type::String, Type::String}, kPure, matches, "whether the pattern is found in the text"},
    {"captures", "", {Type::String, kRegexClass}, kPure, captures,
     "array of the first match and its groups, () for a group without part; () if nothing matches"},
    {"captures", "", {Type::String, Type::String}, kPure, captures,
     "array of the first match of a pattern and its groups; () if nothing matches"},
    {"named_captures", "", {Type::String, kRegexClass}, kPure, named_captures,
     "map of the groups (?P<name>...) of the first match; () if nothing matches"},
    {"named_captures", "", {Type::String, Type::String}, kPure, named_captures,
     "map of the groups (?P<name>...) of the first match; () if nothing matches"},
    {"find_all", "", {Type::String, kRegexClass}, kPure, find_all, "array of all matches"},
    {"find_all", "", {Type::String, Type::String}, kPure, find_all, "array of all matches of a pattern"},
    {"split_regex", "", {Type::String, kRegexClass}, kPure, split_regex, "array of the parts between matches"},
    {"split_regex", "", {Type::String, Type::String}, kPure, split_regex, "array of the parts between matches of a pattern"},
    {"replace_regex", "", {Type::String, kRegexClass, Type::String}, kMutates, replace_regex,
     "replaces all matches in the variable; $1, ${1} and ${name} are groups, $$ is $"},
    {"replace_regex", "", {Type::String, Type::String, Type::String}, kMutates, replace_regex,
     "replaces all matches of a pattern in the variable; $1, ${1} and ${name} are groups, $$ is $"},
    {"regex_escape", "", {Type::String}, kPure, escape, "a pattern that matches the text itself"},
};

}  // namespace

std::span<const NativeRow> regex_rows() { return kRows; }

}  // namespace vsl::standard
