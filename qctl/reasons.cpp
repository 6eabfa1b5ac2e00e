#include "qctl/reasons.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "qctl/display.h"
#include "qctl/quarantine_facts.h"

namespace qctl {
namespace {
using Json = nlohmann::json;
using queue::EventKind;
using queue::State;
using Sentences = std::vector<std::string>;

struct Case {
  const queue::Seen& seen;
  const Surroundings& around;
  Json context;

  [[nodiscard]] std::string text(const char* pointer) const {
    const Json::json_pointer at(pointer);
    return context.contains(at) && context[at].is_string() ? context[at].get<std::string>() : std::string();
  }
};

std::string duration(base::WallTime::duration time) { return human_duration(std::chrono::duration_cast<std::chrono::seconds>(time)); }
std::string times(std::size_t count) { return std::to_string(count) + (count == 1 ? " time" : " times"); }

const queue::Event* last_of(const queue::Seen& seen, EventKind kind) {
  const auto found = std::find_if(seen.events.rbegin(), seen.events.rend(), [&](const auto& event) { return event.kind == kind; });
  return found == seen.events.rend() ? nullptr : &*found;
}

// Who moved it here by hand, if somebody did.
void add_last_move(const Case& of, Sentences& out) {
  const auto* note = last_of(of.seen, EventKind::Note);
  if (note != nullptr && note->text.starts_with("moved from ") && note->text.contains(" to " + of.seen.place.folder() + " "))
    out.push_back(note->text + ", " + duration(of.around.now - note->time) + " ago");
}

void add_next_attempt(const Case& of, Sentences& out) {
  const auto until = of.seen.modified - of.around.now;
  out.push_back(until.count() <= 0 ? "its next attempt is due now" : "its next attempt is in " + duration(until) + ", at " + base::to_rfc3339(of.seen.modified));
  if (const auto reason = of.text("/put_off/reason"); !reason.empty()) out.push_back("a rule put it off: " + reason);
}

void add_recipients(const Case& of, Sentences& out) {
  const auto& recipients = of.seen.item.envelope.recipients;
  const auto progress = queue::sum_up(of.seen.events, recipients.size());
  constexpr std::size_t kShown = 20;
  std::size_t shown = 0, waiting = 0;
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    const auto& one = progress[i];
    const bool has_failed = one.last && one.last->kind == EventKind::Failed;
    if (one.is_settled && !has_failed) continue;
    if (++waiting > kShown) continue;
    ++shown;
    std::string text = "<" + recipients[i] + "> ";
    if (!one.last) {
      out.push_back(text + "was not tried yet");
      continue;
    }
    text += has_failed ? "failed for good" : "was put off " + times(one.deferrals);
    text += ", " + std::string(one.deferrals > 1 && !has_failed ? "last " : "") + duration(of.around.now - one.last->time) + " ago";
    if (!one.last->destination.empty() && !one.last->text.starts_with(one.last->destination)) text += " by " + one.last->destination;
    out.push_back(text + (one.last->text.empty() ? "" : ": " + one.last->text));
  }
  if (waiting > shown) out.push_back("and so on for " + std::to_string(waiting - shown) + " more recipients");
}

bool is_destination_of(const Case& of, const RunStatus::Destination& destination) {
  const auto is_it = [&](std::string_view text) { return !text.empty() && base::text::equal_ignoring_case(text, destination.host); };
  return std::ranges::any_of(of.seen.item.envelope.recipients, [&](const auto& address) { return is_it(mail::split_address(address).second); }) ||
         std::ranges::any_of(of.seen.events, [&](const auto& event) { return is_it(event.destination); });
}

// What queue-run thinks of the hosts that this message is for.
void add_destinations(const Case& of, Sentences& out) {
  if (!of.around.is_served) {
    out.push_back("no queue-run serves the spool: nothing is delivered");
    return;
  }
  if (!of.around.running) {
    out.push_back("queue-run serves the spool, but does not answer");
    return;
  }
  for (const auto& each : of.around.running->destinations) {
    if (!is_destination_of(of, each)) continue;
    const std::string name = "destination " + each.host + " (" + each.transport + ")";
    if (each.suspended_seconds > 0)
      out.push_back(name + " is suspended for another " + human_duration(std::chrono::seconds(each.suspended_seconds)) + (each.reason.empty() ? "" : ": " + each.reason));
    else if (each.waiting > 0)
      out.push_back(name + " is busy: " + std::to_string(each.open) + " of " + std::to_string(each.window) + " calls are open, " + std::to_string(each.waiting) + " wait");
  }
}

void add_fresh(const Case& of, Sentences& out) {
  add_last_move(of, out);
  add_recipients(of, out);
  add_destinations(of, out);
  if (of.around.running && of.around.running->unrecorded > 0) out.push_back("queue-run cannot record results (is the disk full?), and starts no delivery");
}

void add_deferred(const Case& of, Sentences& out) {
  add_next_attempt(of, out);
  add_fresh(of, out);
}

void add_hold(const Case& of, Sentences& out) {
  const auto reason = of.text("/hold");
  if (!reason.empty()) out.push_back("a rule holds it: " + reason);
  add_last_move(of, out);
  out.push_back("it waits for qctl release");
}

void add_quarantine(const Case& of, Sentences& out) {
  if (const auto facts = quarantine_facts(of.seen.item.context)) {
    std::string text = facts->rule.empty() ? "rules set it aside" : "rule \"" + facts->rule + "\" set it aside";
    if (!facts->stage.empty()) text += " in stage " + facts->stage;
    if (facts->time) text += ", " + duration(of.around.now - *facts->time) + " ago";
    out.push_back(text + (facts->reason.empty() ? "" : ": " + facts->reason));
  }
  add_last_move(of, out);
  out.push_back("it waits for qctl quarantine release or delete");
}

void add_dead(const Case& of, Sentences& out) {
  add_last_move(of, out);
  add_recipients(of, out);
  out.push_back("it is not tried again unless it is released");
}

void add_delegated(const Case& of, Sentences& out) {
  add_last_move(of, out);
  const auto directive = of.text("/delegation/directive"), address = of.text("/delegation/address");
  if (directive.empty()) return out.push_back("another service has it and will give it back");
  out.push_back("rule \"" + directive + "\" of stage " + of.text("/delegation/stage") + " has delegated it to the content filter " + address);
  if (of.text("/delegation/state") == "back") return out.push_back("it is back, and its rules go on");
  const auto* handed = last_of(of.seen, EventKind::Handed);
  const auto* refused = last_of(of.seen, EventKind::Deferred);
  if (handed == nullptr || (refused != nullptr && refused > handed)) {
    add_next_attempt(of, out);
    add_recipients(of, out);
    return add_destinations(of, out);
  }
  out.push_back(handed->text + " since " + duration(of.around.now - handed->time));
  const auto until = of.seen.modified - of.around.now;
  out.push_back(until.count() <= 0 ? "it should be back by now" : "it is lost when it is not back in " + duration(until));
}

struct Row {
  State state;
  void (*add)(const Case&, Sentences&);
};
constexpr auto kRows = std::to_array<Row>({
    {State::Working, add_fresh},
    {State::Deliver, add_fresh},
    {State::Deferred, add_deferred},
    {State::Delegated, add_delegated},
    {State::Hold, add_hold},
    {State::Dead, add_dead},
    {State::Quarantine, add_quarantine},
});
static_assert(kRows.size() == queue::kStates.size());

// The status that ended its rules, which holds behind the queue too (vsl.md 2.4): "Next", {"Deny":...}.
void add_rules(const Case& of, Sentences& out) {
  const Json::json_pointer at("/metadata/skipped");
  if (of.context.contains(at) && !of.context[at].is_null()) out.push_back("its rules have ended with " + of.context[at].dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

std::vector<std::string> reasons_of(const queue::Seen& seen, const Surroundings& around) {
  Sentences sentences;
  auto context = Json::parse(seen.item.context, nullptr, false);
  const Case of{seen, around, context.is_object() ? std::move(context) : Json::object()};
  std::ranges::find(kRows, seen.place.state, &Row::state)->add(of, sentences);
  add_rules(of, sentences);
  return sentences;
}

}  // namespace qctl
