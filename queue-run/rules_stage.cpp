#include "queue-run/rules_stage.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "lib/base/text.h"
#include "lib/chain/context.h"
#include "lib/chain/delegation.h"
#include "lib/chain/envelope.h"

namespace run {
namespace {

using Json = nlohmann::ordered_json;
using What = Verdict::What;

constexpr auto kSetAside = std::to_array<std::string_view>({"queue", "quarantine", "hold", "put_off"});

bool mentions(std::string_view json, std::string_view member) { return json.contains("\"" + std::string(member) + "\""); }

// Of a context that begins with its stage: what stands behind that. Nearly all do that have one.
std::optional<std::string_view> behind_stage(std::string_view context) {
  const auto stage = chain::leading_stage(context);
  if (!stage) return std::nullopt;
  return context.substr(chain::kStagePrefix.size() + stage->size() + 1);
}

std::string in_front(std::string_view stage, std::string_view rest) {
  std::string context(chain::kStagePrefix);
  context += stage;
  context += '"';
  context += rest;
  return context;
}

Json parsed(std::string_view context) {
  auto json = Json::parse(context, nullptr, false);
  return json.is_object() ? json : Json::object();
}

std::string with_stage(Json context, std::string_view stage) {
  context.erase("stage");
  const std::string rest = context.dump(-1, ' ', false, Json::error_handler_t::replace);
  return in_front(stage, (rest == "{}" ? "" : ",") + rest.substr(1));
}

std::string with_stage(std::string_view context, std::string_view stage) {
  if (const auto rest = behind_stage(context)) return in_front(stage, *rest);
  if (context.starts_with('{') && context.size() > 2 && !mentions(context, "stage")) return in_front(stage, "," + std::string(context.substr(1)));
  return with_stage(parsed(context), stage);
}

// Rules of an earlier stage wanted no others (faccept).
bool is_past_rules(std::string_view context) {
  if (!mentions(context, "queue")) return false;
  const auto read = chain::Context::parse(context);
  if (!read) return false;
  const auto queue = read->text("queue").value_or("");
  return queue == "deliver" || queue == "deferred";
}

std::optional<RulesStage> first_of(std::optional<RulesStage> stage, RulesStages wanted) {
  if (!stage || wanted.has(*stage)) return stage;
  return stage_after(*stage, wanted);
}

// What a filter has made of a context wins over what it was given; JSON that is none is a mistake of it.
base::Result<chain::Context> context_of(const std::optional<std::string>& context) {
  if (!context) return chain::Context();
  auto read = chain::Context::parse(*context);
  if (!read || !context->empty()) return read;
  return base::fail(base::Fault::Temporary, "an empty context");
}

std::string denial_in(const chain::Context& context) {
  const auto own = context.text("metadata.skipped.Deny.Right");
  return "denied" + (own ? ": " + own->substr(0, own->find_first_of("\r\n")) : std::string());
}

std::string reason_in(const chain::Context& context, const queue::Place& place) {
  const auto because = [&context](std::string_view path) {
    const auto text = context.text(path).value_or("");
    return text.empty() ? text : ": " + text;
  };
  switch (place.state) {
    case queue::State::Quarantine: return "quarantined as " + place.quarantine + because("quarantine.reason");
    case queue::State::Hold: return "held" + because("hold");
    case queue::State::Deferred: return "put off" + because("put_off.reason");
    case queue::State::Dead: return denial_in(context);
    case queue::State::Delegated:
      if (const auto directive = context.text("delegation.directive")) return "delegated by " + *directive + " to " + context.text("delegation.address").value_or("a service");
      break;
    case queue::State::Working: case queue::State::Deliver: break;
  }
  return std::string(queue::kStates[static_cast<std::size_t>(place.state)].folder);
}

// Of a message that a content filter is to see: its stage is not over, and goes on when it is back.
bool is_delegated(const chain::Context& context, const queue::Place& place, RulesStage stage) {
  return place.state == queue::State::Delegated && context.text("delegation.state") == "waiting" && context.text("delegation.stage") == name_of(stage);
}

std::string without_stage(Json context) {
  context.erase("stage");
  return context.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Verdict failed(std::string text) {
  Verdict verdict;
  verdict.what = What::Failed;
  verdict.text = std::move(text);
  return verdict;
}

Verdict passed(const chain::Answer& changes, std::string_view sent, RulesStage stage) {
  Verdict verdict;
  verdict.message = changes.message;
  if (changes.envelope) {
    const auto envelope = chain::parse_envelope(*changes.envelope);
    if (!envelope) return failed(envelope.error().cause);
    if (envelope->recipients.empty()) return failed("an envelope without recipients");
    verdict.envelope = changes.envelope;
  }
  if (!changes.context || *changes.context == sent) return verdict;
  const auto context = context_of(changes.context);
  if (!context) return failed(context.error().cause);
  if (const std::string folder = chain::folder_in(*context); !folder.empty()) {
    const auto place = queue::Place::parse(folder);
    if (!place) return failed("no folder of the spool is called " + base::text::printable(folder, 80));
    verdict.place = *place;
    verdict.ends_rules = place->state == queue::State::Deliver || place->state == queue::State::Deferred;
    if (place->state != queue::State::Deliver && place->state != queue::State::Working) verdict.what = What::SetAside;
    if (const auto until = context->text("put_off.until"); until && place->state == queue::State::Deferred) verdict.until = base::parse_rfc3339(*until);
    verdict.text = reason_in(*context, *place);
    if (is_delegated(*context, *place, stage)) {
      verdict.is_delegated = true;
      verdict.context = stage == RulesStage::Postq ? without_stage(parsed(*changes.context)) : with_stage(std::string_view(*changes.context), name_of(RulesStage::Postq));
      return verdict;
    }
  }
  verdict.context = with_stage(std::string_view(*changes.context), name_of(verdict.ends_rules ? RulesStage::Delivery : stage));
  return verdict;
}

Verdict denied(std::string_view reply) {
  Verdict verdict;
  verdict.what = What::SetAside;
  verdict.place = {queue::State::Dead, {}};
  verdict.text = "denied" + (reply.empty() ? std::string() : ": " + std::string(reply));
  return verdict;
}

}  // namespace

std::string_view name_of(RulesStage stage) { return stage == RulesStage::Postq ? "postq" : "delivery"; }

std::optional<RulesStage> rules_stage_of(std::string_view name) {
  for (const auto stage : {RulesStage::Postq, RulesStage::Delivery})
    if (name == name_of(stage)) return stage;
  return std::nullopt;
}

std::optional<RulesStage> stage_after(RulesStage stage, RulesStages wanted) {
  if (stage == RulesStage::Postq && wanted.delivery) return RulesStage::Delivery;
  return std::nullopt;
}

std::optional<RulesStage> next_stage(std::string_view context, std::span<const queue::Event> events, const queue::Place& place, RulesStages wanted) {
  std::optional<RulesStage> next = RulesStage::Postq;
  bool must_run = false;
  const auto past = [&](std::string_view name) {
    const auto stage = rules_stage_of(name);
    if (stage) next = *stage == RulesStage::Postq ? std::optional(RulesStage::Delivery) : std::nullopt;
    must_run = must_run && !stage;
  };
  past(chain::stage_in(context));
  // Of one that is back from a content filter the stage is not over, whatever else stands there.
  if (const auto delegation = chain::delegation_in(context)) next = rules_stage_of(delegation->stage);
  for (const auto& event : events) {
    if (event.kind == queue::EventKind::Ruled) past(event.destination);
    if (event.kind != queue::EventKind::Unruled) continue;
    // Only those that have not run: a new text of the message says so in its context.
    const auto stage = rules_stage_of(event.destination);
    if (!stage || !next || *stage < *next) continue;
    next = stage;
    must_run = true;
  }
  if (must_run) return first_of(next, wanted);
  if (is_past_rules(context)) return std::nullopt;
  if (place.state == queue::State::Deferred) return std::nullopt;
  if (place.state == queue::State::Deliver && next) next = RulesStage::Delivery;
  return first_of(next, wanted);
}

std::string context_for_rules(std::string_view stored, RulesStage stage) {
  if (std::ranges::none_of(kSetAside, [stored](std::string_view name) { return mentions(stored, name); })) return with_stage(stored, name_of(stage));
  Json context = parsed(stored);
  Json released = Json::object();
  for (const auto name : kSetAside) {
    const auto member = context.find(name);
    if (member == context.end()) continue;
    released[std::string(name)] = *member;
    context.erase(member);
  }
  if (!released.empty()) context["released"] = std::move(released);
  return with_stage(std::move(context), name_of(stage));
}

Verdict verdict_of(const chain::Outcome& outcome, const chain::Answer* given, std::string_view sent, RulesStage stage) {
  using Class = chain::Outcome::Class;
  if (outcome.result == Class::Temporary) return failed(outcome.reply.empty() ? outcome.cause : outcome.reply);
  if (outcome.result == Class::Permanent) return denied(outcome.reply.empty() ? std::string_view(outcome.cause) : std::string_view(outcome.reply));
  if (outcome.passed) return passed(*outcome.passed, sent, stage);
  if (given != nullptr) return passed(*given, sent, stage);
  Verdict verdict;
  verdict.what = What::Discarded;
  verdict.text = outcome.reply;
  return verdict;
}

}  // namespace run
