// What was found in one message: counted always, kept up to a limit.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lib/lint/diagnostic.h"

namespace lint {

using IdSet = std::bitset<kRows.size()>;

struct Finding {
  Id id;
  std::size_t offset = 0;  // in the message
  std::size_t length = 1;  // octets concerned, within the line
  std::string detail;      // what it is in this place; "" when the row's text says all
  std::size_t line = 0;    // from 1
  std::size_t column = 0;  // from 1, in characters
};

class Findings {
 public:
  struct Limits {
    std::size_t in_all = 100;
    std::size_t of_a_kind = 10;
  };
  Findings(const IdSet& disabled, const Limits& limits) : disabled_(disabled), limits_(limits) {}

  void add(Id id, std::size_t offset, std::size_t length = 1, std::string detail = {});
  // Whether a further one would be kept: checkers may stop looking for what is only counted.
  [[nodiscard]] bool wants(Id id) const { return !disabled_.test(index(id)) && counts_[index(id)] < limits_.of_a_kind; }
  // In order of place, lines and columns filled in.
  void finish(std::string_view message);

  [[nodiscard]] const std::vector<Finding>& kept() const { return kept_; }
  [[nodiscard]] std::size_t count(Id id) const { return counts_[index(id)]; }
  [[nodiscard]] std::size_t count(Severity severity) const;
  // Whether there is one of this severity or worse.
  [[nodiscard]] bool has(Severity least) const;
  // Those that were counted and not kept.
  [[nodiscard]] std::size_t dropped() const;
  // The first one kept of this severity or worse; nullptr: none.
  [[nodiscard]] const Finding* first(Severity least) const;

 private:
  static std::size_t index(Id id) { return static_cast<std::size_t>(id); }

  IdSet disabled_;
  Limits limits_;
  std::vector<Finding> kept_;
  std::array<std::size_t, kRows.size()> counts_{};
};

}  // namespace lint
