#include "queue-run/deliveries.h"

#include <algorithm>

#include "lib/base/log.h"
#include "lib/chain/context.h"
#include "lib/chain/delivery_call.h"
#include "lib/mail/address.h"
#include "queue-run/context_routes.h"

namespace run {
namespace {

// Few messages do; the others need not be parsed. What cannot be read asks for it.
bool requires_tls(std::string_view context) {
  if (!context.contains("\"require_tls\"")) return false;
  const auto parsed = chain::Context::parse(context);
  return !parsed || parsed->flag("require_tls").value_or(false);
}

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
                   {{"id", message.id.text()},
                    {"status", row_of(result.status).name},
                    {"recipient", recipient},
                    {"transport", transport},
                    {"destination", host},
                    {"delay", seconds_since(message.arrived)},
                    {"reply", result.text}});
}

}  // namespace

Deliveries::Deliveries(net::Loop& loop, queue::Spool& spool, queue::LogReader& log, const Settings& settings, std::function<void(const Left&)> on_left)
    : loop_(loop),
      spool_(spool),
      log_(log),
      settings_(settings),
      on_left_(std::move(on_left)),
      router_(settings.routes),
      schedule_(settings.schedule),
      recorder_(loop, spool, log, [this](Message& message) { on_concluded(message); }),
      caller_(loop, settings.calls) {
  for (std::size_t i = 0; i < kTransports; ++i) transport_ids_[i] = schedule_.add_transport(settings.transports[i].name, settings.transports[i].limits);
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

base::Result<void> Deliveries::admit(const queue::Place& place, const queue::Id& id, bool is_fresh) {
  auto stored = spool_.take(place, id);
  if (!stored) return std::unexpected(stored.error());
  const auto events = spool_.read_progress(id);
  if (!events) return std::unexpected(events.error());
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
  message.wishes = wishes_of(context, settings_.retry);
  message.requires_tls = requires_tls(context);
  const auto& recipients = message.envelope.recipients;
  message.tally.recipients = recipients.size();

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
      settle(message, i, {Status::Sent, "no delivery: switched off by the rules"});
    } else if (rule != nullptr && rule->what == RuledRoute::What::Waits) {
      settle(message, i, {is_too_old(message.wishes.retry, message.arrived, base::wall_now()) ? Status::Failed : Status::Deferred, rule->reason});
    } else if (mail::split_address(recipients[i]).second.starts_with('-')) {
      settle(message, i, {Status::Failed, "553 5.1.2 bad domain"});  // a transport would take HOST for an option
    } else {
      pending.push_back(i);
    }
  }
  if (pending.empty()) {  // the crash came after the last result and before the end
    conclude(message);
    return;
  }
  auto batches = router_.batches(recipients, pending, ruled);
  message.unfinished = batches.size();
  message.deliveries.resize(batches.size());
  for (std::size_t i = 0; i < batches.size(); ++i) {
    Delivery& delivery = message.deliveries[i];
    delivery.message = &message;
    delivery.batch = std::move(batches[i]);
    const auto& to = delivery.batch.route;
    schedule_.add(delivery, transport_ids_[static_cast<std::size_t>(to.transport)], to.host, message.is_fresh, message.wishes.priority, loop_.now_milliseconds());
  }
}

// Without a call.
void Deliveries::settle(Message& message, std::uint32_t recipient, const Result& result) {
  const std::string& address = message.envelope.recipients[recipient];
  log_result(message, "none", "", address, result);
  message.unrecorded.push_back({base::wall_now(), row_of(result.status).event, recipient, {}, address, result.text});
  message.tally.add(result.status);
}

// ---- calls ------------------------------------------------------------------------------------------------------------

bool Deliveries::start(Milliseconds now) {
  std::size_t started = 0;
  while (recorder_.can_record() && started < kStartsPerTurn) {
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

base::Result<void> Deliveries::hold_file(Message& message) {
  auto stored = spool_.take(message.place, message.id);
  if (!stored) return std::unexpected(stored.error());
  message.octets = std::move(stored->message);
  message.is_held = true;
  return {};
}

// A file is locked while it is delivered, and only then: qctl may move one that waits, and descriptors are few.
void Deliveries::let_go(Message& message) {
  if (message.is_in_log || message.open > 0) return;
  message.octets = {};
  message.is_held = false;
}

void Deliveries::open(Delivery& delivery) {
  Message& message = *delivery.message;
  if (!message.is_held) {
    const auto held = hold_file(message);
    if (!held) {
      schedule_.ended(delivery, Schedule::Ending::Dropped, {}, loop_.now_milliseconds());
      drop(message, held.error());
      return;
    }
  }
  const auto& [route, recipients] = delivery.batch;
  chain::Words words = settings_.transports[static_cast<std::size_t>(route.transport)].program;
  words.reserve(words.size() + 2 + recipients.size());
  words.push_back(route.host);
  words.push_back(message.envelope.reverse_path);
  for (const auto index : recipients) words.push_back(message.envelope.recipients[index]);
  chain::Call call;
  call.kind = chain::Kind::Delivery;
  if (message.requires_tls) call.environment.emplace_back("SMTPREQUIRETLS=1");
  call.message = message.octets;
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
  if (ending == Schedule::Ending::Unavailable) {
    complain(outcome, now);
    schedule_.ended(delivery, ending, outcome.cause, now);
    let_go(message);
    if (message.wish) stop_waiting(message);
    return;
  }
  schedule_.ended(delivery, ending, ending == Schedule::Ending::Failed ? std::string_view(report.final_text(0)) : std::string_view(), now);
  on_results(delivery, results_of(report, is_too_old(message.wishes.retry, message.arrived, base::wall_now())));
}

void Deliveries::complain(const chain::Outcome& outcome, Milliseconds now) {
  if (now < complained_at_ + 1000 && complained_at_ != 0) return;
  complained_at_ = now;
  base::log::warning("transport unavailable, its mail waits", {{"cause", outcome.cause}});
}

void Deliveries::put_off(Delivery& delivery, std::string_view reason) {
  const bool gives_up = is_too_old(delivery.message->wishes.retry, delivery.message->arrived, base::wall_now());
  const auto report = chain::DeliveryReport::for_all(delivery.batch.recipients.size(), chain::Outcome::Class::Temporary, "not tried, suspended after: " + std::string(reason));
  on_results(delivery, results_of(report, gives_up));
}

void Deliveries::on_results(Delivery& delivery, const std::vector<Result>& results) {
  Message& message = *delivery.message;
  const auto& [route, recipients] = delivery.batch;
  const auto& transport = settings_.transports[static_cast<std::size_t>(route.transport)];
  for (std::size_t i = 0; i < results.size(); ++i) {
    message.tally.add(results[i].status);
    log_result(message, transport.name, route.host, message.envelope.recipients[recipients[i]], results[i]);
  }
  --message.unfinished;
  // The record of a message that is gone is that it is gone.
  if (fate_of(message.tally) != Fate::Gone) {
    const auto now = base::wall_now();
    for (std::size_t i = 0; i < results.size(); ++i)
      message.unrecorded.push_back({now, row_of(results[i].status).event, recipients[i], route.host, message.envelope.recipients[recipients[i]], results[i].text});
  }
  if (message.unfinished == 0) {
    conclude(message);
  } else {
    recorder_.note(message);
    let_go(message);
  }
}

// ---- out --------------------------------------------------------------------------------------------------------------

namespace {

// Some recipients failed for good and nothing is left to try. The place where bounces are to be made; until then an
// operator finds the message, with what was said about each recipient, in dead/.
Conclusion dispose_of_failed(const Message& message) {
  base::log::error("dead", {{"id", message.id.text()}, {"sender", message.envelope.reverse_path}, {"failed", message.tally.failed}, {"of", message.tally.recipients}});
  return {queue::Place{queue::State::Dead, {}}};
}

}  // namespace

void Deliveries::conclude(Message& message) {
  const auto now = base::wall_now();
  const Fate fate = fate_of(message.tally);
  Conclusion conclusion;
  if (fate == Fate::Dead) conclusion = dispose_of_failed(message);
  if (fate == Fate::Deferred) conclusion.place = queue::Place{queue::State::Deferred, {}};
  if (message.wish && !message.wish->place) {
    conclusion.place.reset();
  } else if (message.wish && fate == Fate::Deferred) {
    conclusion.place = message.wish->place;
  } else if (message.wish) {
    message.wish->answer(std::unexpected(base::Error{base::Fault::Permanent, "nothing was left to deliver", ENOENT}));
    message.wish.reset();
  }
  if (conclusion.place && conclusion.place->state == queue::State::Deferred)
    conclusion.modified = message.retries_soon ? now : next_attempt(message.wishes.retry, message.id, message.arrived, now);
  recorder_.conclude(message, std::move(conclusion));
}

void Deliveries::on_concluded(Message& message) {
  const Left left{message.id, message.conclusion->place, message.conclusion->modified, {}};
  if (message.wish) {
    const auto synced = spool_.sync();
    message.wish->answer(synced);
    message.wish.reset();
  }
  forget(message, left);
}

void Deliveries::drop(Message& message, const base::Error& error) {
  for (auto& delivery : message.deliveries)
    if (delivery.is_waiting) schedule_.remove(delivery);
  forget(message, {message.id, message.place, {}, error});
}

void Deliveries::forget(Message& message, const Left& left) {
  if (!message.is_fresh) --old_messages_;
  messages_.erase(message.id);
  on_left_(left);
}

void Deliveries::stop_waiting(Message& message) {
  for (auto& delivery : message.deliveries) {
    if (!delivery.is_waiting) continue;
    schedule_.remove(delivery);
    --message.unfinished;
  }
  if (message.unfinished == 0) conclude(message);
}

bool Deliveries::fulfil(const queue::Id& id, Wish& wish) {
  const auto known = messages_.find(id);
  if (known == messages_.end()) return false;
  Message& message = *known->second;
  if (message.wish || message.conclusion) {
    wish.answer(base::fail(base::Fault::Temporary, "just being recorded or moved; ask again"));
    return true;
  }
  message.wish = std::move(wish);
  stop_waiting(message);
  return true;
}

bool Deliveries::retry(const queue::Id& id) {
  const auto known = messages_.find(id);
  if (known == messages_.end()) return false;
  known->second->retries_soon = true;
  forgive_destinations_of(known->second->envelope);
  return true;
}

void Deliveries::forgive_destinations_of(const mail::Envelope& envelope) {
  for (const auto& recipient : envelope.recipients) schedule_.forgive(router_.route(recipient).host);
}

bool Deliveries::make_room_in_log() {
  std::vector<queue::LogReader::Spill> spills;
  for (const auto& id : log_.crowding()) {
    if (spills.size() == kSpillsPerTurn) break;
    const auto known = messages_.find(id);
    if (known == messages_.end() || known->second->conclusion) continue;  // the latter is about to leave
    spills.push_back({id, {queue::State::Deliver, {}}, {}});
  }
  if (spills.empty()) {
    const auto freed = log_.free_segments();
    if (!freed) base::log::error("cannot give back segments of the log", {{"cause", freed.error().cause}});
    return false;
  }
  const auto spilled = log_.spill(spills);
  if (!spilled) base::log::error("cannot write files for messages of the log", {{"messages", spills.size()}, {"cause", spilled.error().cause}});
  for (const auto& spill : spills) {
    if (log_.holds(spill.id)) continue;
    Message& message = *messages_.at(spill.id);
    message.is_in_log = message.is_held = false;
    message.place = spill.place;
    message.octets = {};
  }
  return spilled && spills.size() == kSpillsPerTurn;
}

void Deliveries::abandon() {
  for (const auto& [id, message] : messages_)
    for (const auto& delivery : message->deliveries)
      if (delivery.is_open) caller_.cancel(delivery.call, true);
}

}  // namespace run
