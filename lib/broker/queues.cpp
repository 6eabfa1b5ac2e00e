#include "lib/broker/queues.h"

#include <algorithm>
#include <bit>

#include "lib/base/text.h"

namespace broker {
namespace {

using queue::Place;
using queue::State;

constexpr std::size_t kPrefixOctets = 100;

unsigned step_of(std::chrono::seconds wait) {
  const auto seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(1, wait.count()));
  return std::min(Queues::kSteps - 1, static_cast<unsigned>(std::bit_width(seconds)) - 1);
}

std::uint64_t milliseconds_of_step(unsigned step) { return (std::uint64_t{1} << step) * 1000; }

bool is_due_place(State state) { return state == State::Working || state == State::Deliver || state == State::Deferred; }

}  // namespace

bool Queues::is_prefix(std::string_view prefix) {
  const auto is_fine = [](char c) { return base::text::is_alpha(c) || base::text::is_digit(c) || c == '.' || c == '_' || c == '-'; };
  return !prefix.empty() && prefix.size() <= kPrefixOctets && std::ranges::all_of(prefix, is_fine);
}

std::string Queues::waiting_step(unsigned step) const { return of(Place{State::Deferred, {}}) + "." + std::to_string(std::uint64_t{1} << step); }

std::string Queues::waiting(std::chrono::seconds wait) const { return waiting_step(step_of(wait)); }

std::chrono::milliseconds Queues::left_to_wait(std::optional<base::WallTime> due, std::optional<std::chrono::milliseconds> wait, base::WallTime now) {
  using std::chrono::milliseconds;
  if (!due) return milliseconds(0);
  auto left = std::chrono::duration_cast<milliseconds>(*due - now);
  if (wait) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*wait);
    const auto waited = seconds.count() < 1 ? milliseconds(0) : milliseconds(milliseconds_of_step(step_of(seconds)));
    left = std::min(left, *wait - waited);
  }
  return std::max(left, milliseconds(0));
}

std::string Queues::of(const Place& place, std::optional<base::WallTime> due, base::WallTime now) const {
  if (place.state != State::Deferred || !due || *due - now < std::chrono::seconds(1)) return of(place);
  return waiting(std::chrono::duration_cast<std::chrono::seconds>(*due - now));
}

std::optional<Place> Queues::place_of(std::string_view queue) const {
  if (is_waiting(queue)) return Place{State::Deferred, {}};
  if (!base::text::consume(queue, prefix_) || !base::text::consume(queue, ".")) return std::nullopt;
  return Place::parse(queue);
}

bool Queues::is_waiting(std::string_view queue) const {
  for (unsigned step = 0; step < kSteps; ++step)
    if (queue == waiting_step(step)) return true;
  return false;
}

QueueSpec Queues::spec(const std::string& queue) const {
  for (unsigned step = 0; step < kSteps; ++step)
    if (queue == waiting_step(step)) return {queue, milliseconds_of_step(step), of(Place{State::Deferred, {}})};
  const auto place = place_of(queue);
  // What nobody can read, and what the broker gives up to deliver, is for an operator.
  if (place && is_due_place(place->state)) return {queue, {}, of(Place{State::Dead, {}})};
  return {queue, {}, {}};
}

std::vector<std::string> Queues::served() const {
  return {of(Place{State::Working, {}}), of(Place{State::Deliver, {}}), of(Place{State::Deferred, {}})};
}

std::vector<std::string> Queues::all_known() const {
  std::vector<std::string> names;
  for (const auto& row : queue::kStates)
    if (row.state != State::Quarantine) names.push_back(of(Place{row.state, {}}));
  for (unsigned step = 0; step < kSteps; ++step) names.push_back(waiting_step(step));
  return names;
}

}  // namespace broker
