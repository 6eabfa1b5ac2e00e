// What log lines tell of the mail of some time, counted for plots. No I/O.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "qctl/log_line.h"

namespace qctl {

enum class Outcome : std::uint8_t { Sent, Deferred, Failed, kCount };
inline constexpr std::size_t kOutcomes = static_cast<std::size_t>(Outcome::kCount);
using ResultCounts = std::array<std::uint64_t, kOutcomes>;

// Equal pieces of the time, each with what was in it.
struct Piece {
  std::uint64_t accepted = 0;  // messages that smtpd took
  ResultCounts results{};      // attempts of recipients
  std::array<double, 3> delays{};  // seconds from arrival to delivery: median, 90th and 99th percentile of what was sent; 0 without
};

struct Named {
  std::string name;
  ResultCounts results{};
  [[nodiscard]] std::uint64_t total() const { return results[0] + results[1] + results[2]; }
};

class MailHistory {
 public:
  void add(std::string_view line);

  [[nodiscard]] std::uint64_t lines() const { return lines_; }  // that told something
  [[nodiscard]] std::uint64_t accepted() const { return accepted_.size(); }
  [[nodiscard]] std::uint64_t octets() const { return octets_; }
  [[nodiscard]] ResultCounts results() const;
  [[nodiscard]] base::WallTime begin() const { return begin_; }  // of the first piece: a whole number of pieces since 1970
  [[nodiscard]] std::chrono::seconds piece() const { return piece_; }
  // All the time from the first line to the last, in at most `most` pieces of a length that people count in.
  [[nodiscard]] std::vector<Piece> pieces(std::size_t most);

  // The most frequent ones, at most `most`.
  [[nodiscard]] std::vector<Named> destinations(std::size_t most) const { return most_frequent(destinations_, most); }
  [[nodiscard]] std::vector<Named> reasons(std::size_t most) const { return most_frequent(reasons_, most); }

 private:
  struct Attempt {
    base::WallTime time;
    Outcome result;
    float seconds;
  };
  using Names = std::map<std::string, ResultCounts, std::less<>>;
  [[nodiscard]] static std::vector<Named> most_frequent(const Names& names, std::size_t most);
  void see(base::WallTime time);
  void add_delivery(const LogLine& line);

  std::uint64_t lines_ = 0, octets_ = 0;
  std::vector<base::WallTime> accepted_;
  std::vector<Attempt> attempts_;
  Names destinations_, reasons_;
  base::WallTime first_ = base::WallTime::max(), last_ = base::WallTime::min();
  base::WallTime begin_;
  std::chrono::seconds piece_{1};
};

}  // namespace qctl
