// Messages at the rules behind the queue: each stage is a job of the schedule like a delivery, then a call, then its verdict.
#include "lib/base/log.h"
#include "lib/chain/envelope.h"
#include "queue-run/deliveries.h"
#include "queue-run/turns.h"

namespace run {

bool Deliveries::must_ask_rules(const Message& message, std::string_view context, std::span<const queue::Event> events) const {
  return rules_.is_on() && !message.is_notice && next_stage(context, events, message.place, rules_.settings().stages);
}

void Deliveries::ask_rules(Message& message, std::string context, std::vector<queue::Event> events) {
  const auto stage = next_stage(context, events, message.place, rules_.settings().stages);
  message.rules = std::make_unique<AtRules>();
  message.rules->stage = *stage;
  message.rules->context = std::move(context);
  message.rules->events = std::move(events);
  wait_for_rules(message);
}

void Deliveries::wait_for_rules(Message& message) {
  auto& job = message.rules->job;
  job.message = &message;
  job.asks_rules = true;
  schedule_.add(job, rules_transport_, name_of(message.rules->stage), {message.is_fresh, message.wishes.priority, turn_of(message.envelope.reverse_path)},
                loop_.now_milliseconds());
}

void Deliveries::open_rules(Message& message) {
  auto& at = *message.rules;
  at.sent = context_for_rules(at.context, at.stage);
  at.given.reset();
  at.job.is_open = true;
  ++message.open;
  at.job.call = rules_.call(message, at.sent, [this, &message](const chain::Outcome& outcome) { on_rules(message, outcome); });
}

base::Result<void> Deliveries::give_from_rules(const queue::Id& id, const chain::Call& call) {
  const auto known = messages_.find(id);
  if (known == messages_.end() || !known->second->rules || !known->second->rules->job.is_open)
    return std::unexpected(base::Error{base::Fault::Permanent, "no rules run on the message " + id.string(), ENOENT});
  auto& message = *known->second;
  chain::Answer given = chain::Answer::pass();
  const auto before = message.octets.view(), after = call.message.view();
  if (!after) return std::unexpected(after.error());
  if (!before || before->octets() != after->octets()) given.message = call.message;
  if (call.envelope != chain::to_octets(message.envelope)) given.envelope = call.envelope;
  if (!call.context.empty() && call.context != message.rules->sent) given.context = call.context;
  message.rules->given = std::move(given);
  return {};
}

void Deliveries::on_rules(Message& message, const chain::Outcome& outcome) {
  const Milliseconds now = loop_.now_milliseconds();
  auto& at = *message.rules;
  at.job.is_open = false;
  --message.open;
  if (outcome.is_unavailable) {
    complain(outcome, now);
    schedule_.ended(at.job, Schedule::Ending::Unavailable, outcome.cause, now);
    let_go(message);
    if (message.wish) stop_waiting(message);
    return;
  }
  schedule_.ended(at.job, Schedule::Ending::Reached, {}, now);
  carry_out(message, verdict_of(outcome, at.given ? &*at.given : nullptr, at.sent, at.stage));
}

void Deliveries::carry_out(Message& message, Verdict verdict) {
  using What = Verdict::What;
  auto& at = *message.rules;
  const auto stage = name_of(at.stage);
  if (message.wish && !message.wish->place) return conclude(message);  // nobody wants it any more
  if (verdict.what == What::Failed) return rules_failed(message, verdict.text);
  if (verdict.is_delegated && !keeper_.can_delegate()) return rules_failed(message, "they delegate it, and of a spool on a broker no message can be delegated");
  if (!verdict.text.empty() || verdict.what != What::GoesOn)
    base::log::write(base::log::Level::Info, "rules",
                     log_ids(message).before({{"stage", stage}, {"verdict", verdict.what == What::Discarded ? std::string_view("discarded") : std::string_view(verdict.text)}}));
  if (verdict.what == What::Discarded) {
    message.rules.reset();
    return keeper_.conclude(message, {});
  }
  const queue::Event event{base::wall_now(), verdict.is_delegated ? queue::EventKind::Delegated : queue::EventKind::Ruled, std::nullopt, std::string(verdict.ends_rules ? name_of(RulesStage::Delivery) : stage), {}, verdict.text};
  std::optional<RulesStage> next;
  if (!verdict.ends_rules) next = stage_after(at.stage, rules_.settings().stages);
  const bool goes_to_recipients = verdict.what == What::GoesOn && !next && !message.wish;
  if (verdict.has_changes() || (goes_to_recipients && keeper_.must_divide(message))) return replace(message, std::move(verdict), event);
  message.unrecorded.push_back(event);
  if (verdict.what == What::SetAside) {
    message.rules.reset();
    return keeper_.conclude(message, {verdict.place, verdict.until});
  }
  if (message.wish) {
    if (next) at.stage = *next;
    else message.rules.reset();
    return conclude(message);
  }
  if (next) {
    at.stage = *next;
    return wait_for_rules(message);
  }
  const auto asked = std::move(message.rules);
  route(message, asked->context, asked->events);
}

// Rules that fail, die, are slow or not there: the message waits as one does whose destination is not there.
void Deliveries::rules_failed(Message& message, std::string_view reason) {
  const auto stage = message.rules->stage;
  const auto now = base::wall_now();
  const bool gives_up = is_too_old(message);
  // Why is for the operator: the sender may be told the text.
  const std::string text = (gives_up ? std::string(kGivenUp) : std::string()) + "451 4.3.0 rules of this server could not be run on the message";
  message.rules->failure = reason;
  base::log::write(base::log::Level::Warning, "rules failed, the message is put off", log_ids(message).before({{"stage", name_of(stage)}, {"cause", reason}}));
  const auto& recipients = message.envelope.recipients;
  const auto progress = queue::sum_up(message.rules->events, recipients.size());
  const auto kind = gives_up ? queue::EventKind::Failed : queue::EventKind::Deferred;
  for (std::uint32_t i = 0; i < recipients.size(); ++i) {
    if (progress[i].is_settled) {
      message.tally.add(progress[i].last && progress[i].last->kind == queue::EventKind::Failed ? Status::Failed : Status::Sent);
      continue;
    }
    message.unrecorded.push_back({now, kind, i, {}, recipients[i], text});
    message.tally.add(gives_up ? Status::Failed : Status::Deferred);
    note_end(message, i, kind, text);
  }
  conclude(message);
}

// Before anything else happens to it, the new text is durable.
void Deliveries::replace(Message& message, Verdict verdict, const queue::Event& event) {
  auto& at = *message.rules;
  queue::Replacement replacement;
  replacement.item.id = message.id;
  replacement.item.arrived = message.arrived;
  replacement.item.envelope = message.envelope;
  if (verdict.envelope) replacement.item.envelope = *chain::parse_envelope(*verdict.envelope);
  for (const auto& address : replacement.item.envelope.recipients)
    if (address.size() > queue::kMaxAddressOctets || !queue::is_storable_address(address)) return rules_failed(message, "an address that cannot be stored");
  if (!queue::is_storable_address(replacement.item.envelope.reverse_path)) return rules_failed(message, "a sender that cannot be stored");
  replacement.item.context = queue::one_line(verdict.context ? std::move(*verdict.context) : at.sent);
  replacement.message = verdict.message ? *verdict.message : message.octets;
  replacement.item.message_octets = replacement.message.size();
  if (!message.is_in_log) replacement.from = message.place;
  replacement.to = verdict.what == Verdict::What::SetAside ? verdict.place : queue::Place{queue::State::Deliver, {}};
  if (message.wish && verdict.what != Verdict::What::SetAside) replacement.to = *message.wish->place;
  if (replacement.to.state == queue::State::Deferred) replacement.modified = verdict.until.value_or(next_attempt(message));
  if (const auto storable = keeper_.check(replacement); !storable) return rules_failed(message, storable.error().cause);
  replacement.events = std::move(message.unrecorded);
  message.unrecorded.clear();
  replacement.events.push_back(event);
  at.is_replacing = true;
  const Left left{.id = message.id, .place = replacement.to, .next = replacement.modified, .error = {}, .waits_for = {}, .is_new_text = true};
  keeper_.replace(std::move(replacement), [this, &message, left](bool is_stored) { on_replaced(message, left, is_stored); });
}

void Deliveries::on_replaced(Message& message, const Left& left, bool is_stored) {
  if (message.wish) {
    const bool is_fulfilled = is_stored && message.wish->place == left.place;
    auto answer = base::Result<void>();
    if (is_fulfilled && !message.wish->shares_sync) answer = keeper_.sync();
    if (!is_fulfilled) answer = std::unexpected(base::Error{base::Fault::Permanent, "the rules have put it elsewhere, or it is gone", ENOENT});
    message.wish->answer(answer);
    message.wish.reset();
  }
  if (is_stored) return forget(message, left);
  forget(message, {.id = message.id, .place = message.place, .next = {}, .error = base::Error{base::Fault::Temporary, "moved meanwhile", ENOENT}});
}

}  // namespace run
