// Regular expressions: RE2, so that no pattern takes more than linear time.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/lang/failure.h"
#include "vsl-filter/lang/host_class.h"

namespace vsl {

// Compiled once, then shared by any number of threads. Patterns are found anywhere in a text unless they say ^ or $.
class Regex {
 public:
  // The error says what is wrong with the pattern.
  static std::expected<Regex, std::string> compile(std::string_view pattern);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  [[nodiscard]] std::string_view pattern() const;
  [[nodiscard]] bool matches(std::string_view text) const;

  // The whole match, then each group; a group that took no part has a null data().
  using Groups = std::vector<std::string_view>;
  // The first match from `start` on; false: there is none.
  bool find(std::string_view text, std::size_t start, Groups& groups) const;
  // Calls `see` for match after match, not overlapping, until it says false.
  void each(std::string_view text, const std::function<bool(const Groups&)>& see) const;
  // Number of a named group; nullopt: there is none.
  [[nodiscard]] std::optional<std::size_t> group(std::string_view name) const;
  [[nodiscard]] std::vector<std::pair<std::string, std::size_t>> group_names() const;
  [[nodiscard]] std::size_t groups() const;  // the whole match counted in
  // The text with every regex character escaped.
  static std::string quoted(std::string_view text);

 private:
  struct Compiled;
  explicit Regex(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

// What stands in place of a match: $1, ${1} and ${name} are groups, $$ is one $.
class Substitution {
 public:
  // A group that the regex does not have is an error.
  static Expected<Substitution> of(std::string_view text, const Regex& regex);
  void append_to(std::string& out, const Regex::Groups& groups) const;

 private:
  struct Piece {
    std::string text;
    std::optional<std::size_t> group;
  };
  std::vector<Piece> pieces_;
};

// What regex("...") makes: `s == r` and `s in r` say whether the pattern is found in s.
extern const HostClass kRegexClass;

// The regex of a value: a regex object, or a string that is a pattern, compiled once in a thread while it is in use.
// Good until the next call in this thread.
Expected<const Regex*> regex_of(const Value& value);

}  // namespace vsl
