// "did you mean ...?": the known name that is nearest to an unknown one.
#pragma once

#include <string>
#include <string_view>

namespace vsl {

// Insertions, deletions, replacements and swaps of neighbours that make one name of the other; `most` + 1 if it is more.
std::size_t edit_distance(std::string_view from, std::string_view to, std::size_t most);

class Nearest {
 public:
  explicit Nearest(std::string_view wanted) : wanted_(wanted), best_(wanted.size() < 4 ? 1 : wanted.size() < 9 ? 2 : 3) {}
  // The name must stay where it is.
  void see(std::string_view name);
  [[nodiscard]] std::string_view name() const { return name_; }
  // "did you mean `name`?", or nothing.
  [[nodiscard]] std::string suggestion(std::string_view prefix = {}) const;

 private:
  std::string_view wanted_;
  std::string_view name_;
  std::size_t best_;  // further ones are no help
};

}  // namespace vsl
