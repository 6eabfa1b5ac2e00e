// Messages counted by age, in the columns of Postfix's qshape(1): under 5, 10, 20 ... 1280 minutes, and older.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace qctl {

inline constexpr auto kAgeLimits = std::to_array<int>({5, 10, 20, 40, 80, 160, 320, 640, 1280});  // minutes
inline constexpr std::size_t kAgeColumns = kAgeLimits.size() + 1;

// A message belongs to the first column whose limit it is younger than.
constexpr std::size_t age_column(std::chrono::seconds age) {
  std::size_t column = 0;
  while (column < kAgeLimits.size() && age >= std::chrono::minutes(kAgeLimits[column])) ++column;
  return column;
}
std::string age_title(std::size_t column);  // "5" ... "1280", "1280+"

struct AgeCounts {
  std::uint64_t total = 0;
  std::array<std::uint64_t, kAgeColumns> by_age{};

  void add(std::chrono::seconds age);
  void add(const AgeCounts& other);
};

struct AgeRow {
  std::string name;
  AgeCounts counts;
};

class AgeTable {
 public:
  // One message, named in several rows if it belongs to several (recipients of two domains), in the total once.
  void add(std::chrono::seconds age, const std::vector<std::string>& names);

  // What was counted so far was a part of `whole`: the rows are made as large as they then would be, the total is `whole`.
  void take_for_sample_of(const AgeCounts& whole);

  [[nodiscard]] const AgeCounts& total() const { return total_; }
  // The largest totals first, equal ones by name; at most `limit` (0: all).
  [[nodiscard]] std::vector<AgeRow> rows(std::size_t limit) const;
  [[nodiscard]] std::size_t names() const { return by_name_.size(); }

 private:
  AgeCounts total_;
  std::map<std::string, AgeCounts, std::less<>> by_name_;
};

struct AgeLayout {
  std::size_t width = 0;    // of the whole table; 0: as wide as its names ask for
  std::string empty = "0";  // what stands for no message
  std::size_t rows = 0;     // 0: all
  bool utf8 = true;         // of the terminal
};

// The table as text: titles, TOTAL, a line a name, and how many names were left out.
std::string to_text(const AgeTable& table, const AgeLayout& layout);
// The rows as members of a JSON object: "messages", "ages", "rows".
void append_json(std::string& out, const AgeTable& table, std::size_t limit);

}  // namespace qctl
