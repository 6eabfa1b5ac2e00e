#include "queue-run/deliveries.h"

#include <algorithm>

#include "lib/base/log.h"
#include "lib/chain/context.h"
#include "lib/chain/delivery_call.h"
#include "lib/mail/address.h"
#include "queue-run/context_routes.h"
#include "queue-run/mailing.h"
#include "queue-run/notifier.h"
#include "queue-run/turns.h"

namespace run {
namespace {

// Few messages do; the others need not be parsed. What cannot be read asks for it.
bool requires_tls(std::string_view context) {
  if (!context.contains("\"require_tls\"")) return false;
  const auto parsed = chain::Context::parse(context);
  return !parsed || parsed->flag("require_tls").value_or(false);
}

// What a transport would take for an option, a file or a command when it is its HOST. No domain is such.
bool is_bad_host(std::string_view domain) { return domain.starts_with('-') || domain.starts_with('|') || domain.contains('/'); }

constexpr std::size_t kSpillsPerTurn = 64;  // waits for the disk, so not too many
constexpr std::size_t kStartsPerTurn = 500;

std::string seconds_since(base::WallTime then) {
  const auto milliseconds = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(base::wall_now() - then).count());
  std::string fraction = std::to_string(milliseconds % 1000);
  return std::to_string(milliseconds / 1000) + "." + std::string(3 - fraction.size(), '0') + fraction;
}

void log_result(const Message& message, std::string_view transport, std::string_view host, std::string_view recipient, const Result& result) {
  const auto level = result.status == Status::Sent ? base::log::Level::Info : base::log::Level::Warning;
  base::log::write(level, "delivery",
                   log_ids(message).before({
                    {"status", row_of(result.status).name},
                    {"recipient", recipient},
                    {"transport", transport},
                    {"destination", host},
                    {"delay", seconds_since(message.arrived)},
                    {"reply", result.text}}));
}

// What the transport tells the next host of its sender's wishes.
std::string context_for(const Message& message, std::span<const std::uint32_t> recipients) {
  std::vector<std::string> addresses;
  mail::DsnRequest asked{message.dsn.returns, message.dsn.envelope_id, {}};
  for (const auto index : recipients) {
    addresses.push_back(message.recipients()[index]);
    asked.recipients.push_back(message.dsn.of(index));
  }
  return chain::dsn_context(asked, addresses);
}

}  // namespace

Deliveries::Deliveries(net::Loop& loop, Keeper& keeper, const Settings& settings, std::function<void(const Left&)> on_left,
                       std::function<void(const queue::Id&)> on_notice)
    : loop_(loop),
      keeper_(keeper),
      settings_(settings),
      on_left_(std::move(on_left)),
      on_notice_(std::move(on_notice)),
      router_(settings.routes),
      addresses_(settings.addresses),
      schedule_(settings.schedule),
      rules_(loop, settings.rules),
      caller_(loop, settings.calls) {
  keeper_.on_concluded = [this](Message& message) { on_concluded(message); };
  for (const auto& transport : settings_.transports) transport_ids_.push_back(schedule_.add_transport(transport.name, transport.limits));
  if (rules_.is_on()) rules_transport_ = schedule_.add_transport("rules", settings_.rules.limits);
}

Deliveries::~Deliveries() = default;

// ---- in ---------------------------------------------------------------------------------------------------------------

void Deliveries::admit(queue::LogItem item) {
  auto message = std::make_unique<Message>();
  message->id = item.item.id;
  message->is_in_log = message->is_held = true;
  message->arrived = item.item.arrived;
  message->envelope = std::move(item.item.envelope);
  message->octets = std::move(item.message);
  admit(std::move(message), item.item.context, item.events);
}

base::Result<void> Deliveries::admit(queue::Spool& spool, const queue::Place& place, const queue::Id& id, bool is_fresh) {
  auto stored = spool.take(place, id);
  if (!stored) return std::unexpected(stored.error());
  const auto events = spool.read_progress(id);
  if (!events) return std::unexpected(events.error());
  if (place.state == queue::State::Delegated && !chain::delegation_in(stored->item.context))
    return base::fail(base::Fault::Permanent, "its context names no service: who has put it there gives it back");
  if (const auto mark = notice_mark(stored->item.context))
    if (const auto told = acknowledge(spool, place, id, mark->of); !told) return told;
  auto message = std::make_unique<Message>();
  message->id = id;
  message->place = place;
  message->is_fresh = is_fresh;
  message->is_held = true;
  message->arrived = stored->item.arrived;
  message->envelope = std::move(stored->item.envelope);
  message->octets = std::move(stored->message);
  just_admitted_.push_back(id);
  admit(std::move(message), stored->item.context, *events);
  return {};
}

void Deliveries::admit(std::unique_ptr<Message> owned, std::string_view context, std::span<const queue::Event> events) {
  Message& message = *owned;
  messages_[message.id] = std::move(owned);
  if (!message.is_fresh) ++old_messages_;
  ++(message.is_fresh ? counters_.attempts_fresh : counters_.attempts_old);
  message.turn = turn_of(message.envelope.reverse_path);
  message.wishes = wishes_of(context, settings_.retry);
  message.requires_tls = requires_tls(context);
  const auto& reverse_path = message.envelope.reverse_path;
  message.verp = message.wishes.verp.empty() ? mail::VerpSender::of_qmail(reverse_path) : mail::VerpSender::of(reverse_path, message.wishes.verp);
  const auto& recipients = message.envelope.recipients;
  message.tally.recipients = recipients.size();
  message.dsn = chain::dsn_of(context, recipients);
  message.is_smtputf8 = context.contains("\"smtputf8\":true");
  message.transaction = chain::transaction_of(context);
  const auto mark = notice_mark(context);
  message.is_notice = mark.has_value();
  message.notice_facts = {!message.envelope.reverse_path.empty(), message.wishes.no_bounce, mark && mark->is_double, false, message.arrived};
  if (!events.empty()) {
    const auto told = notice_history(events, [this](const queue::Id& id) { return keeper_.is_stored(id); });
    message.notice_facts.has_warned = told.has_any(NoticeKind::Delay);
    message.ends = ends_of(events, told, message.dsn, recipients.size());
  }
  if (message.place.state == queue::State::Delegated)
    if (auto delegation = chain::delegation_in(context); delegation && delegation->state == chain::Delegation::State::Waiting)
      return delegate(message, *std::move(delegation), context, events);
  if (must_ask_rules(message, context, events)) return ask_rules(message, std::string(context), {events.begin(), events.end()});
  route(message, context, events);
}

// What is not settled goes to its transports.
void Deliveries::route(Message& message, std::string_view context, std::span<const queue::Event> events) {
  const auto& recipients = message.envelope.recipients;
  const auto progress = events.empty() ? std::vector<queue::RecipientProgress>(recipients.size()) : queue::sum_up(events, recipients.size());
  const auto ruled = ruled_routes(context);
  const auto ruled_for = [&](const std::string& recipient) {
    const auto found = ruled.empty() ? ruled.end() : ruled.find(recipient);
    return found == ruled.end() ? nullptr : &found->second;
  };
  std::vector<std::uint32_t> pending;
  for (std::uint32_t i = 0; i < recipients.size(); ++i) {
    if (progress[i].is_settled) {
      message.tally.add(progress[i].last && progress[i].last->kind == queue::EventKind::Failed ? Status::Failed : Status::Sent);
    } else if (const auto* rule = ruled_for(recipients[i]); rule != nullptr && rule->what == RuledRoute::What::Nothing) {
      settle(message, i, {Status::Sent, "no delivery: switched off by the rules", chain::Reach::Promised});
    } else if (rule != nullptr && rule->what == RuledRoute::What::Alias) {
      settle(message, i, {Status::Sent, "its mail goes on to others"}, queue::EventKind::Expanded);
    } else if (rule != nullptr && rule->what == RuledRoute::What::List) {
      settle(message, i, {Status::Sent, "taken by the list", chain::Reach::Mailbox});
    } else if (rule != nullptr && rule->what == RuledRoute::What::Waits) {
      settle(message, i, {is_too_old(message) ? Status::Failed : Status::Deferred, rule->reason});
    } else if (find_target(message, i)) {
      continue;
    } else if (is_bad_host(mail::split_address(message.recipients()[i]).second)) {
      settle(message, i, {Status::Failed, "553 5.1.2 bad domain"});
    } else if (const auto refusal = router_.route(message.recipients()[i], ruled).refusal; !refusal.empty()) {
      const bool is_for_good = refusal.starts_with('5') || is_too_old(message);
      settle(message, i, {is_for_good ? Status::Failed : Status::Deferred, refusal});
    } else {
      pending.push_back(i);
    }
  }
  if (pending.empty()) {  // the crash came after the last result and before the end
    conclude(message);
    return;
  }
  auto batches = router_.batches(message.recipients(), pending, ruled);
  if (message.verp) batches = one_for_each(std::move(batches));
  message.unfinished = batches.size();
  message.deliveries.resize(batches.size());
  for (std::size_t i = 0; i < batches.size(); ++i) {
    Delivery& delivery = message.deliveries[i];
    delivery.message = &message;
    delivery.batch = std::move(batches[i]);
    const auto& to = delivery.batch.route;
    schedule_.add(delivery, transport_ids_[index_of(to.transport)], to.host,
                  {message.is_fresh, message.wishes.priority, message.turn}, loop_.now_milliseconds());
  }
}

bool Deliveries::find_target(Message& message, std::uint32_t recipient) {
  const auto& address = message.envelope.recipients[recipient];
  auto target = addresses_.return_of(address, base::wall_now());
  if (!target) return false;
  if (!target->refusal.empty()) {
    settle(message, recipient, {Status::Failed, std::move(target->refusal)});
    return true;
  }
  base::log::write(base::log::Level::Info, "returned to the sender of what was forwarded", log_ids(message).before({{"recipient", address}, {"target", target->address}}));
  if (message.targets.empty()) message.targets = message.envelope.recipients;
  message.targets[recipient] = std::move(target->address);
  return false;
}

std::string Deliveries::sender_for(const Message& message, const Batch& batch) const {
  if (message.verp) return message.verp->address_for(message.envelope.recipients[batch.recipients.front()]);
  if (batch.route.transport == Transport::Local) return message.envelope.reverse_path;
  std::vector<std::string_view> recipients;
  for (const auto index : batch.recipients) recipients.emplace_back(message.recipients()[index]);
  return addresses_.sender_for(message.envelope.reverse_path, recipients, base::wall_now());
}

// Without a call.
void Deliveries::settle(Message& message, std::uint32_t recipient, const Result& result) {
  settle(message, recipient, result, event_kind(message, recipient, result, Transport::Local));
}

void Deliveries::settle(Message& message, std::uint32_t recipient, const Result& result, queue::EventKind kind) {
  const std::string& address = message.envelope.recipients[recipient];
  log_result(message, "none", "", address, result);
  message.unrecorded.push_back({base::wall_now(), kind, recipient, {}, address, result.text});
  message.tally.add(result.status);
  note_end(message, recipient, kind, result.text);
}

queue::EventKind Deliveries::event_kind(const Message& message, std::uint32_t recipient, const Result& result, Transport transport) const {
  return result.status == Status::Sent ? sent_kind(result.reach, transport, message.dsn.of(recipient)) : row_of(result.status).event;
}

// What a sender may have to be told of.
void Deliveries::note_end(Message& message, std::uint32_t recipient, queue::EventKind kind, const std::string& text) {
  const auto action = action_of(kind, message.dsn.of(recipient));
  if (!action) return;
  if (*action == Action::Delayed && !is_warning_due(message.notice_facts, settings_.notices, now_for(message.arrived))) return;
  message.ends.push_back({recipient, *action, text, base::wall_now()});
}

base::WallTime Deliveries::now_for(base::WallTime then) {
  const auto now = base::wall_now();
  if (const auto by = clock_.look(now); by.count() != 0) ages_.clock_was_set(by, now);
  return ages_.now_for(then, now);
}

bool Deliveries::is_too_old(const Message& message) { return run::is_too_old(message.wishes.retry, message.arrived, now_for(message.arrived)); }

base::WallTime Deliveries::next_attempt(const Message& message) {
  const auto now = now_for(message.arrived);
  return run::next_attempt(message.wishes.retry, message.id, message.arrived, now) + (base::wall_now() - now);
}

// ---- calls ------------------------------------------------------------------------------------------------------------

bool Deliveries::start(Milliseconds now) {
  std::size_t started = 0;
  while (keeper_.can_record() && started < kStartsPerTurn) {
    const auto decision = schedule_.next(now);
    if (!decision) break;
    ++started;
    auto& delivery = static_cast<Delivery&>(*decision->job);
    if (decision->starts) {
      open(delivery);
    } else {
      put_off(delivery, decision->reason);
    }
  }
  for (const auto& id : just_admitted_)
    if (const auto known = messages_.find(id); known != messages_.end()) let_go(*known->second);
  just_admitted_.clear();
  return started == kStartsPerTurn;
}

void Deliveries::let_go(Message& message) {
  if (message.open == 0) keeper_.let_go(message);
}

void Deliveries::open(Delivery& delivery) {
  Message& message = *delivery.message;
  if (!message.is_held) {
    const auto held = keeper_.hold(message);
    if (!held) {
      schedule_.ended(delivery, Schedule::Ending::Dropped, {}, loop_.now_milliseconds());
      drop(message, held.error());
      return;
    }
  }
  if (delivery.asks_rules) return open_rules(message);
  if (delivery.hands_over) return hand_over(message);
  const auto& [route, recipients] = delivery.batch;
  chain::Words words = settings_.transports[index_of(route.transport)].program;
  words.reserve(words.size() + 2 + recipients.size());
  words.push_back(route.host);
  words.push_back(sender_for(message, delivery.batch));
  for (const auto index : recipients) words.push_back(message.recipients()[index]);
  chain::Call call;
  call.kind = chain::Kind::Delivery;
  if (message.requires_tls) call.environment.emplace_back("SMTPREQUIRETLS=1");
  log_ids(message).append_to(call.environment);
  call.message = message.octets;
  if (!message.dsn.is_empty()) call.context = context_for(message, recipients);
  if (!route.password.empty()) call.context = chain::with_transfer_password(std::move(call.context), route.password);
  delivery.is_open = true;
  ++message.open;
  delivery.call = caller_.call(words, std::move(call), [this, &delivery](const chain::Outcome& outcome) { on_outcome(delivery, outcome); });
}

void Deliveries::on_outcome(Delivery& delivery, const chain::Outcome& outcome) {
  Message& message = *delivery.message;
  const Milliseconds now = loop_.now_milliseconds();
  const auto report = chain::read_delivery(outcome, delivery.batch.recipients.size());
  const auto ending = ending_of(outcome, report);
  delivery.is_open = false;
  --message.open;
  ++(ending == Schedule::Ending::Unavailable ? counters_.unavailable : counters_.calls);
  if (ending == Schedule::Ending::Unavailable) {
    complain(outcome, now);
    schedule_.ended(delivery, ending, outcome.cause, now);
    let_go(message);
    if (message.wish) stop_waiting(message);
    return;
  }
  if (ending == Schedule::Ending::Failed) message.waits_for = delivery.batch.route.host;
  schedule_.ended(delivery, ending, ending == Schedule::Ending::Failed ? std::string_view(report.final_text(0)) : std::string_view(), now);
  on_results(delivery, results_of(report, is_too_old(message)));
}

void Deliveries::complain(const chain::Outcome& outcome, Milliseconds now) {
  if (now < complained_at_ + 1000 && complained_at_ != 0) return;
  complained_at_ = now;
  base::log::warning("transport unavailable, its mail waits", {{"cause", outcome.cause}});
}

void Deliveries::put_off(Delivery& delivery, std::string_view reason) {
  if (delivery.asks_rules) return rules_failed(*delivery.message, reason);
  ++counters_.put_off;
  delivery.message->waits_for = delivery.batch.route.host;
  if (delivery.hands_over) {
    const std::string said = std::string(kNotTried) + std::string(reason);
    return hand_over_failed(*delivery.message, {&said, 1});
  }
  const bool gives_up = is_too_old(*delivery.message);
  const auto report = chain::DeliveryReport::for_all(delivery.batch.recipients.size(), chain::Outcome::Class::Temporary, std::string(kNotTried) + std::string(reason));
  on_results(delivery, results_of(report, gives_up));
}

void Deliveries::on_results(Delivery& delivery, const std::vector<Result>& results) {
  Message& message = *delivery.message;
  const auto& [route, recipients] = delivery.batch;
  const auto& transport = settings_.transports[index_of(route.transport)];
  std::vector<queue::EventKind> kinds;
  for (std::size_t i = 0; i < results.size(); ++i) {
    message.tally.add(results[i].status);
    ++counters_.results[static_cast<std::size_t>(results[i].status)];
    kinds.push_back(event_kind(message, recipients[i], results[i], route.transport));
    note_end(message, recipients[i], kinds.back(), results[i].text);
    log_result(message, transport.name, route.host, message.envelope.recipients[recipients[i]], results[i]);
  }
  --message.unfinished;
  // The record of a message that is gone is that it is gone.
  if (run::fate_of(message.tally) != Fate::Gone || !message.ends.empty()) {
    const auto now = base::wall_now();
    for (std::size_t i = 0; i < results.size(); ++i)
      message.unrecorded.push_back({now, kinds[i], recipients[i], route.host, message.envelope.recipients[recipients[i]], results[i].text});
  }
  if (message.unfinished == 0) {
    conclude(message);
  } else {
    keeper_.note(message);
    let_go(message);
  }
}

void Deliveries::flush(Milliseconds now, bool at_end) {
  keeper_.flush(now, at_end);
}

// ---- steering -------------------------------------------------------------------------------------------------------

bool Deliveries::fulfil(const queue::Id& id, Wish& wish) {
  const auto known = messages_.find(id);
  if (known == messages_.end()) return false;
  Message& message = *known->second;
  if (message.wish || message.conclusion || message.is_notifying || (message.rules && message.rules->is_replacing) || (message.service && message.service->is_replacing)) {
    wish.answer(base::fail(base::Fault::Temporary, "just being recorded or moved; ask again"));
    return true;
  }
  message.wish = std::move(wish);
  stop_waiting(message);
  return true;
}

void Deliveries::release_idle() {
  std::vector<queue::Id> idle;
  for (const auto& [id, message] : messages_)
    if (message->open == 0 && !message->wish && !message->conclusion && !message->is_notifying) idle.push_back(id);
  for (const auto& id : idle) {
    Wish wish{queue::Place{queue::State::Deliver, {}}, [](const base::Result<void>&) {}};
    fulfil(id, wish);
  }
}

std::vector<queue::Id> Deliveries::idle_of_busiest_sender(std::size_t count, std::size_t least) const {
  const auto is_idle = [](const Message& message) {
    if (message.place.state == queue::State::Delegated) return false;  // from deliver/ it would go on without its content filter
    return message.is_fresh && message.open == 0 && !message.wish && !message.conclusion && !message.is_notifying && !(message.rules && message.rules->is_replacing);
  };
  std::unordered_map<std::uint64_t, std::size_t> by_turn;
  for (const auto& [id, message] : messages_)
    if (is_idle(*message)) ++by_turn[message->turn];
  const auto busiest = std::ranges::max_element(by_turn, {}, [](const auto& each) { return each.second; });
  if (busiest == by_turn.end() || busiest->second < least) return {};
  std::vector<queue::Id> ids;
  for (const auto& [id, message] : messages_)
    if (message->turn == busiest->first && is_idle(*message)) ids.push_back(id);
  count = std::min(count, ids.size());
  std::ranges::partial_sort(ids, ids.begin() + static_cast<std::ptrdiff_t>(count), std::ranges::greater());
  ids.resize(count);
  return ids;
}

bool Deliveries::retry(const queue::Id& id) {
  const auto known = messages_.find(id);
  if (known == messages_.end()) return false;
  known->second->retries_soon = true;
  forgive_destinations_of(known->second->envelope.recipients);
  return true;
}

void Deliveries::forgive_destinations_of(std::span<const std::string> addresses) {
  for (const auto& address : addresses) schedule_.forgive(router_.route(address).host);
}

bool Deliveries::make_room_in_log(queue::LogReader& log) {
  std::vector<queue::LogReader::Spill> spills;
  for (const auto& id : log.crowding()) {
    if (spills.size() == kSpillsPerTurn) break;
    const auto known = messages_.find(id);
    if (known == messages_.end() || known->second->conclusion) continue;  // the latter is about to leave
    const auto* rules = known->second->rules.get();
    if (rules != nullptr && rules->is_replacing) continue;  // so is this one
    const bool is_before_rules = rules != nullptr && rules->stage == RulesStage::Postq;
    spills.push_back({id, {is_before_rules ? queue::State::Working : queue::State::Deliver, {}}, {}});
  }
  if (spills.empty()) {
    const auto freed = log.free_segments();
    if (!freed) base::log::error("cannot give back segments of the log", {{"cause", freed.error().cause}});
    return false;
  }
  const auto spilled = log.spill(spills);
  if (!spilled) base::log::error("cannot write files for messages of the log", {{"messages", spills.size()}, {"cause", spilled.error().cause}});
  for (const auto& spill : spills) {
    if (log.holds(spill.id)) continue;
    Message& message = *messages_.at(spill.id);
    message.is_in_log = message.is_held = false;
    message.place = spill.place;
    message.octets = {};
  }
  return spilled && spills.size() == kSpillsPerTurn;
}

void Deliveries::abandon() {
  for (const auto& [id, message] : messages_)
    if (message->rules && message->rules->job.is_open) rules_.cancel(message->rules->job.call);
  for (const auto& [id, message] : messages_)
    if (message->service && message->service->job.is_open) caller_.cancel(message->service->job.call, true);
  for (const auto& [id, message] : messages_)
    for (const auto& delivery : message->deliveries)
      if (delivery.is_open) caller_.cancel(delivery.call, true);
}

}  // namespace run
