// Where a message is: its state, which is the folder in which its file lies (vsmtp-spool(5)).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace queue {

enum class State : std::uint8_t { Working, Deliver, Deferred, Delegated, Hold, Dead, Quarantine };

struct StateRow {
  State state;
  std::string_view folder;
  std::string_view meaning;
};
inline constexpr auto kStates = std::to_array<StateRow>({
    {State::Working,    "working",    "taken; post-queue rules have not run"},
    {State::Deliver,    "deliver",    "to be delivered now"},
    {State::Deferred,   "deferred",   "put off; the file's modification time is the time of the next attempt"},
    {State::Delegated,  "delegated",  "handed to another service that will give it back"},
    {State::Hold,       "hold",       "held until an operator releases it"},
    {State::Dead,       "dead",       "given up"},
    {State::Quarantine, "quarantine", "set aside by a rule, in a folder for each name"},
});
// Rows are found by their state.
static_assert([] {
  for (std::size_t i = 0; i < kStates.size(); ++i)
    if (static_cast<std::size_t>(kStates[i].state) != i) return false;
  return true;
}());

struct Place {
  State state = State::Working;
  std::string quarantine;  // its name, for State::Quarantine only

  // "hold", "quarantine/NAME". A name is one to four of these with '/' between them: 1 to 64 of A-Z a-z 0-9 . _ -, no '.' in
  // front, and not what an id looks like, since messages and folders lie side by side.
  static std::optional<Place> parse(std::string_view folder);
  static bool is_quarantine_name(std::string_view name);
  static constexpr std::size_t kMostQuarantineNames = 4;
  [[nodiscard]] std::string folder() const;  // as parse() reads it: relative to the spool

  friend auto operator<=>(const Place&, const Place&) = default;
};

}  // namespace queue
