#include "queue-run/broker_keeper.h"

#include <algorithm>

#include "lib/base/log.h"
#include "queue-run/context_routes.h"
#include "queue-run/notices.h"

namespace run {
namespace {

using queue::Place;
using queue::State;

constexpr Milliseconds kRetryDelay = 1000;
constexpr Milliseconds kRememberFor = 3'600'000;  // concluded messages; longer than a broker waits for an acknowledgement
constexpr Milliseconds kForgetEvery = 60'000;
constexpr auto kSlack = std::chrono::seconds(1);  // the shortest time that a message can be made to wait

broker::Link::Settings link_settings(const BrokerKeeper::Settings& settings, bool consumes) {
  broker::Link::Settings link{settings.setup.address, settings.setup.connection, settings.setup.making, {}, settings.patience + std::chrono::minutes(10)};
  link.connection.name += consumes ? " (in)" : " (out)";
  if (consumes)
    for (const auto& queue : settings.setup.making.queues.served()) link.consumers.push_back({queue, settings.prefetch});
  return link;
}

// One call for each: groups of recipients, as Deliveries will make them.
std::vector<Batch> groups_of(const Router& router, const broker::Parcel& parcel) {
  const auto& recipients = parcel.item.envelope.recipients;
  const auto progress = queue::sum_up(parcel.events, recipients.size());
  std::vector<std::uint32_t> pending;
  for (std::uint32_t i = 0; i < recipients.size(); ++i)
    if (!progress[i].is_settled) pending.push_back(i);
  return router.batches(recipients, pending, ruled_routes(parcel.item.context));
}

bool is_of_rules(const queue::Event& event) { return event.kind == queue::EventKind::Ruled || event.kind == queue::EventKind::Unruled; }

}  // namespace

BrokerKeeper::BrokerKeeper(net::Loop& loop, Settings settings, Events events)
    : settings_(std::move(settings)),
      events_(std::move(events)),
      router_(settings_.routes),
      publisher_(loop, link_settings(settings_, false), {}),
      consumer_(loop, link_settings(settings_, true),
                {[this](bool is_up, const std::string& why) { on_state(is_up, why); },
                 [this](broker::Ticket ticket, broker::Incoming incoming) { on_arrived(ticket, std::move(incoming)); }}) {}

void BrokerKeeper::on_state(bool is_up, const std::string& why) {
  if (is_up) {
    base::log::info("connected to the broker", {{"host", why}});
  } else if (was_up_) {
    base::log::error("no connection to the broker, mail waits", {{"cause", why}});
  }
  was_up_ = is_up;
  if (is_up_ == is_up) return;
  is_up_ = is_up;
  if (is_up) return;
  for (auto& [id, held] : held_) held.ticket.reset();
  behind_.clear();
  next_.clear();
  events_.on_lost();
}

void BrokerKeeper::stop() {
  is_stopping_ = true;
  consumer_.stop_consuming();
}

void BrokerKeeper::count(std::function<void(base::Result<std::uint64_t>)> done) { publisher_.count(settings_.setup.making.queues.served(), std::move(done)); }

// ---- in ---------------------------------------------------------------------------------------------------------------

void BrokerKeeper::on_arrived(const broker::Ticket& ticket, broker::Incoming incoming) {
  if (is_stopping_) return consumer_.nack(ticket, true);
  if (!incoming.parcel) {
    const bool is_foreign = incoming.parcel.error().fault == base::Fault::Permanent;
    base::log::error(is_foreign ? "not a message, put into dead" : "cannot take a message", {{"queue", incoming.queue}, {"cause", incoming.parcel.error().cause}});
    if (is_foreign) return consumer_.nack(ticket, false);  // that queue has it then
    again_.push_back([this, ticket] { consumer_.nack(ticket, true); });
    retry_at_ = std::min(retry_at_, base::monotonic_milliseconds() + kRetryDelay);
    return;
  }
  if (is_known(ticket, *incoming.parcel)) return;
  const auto id = incoming.parcel->item.id;
  if (held_.contains(id)) {
    behind_[id].push_back({ticket, std::move(incoming)});
    return;
  }
  take_in(ticket, std::move(*incoming.parcel), incoming.queue);
}

// A message that came before. What is acknowledged here is safe elsewhere: delivered, in the queue of its next attempt, or in hand.
bool BrokerKeeper::is_known(const broker::Ticket& ticket, const broker::Parcel& parcel) {
  const auto& id = parcel.item.id;
  const auto before = concluded_.find(id);
  if (before != concluded_.end() && parcel.attempt <= before->second.attempt) {
    base::log::info("came again, acknowledged", {{"id", id.text()}, {"attempt", parcel.attempt}});
    consumer_.ack(ticket);
    return true;
  }
  const auto held = held_.find(id);
  if (held == held_.end() || parcel.attempt > held->second.parcel.attempt) return false;
  if (parcel.attempt == held->second.parcel.attempt && !held->second.ticket) {
    held->second.ticket = ticket;  // its delivery goes on, now it can be acknowledged
    return true;
  }
  base::log::info("a second copy, acknowledged", {{"id", id.text()}, {"attempt", parcel.attempt}});
  consumer_.ack(ticket);
  return true;
}

void BrokerKeeper::take_in(const broker::Ticket& ticket, broker::Parcel parcel, const std::string& queue) {
  const auto id = parcel.item.id;
  auto& held = held_[id] = Held{std::move(parcel), ticket};
  const auto wait = broker::Queues::left_to_wait(held.parcel.due, held.parcel.wait, base::wall_now());
  if (wait > kSlack) return put_back_to_wait(id, wait);
  const auto place = settings_.setup.making.queues.place_of(queue).value_or(Place{State::Deliver, {}});
  if (!awaits_rules(held.parcel, place))
    if (const auto groups = groups_of(router_, held.parcel); groups.size() > 1) return transfer(divide(held.parcel, groups), [this, id] { settle(id); });
  auto message = std::make_unique<Message>();
  message->id = id;
  message->place = place;
  message->is_fresh = std::ranges::find(held.parcel.events, queue::EventKind::Deferred, &queue::Event::kind) == held.parcel.events.end();
  message->is_held = true;
  message->arrived = held.parcel.item.arrived;
  message->envelope = held.parcel.item.envelope;
  message->octets = held.parcel.message;
  const broker::Parcel copy = held.parcel;  // what follows may end with it
  events_.on_message(std::move(message), copy);
}

// The rest of its time.
void BrokerKeeper::put_back_to_wait(const queue::Id& id, std::chrono::milliseconds wait) {
  broker::Parcel parcel = held_.at(id).parcel;
  const auto now = base::wall_now();
  parcel.due = now + wait;
  const auto queue = settings_.setup.making.queues.of(Place{State::Deferred, {}}, parcel.due, now);
  ++parcel.attempt;  // else it would look like a copy of itself
  transfer({{queue, std::move(parcel)}}, [this, id] { settle(id); });
}

bool BrokerKeeper::awaits_rules(const broker::Parcel& parcel, const Place& place) const {
  return settings_.rules && !notice_mark(parcel.item.context) && next_stage(parcel.item.context, parcel.events, place, *settings_.rules);
}

BrokerKeeper::Parcels BrokerKeeper::divide(const broker::Parcel& whole, const std::vector<Batch>& batches) const {
  Parcels parts;
  for (const auto& batch : batches) {
    auto part = broker::part_of(whole, batch.recipients);
    base::log::info("part", {{"id", whole.item.id.text()}, {"part", part.item.id.text()}, {"destination", batch.route.host}, {"recipients", batch.recipients.size()}});
    parts.emplace_back(settings_.setup.making.queues.of(Place{State::Deliver, {}}), std::move(part));
  }
  return parts;
}

// ---- out --------------------------------------------------------------------------------------------------------------

void BrokerKeeper::transfer(Parcels parcels, std::function<void()> done) {
  ++transfers_;
  publish(std::make_shared<Transfer>(Transfer{std::move(parcels), 0, std::move(done)}));
}

// What is not confirmed is published again: it may then be there twice, but never not at all.
void BrokerKeeper::publish(const std::shared_ptr<Transfer>& transfer) {
  auto parcels = std::move(transfer->parcels);
  transfer->parcels.clear();
  transfer->open = parcels.size();
  for (auto& [queue, parcel] : parcels) {
    publisher_.publish(queue, parcel, [this, transfer, queue, parcel](const base::Result<void>& published) {
      if (!published) {
        base::log::error("not put back, tried again", {{"id", parcel.item.id.text()}, {"queue", queue}, {"cause", published.error().cause}});
        transfer->parcels.emplace_back(queue, parcel);
      }
      if (--transfer->open > 0) return;
      if (transfer->parcels.empty()) {
        --transfers_;
        transfer->done();
        return;
      }
      again_.push_back([this, transfer] { publish(transfer); });
      retry_at_ = std::min(retry_at_, base::monotonic_milliseconds() + kRetryDelay);
    });
  }
}

// It is safe elsewhere, or delivered.
void BrokerKeeper::settle(const queue::Id& id) {
  const auto& held = held_.at(id);
  concluded_[id] = {held.parcel.attempt, base::monotonic_milliseconds()};
  if (held.ticket) consumer_.ack(*held.ticket);
  forget(id);
}

void BrokerKeeper::forget(const queue::Id& id) {
  held_.erase(id);
  const auto behind = behind_.find(id);
  if (behind == behind_.end()) return;
  for (auto& arrival : behind->second) next_.push_back(std::move(arrival));
  behind_.erase(behind);
  retry_at_ = 0;
}

void BrokerKeeper::conclude(Message& message, Conclusion conclusion) {
  message.conclusion = std::move(conclusion);
  const auto& [to, modified] = *message.conclusion;
  const auto id = message.id;
  const auto& held = held_.at(id);
  if (!to) {
    settle(id);
    on_concluded(message);
    return;
  }
  // Rules that have changed nothing may as well see it anew.
  const bool is_untouched = std::ranges::all_of(message.unrecorded, is_of_rules) && (to->state == State::Working || to->state == State::Deliver);
  if (is_untouched) {
    if (held.ticket) consumer_.nack(*held.ticket, true);
    forget(id);
    on_concluded(message);
    return;
  }
  broker::Parcel parcel = held.parcel;
  for (const auto& event : message.unrecorded) parcel.events.push_back(event);
  broker::shorten(parcel.events, broker::kEventOctets);
  ++parcel.attempt;
  parcel.due = modified;
  transfer({{settings_.setup.making.queues.of(*to, modified, base::wall_now()), std::move(parcel)}}, [this, id, &message] {
    settle(id);
    on_concluded(message);
  });
}

// ---- rules ------------------------------------------------------------------------------------------------------------

void BrokerKeeper::replace(queue::Replacement replacement, std::function<void(bool)> done) {
  const auto id = replacement.item.id;
  const auto& before = held_.at(id).parcel;
  broker::Parcel parcel{std::move(replacement.item), std::move(replacement.message), before.events, before.attempt + 1, replacement.modified};
  std::ranges::move(replacement.events, std::back_inserter(parcel.events));
  broker::shorten(parcel.events, broker::kEventOctets);
  std::vector<Batch> groups;
  if (replacement.to.state == State::Deliver && !awaits_rules(parcel, replacement.to)) groups = groups_of(router_, parcel);
  Parcels parcels;
  if (groups.size() > 1) parcels = divide(parcel, groups);
  else parcels.emplace_back(settings_.setup.making.queues.of(replacement.to, parcel.due, base::wall_now()), std::move(parcel));
  transfer(std::move(parcels), [this, id, done = std::move(done)] {
    settle(id);
    done(true);
  });
}

base::Result<void> BrokerKeeper::check(const queue::Replacement& replacement) const {
  if (settings_.setup.making.queues.of(replacement.to).size() > broker::Queues::kMostNameOctets)
    return base::fail(base::Fault::Permanent, "they put it into " + replacement.to.folder() + ", which is too long for the name of a queue on a broker");
  const auto octets = queue::to_octets(replacement.item).size() + replacement.message.size();
  if (octets <= settings_.setup.message_octets) return {};
  return base::fail(base::Fault::Permanent, "they have made a message of " + std::to_string(octets) + " octets of it; the broker takes " + std::to_string(settings_.setup.message_octets));
}

bool BrokerKeeper::must_divide(const Message& message) const { return groups_of(router_, held_.at(message.id).parcel).size() > 1; }

// ---- notices ----------------------------------------------------------------------------------------------------------

// Stored, then recorded with the rest of its message: a crash in between repeats the notice, and loses none.
void BrokerKeeper::store_notices(Message& message, Subject subject, std::vector<Notice> notices, Notified done) {
  for (auto& notice : notices) notice.id = queue::Id::make();
  ++transfers_;
  compose_and_store(message, std::move(subject), std::move(notices), std::move(done));
}

void BrokerKeeper::compose_and_store(Message& message, Subject subject, std::vector<Notice> notices, Notified done) {
  Parcels parcels;
  for (const auto& notice : notices) {
    auto composed = compose(notice, subject, settings_.notices, base::wall_now());
    if (!composed) {
      base::log::error("notifications are not stored, tried again", {{"id", subject.id.text()}, {"cause", composed.error().cause}});
      again_.push_back([this, &message, subject = std::move(subject), notices = std::move(notices), done = std::move(done)] {
        compose_and_store(message, subject, notices, done);
      });
      retry_at_ = std::min(retry_at_, base::monotonic_milliseconds() + kRetryDelay);
      return;
    }
    parcels.emplace_back(settings_.setup.making.queues.of(Place{State::Working, {}}), broker::Parcel{std::move(composed->item), std::move(composed->octets), {}, 0, {}});
  }
  --transfers_;
  transfer(std::move(parcels), [this, &message, subject = std::move(subject), notices = std::move(notices), done = std::move(done)] {
    for (const auto& notice : notices) {
      for (auto& event : events_before(notice, subject)) message.unrecorded.push_back(std::move(event));
      message.unrecorded.push_back(event_after(notice.id));
      base::log::info("notice", {{"id", subject.id.text()}, {"notice", notice.id.text()}, {"kind", name_of(notice.kind)},
                                 {"to", notice.is_double ? settings_.notices.postmaster : subject.reverse_path}, {"recipients", notice.told.size()}});
    }
    done(notices);
  });
}

void BrokerKeeper::flush(Milliseconds now, bool) {
  if (now >= retry_at_) {
    retry_at_ = kNever;
    for (const auto& one : std::exchange(again_, {})) one();
    for (auto& [ticket, incoming] : std::exchange(next_, {})) on_arrived(ticket, std::move(incoming));
  }
  if (now >= forget_at_) forget_concluded(now);
}

void BrokerKeeper::forget_concluded(Milliseconds now) {
  forget_at_ = now + kForgetEvery;
  std::erase_if(concluded_, [now](const auto& one) { return now - one.second.at > kRememberFor; });
}

}  // namespace run
