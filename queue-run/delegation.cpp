#include "queue-run/delegation.h"

#include <algorithm>
#include <array>

namespace run {
namespace {

constexpr auto kLost = std::to_array<std::string_view>({"again", "hold", "fail", "drop"});

}  // namespace

std::optional<Lost> lost_of(std::string_view name) {
  const auto* row = std::ranges::find(kLost, name);
  return row == kLost.end() ? std::nullopt : std::optional(static_cast<Lost>(row - kLost.begin()));
}

std::optional<base::WallTime> handed_at(std::span<const queue::Event> events) {
  using Kind = queue::EventKind;
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    if (event->kind == Kind::Handed) return event->time;
    if (event->kind == Kind::Delegated || event->kind == Kind::Back || event->kind == Kind::Deferred) break;
  }
  return std::nullopt;
}

bool is_lost(std::span<const queue::Event> events, const DelegationSettings& settings, base::WallTime now) {
  const auto since = handed_at(events);
  return since && now - *since >= settings.time;
}

bool was_back(std::span<const queue::Event> events, const chain::Delegation& returned) {
  // As it is written, since words are escaped there.
  const auto event = queue::parse_event([&] {
    std::string line = queue::to_line(event_of_return(returned));
    line.pop_back();
    return line;
  }());
  return event && std::ranges::any_of(events, [&](const queue::Event& one) {
    return one.kind == queue::EventKind::Back && one.destination == event->destination && one.text == event->text;
  });
}

queue::Event event_of_return(const chain::Delegation& returned) {
  return {base::wall_now(), queue::EventKind::Back, std::nullopt, returned.stage, {}, returned.directive};
}

bool is_handed(const chain::DeliveryReport& report) {
  for (std::size_t i = 0; i < report.recipients.size(); ++i)
    if (report.final(i) == chain::Delivery::Accepted) return true;
  return false;
}

std::string failure_text(const chain::Delegation& delegation, std::string_view said) {
  return "451 4.3.0 the content filter " + delegation.address + " has not taken the message: " + std::string(said);
}

}  // namespace run
