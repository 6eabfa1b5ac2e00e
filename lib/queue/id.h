// The name of a message: 18 characters that sort by time and that no two processes of a machine make twice.
//
//   1NH7ZK4TQ2N 00A3W05
//   |           +- process id (22 bits) and a random number of the process (13 bits), 7 characters
//   +- microseconds since 1970, 11 characters (enough until the year 3111); in a process, never the same twice
//
// The digits are Crockford's base 32 (no I, L, O, U), so ids can be read aloud, sort like their octets, and are
// harmless as file names and in shells.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"

namespace queue {

class Id {
 public:
  static constexpr std::size_t kOctets = 18;

  Id() = default;  // all '0': names nothing
  // A new one. The time in it never runs backwards within a process.
  static Id make(base::WallTime now = base::wall_now());
  // nullopt: not an id in its one canonical spelling (upper case). So a parsed id is always safe as a file name.
  static std::optional<Id> parse(std::string_view text);

  [[nodiscard]] std::string_view text() const { return {digits_.data(), digits_.size()}; }
  [[nodiscard]] std::string string() const { return std::string(text()); }
  [[nodiscard]] base::WallTime time() const;  // when it was made: when the message arrived

  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  std::array<char, kOctets> digits_ = {'0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0'};
};

}  // namespace queue

template <>
struct std::hash<queue::Id> {
  std::size_t operator()(const queue::Id& id) const noexcept { return std::hash<std::string_view>()(id.text()); }
};
