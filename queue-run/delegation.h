// What is decided of messages that rules have delegated to a content filter (vsl(7)). No I/O.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/chain/delegation.h"
#include "lib/chain/delivery_call.h"
#include "lib/queue/progress.h"

namespace run {

// What becomes of a message that its filter has not given back in time.
enum class Lost : std::uint8_t {
  Again,  // it is handed over once more, until it is too old
  Hold,   // an operator decides
  Fail,   // it could not be delivered
  Drop,   // the filter may throw mail away
};
[[nodiscard]] std::optional<Lost> lost_of(std::string_view name);  // as queue.delegation_lost says it

struct DelegationSettings {
  std::chrono::milliseconds time{3'600'000};  // that a filter has
  Lost lost = Lost::Again;
};

// When the filter has taken it; nothing: it does not have it.
[[nodiscard]] std::optional<base::WallTime> handed_at(std::span<const queue::Event> events);
[[nodiscard]] bool is_lost(std::span<const queue::Event> events, const DelegationSettings& settings, base::WallTime now);

// Whether it has been back from that directive before.
[[nodiscard]] bool was_back(std::span<const queue::Event> events, const chain::Delegation& returned);
[[nodiscard]] queue::Event event_of_return(const chain::Delegation& returned);

// One recipient is enough: whom the message goes to is not the filter's to say.
[[nodiscard]] bool is_handed(const chain::DeliveryReport& report);
// What is recorded of a recipient of a hand-over that failed: a filter that refuses is asked again (D-18 of the specification).
[[nodiscard]] std::string failure_text(const chain::Delegation& delegation, std::string_view said);

}  // namespace run
