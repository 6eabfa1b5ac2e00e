// Which rules a message still has to go through, what they are told of it, and what they have said. No I/O.
//
// A message in working/ and in the log has both stages before it, one in deliver/ only that of delivery. What has run stands in its
// context ("stage", the last one) when rules have changed something, else among its events (Ruled). When rules could not decide (Unruled)
// the message comes to them again, wherever it lies by then.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/chain/message_call.h"
#include "lib/queue/place.h"
#include "lib/queue/progress.h"

namespace run {

enum class RulesStage : std::uint8_t { Postq, Delivery };
[[nodiscard]] std::string_view name_of(RulesStage stage);
[[nodiscard]] std::optional<RulesStage> rules_stage_of(std::string_view name);

struct RulesStages {
  bool postq = true, delivery = true;
  [[nodiscard]] bool has(RulesStage stage) const { return stage == RulesStage::Postq ? postq : delivery; }
};

// The next stage of a message; nothing: it goes on to its recipients.
[[nodiscard]] std::optional<RulesStage> next_stage(std::string_view context, std::span<const queue::Event> events, const queue::Place& place, RulesStages wanted);
[[nodiscard]] std::optional<RulesStage> stage_after(RulesStage stage, RulesStages wanted);

// The context for the call: "stage" in front; "queue", "quarantine", "hold" and "put_off", by which the message was set aside once,
// stand in "released", since it is here again.
[[nodiscard]] std::string context_for_rules(std::string_view stored, RulesStage stage);

// What they have decided.
struct Verdict {
  enum class What : std::uint8_t {
    GoesOn,
    SetAside,   // to `place`
    Discarded,  // they have taken it
    Failed,     // they could not decide: it is put off
  } what = What::GoesOn;
  queue::Place place = {};
  std::optional<base::WallTime> until = {};  // of State::Deferred: the first attempt
  bool ends_rules = false;                   // no later stage is run
  bool is_delegated = false;                 // set aside for a content filter: the stage goes on when it is back
  std::string text = {};                     // for the record and the log
  std::optional<base::Blob> message = {};         // those that are different
  std::optional<std::string> envelope = {};       // F and T, as in the call
  std::optional<std::string> context = {};        // as it is to be stored, with "stage"

  [[nodiscard]] bool has_changes() const { return message || envelope || context; }
};

// `sent`: the context of the call. `given`: what `queue-inject --replace` has brought during it.
[[nodiscard]] Verdict verdict_of(const chain::Outcome& outcome, const chain::Answer* given, std::string_view sent, RulesStage stage);

}  // namespace run
