// The end of an attempt: who is told, and where the message goes.
#include <algorithm>

#include "lib/base/log.h"
#include "queue-run/deliveries.h"
#include "queue-run/mailing.h"
#include "queue-run/notifier.h"

namespace run {
namespace {

// Some recipients failed for good, nothing is left to try, and nobody can be told. An operator finds the message, with what
// was said about each recipient, in dead/.
Conclusion dispose_of_failed(const Message& message) {
  base::log::write(base::log::Level::Error, "dead", log_ids(message).before({{"sender", message.envelope.reverse_path}, {"failed", message.tally.failed}, {"of", message.tally.recipients}}));
  return {queue::Place{queue::State::Dead, {}}};
}

}  // namespace

// Some were failures that their sender was told of, or does not want to be told of: then nothing is left to do.
Fate Deliveries::fate_of(const Message& message) const {
  const Fate fate = run::fate_of(message.tally);
  const bool has_untold = std::ranges::find(message.ends, Action::Failed, &Told::action) != message.ends.end();
  return fate == Fate::Dead && !has_untold ? Fate::Gone : fate;
}

// The attempt is over. Who has to be told is told first, and for that the message needs a file of its own, where the record is.
void Deliveries::conclude(Message& message) {
  // Wherever it goes now, from there it comes to its rules again.
  if (const auto rules = std::move(message.rules))
    message.unrecorded.push_back({base::wall_now(), queue::EventKind::Unruled, std::nullopt, std::string(name_of(rules->stage)), {}, std::move(rules->failure)});
  const bool is_unwanted = message.wish && !message.wish->place;
  if (message.ends.empty() || is_unwanted) return end_attempt(message);
  auto ends = message.ends;
  message.must_notify = !plan_notices(ends, message.dsn, message.notice_facts, settings_.notices).empty();
  if (!message.must_notify) {
    message.ends = std::move(ends);
    return end_attempt(message);
  }
  if (!keeper_.needs_file_to_notify(message)) return notify(message);
  Conclusion file{queue::Place{queue::State::Deliver, {}}};
  if (run::fate_of(message.tally) == Fate::Deferred)
    file = {queue::Place{queue::State::Deferred, {}}, next_attempt(message)};
  keeper_.conclude(message, std::move(file));
}

void Deliveries::notify(Message& message) {
  message.must_notify = false;
  keeper_.note(message);  // what it is to be told about stands before the notice
  if (!message.is_held) {
    if (const auto held = keeper_.hold(message); !held) return drop(message, held.error());
  }
  auto notices = plan_notices(message.ends, message.dsn, message.notice_facts, settings_.notices);
  const bool has_warning = std::ranges::find(notices, NoticeKind::Delay, &Notice::kind) != notices.end();
  if (has_warning) {
    const auto view = message.octets.view();
    if (!view || is_bulk(view->octets())) drop_unasked_warnings(notices, message.dsn);
  }
  if (notices.empty()) return end_attempt(message);
  if (message.verp) notices = one_for_each(std::move(notices), *message.verp, message.envelope.recipients);
  message.is_notifying = true;
  Subject subject{message.id, message.arrived, message.arrived + message.wishes.retry.lifetime, message.envelope.reverse_path, message.envelope.recipients,
                  message.dsn, message.is_smtputf8, message.requires_tls, message.octets, message.transaction};
  keeper_.store_notices(message, std::move(subject), std::move(notices), [this, &message](const std::vector<Notice>& stored) { on_notified(message, stored); });
}

void Deliveries::on_notified(Message& message, const std::vector<Notice>& notices) {
  message.is_notifying = false;
  for (const auto& notice : notices) {
    if (notice.kind == NoticeKind::Delay) message.notice_facts.has_warned = true;
    std::erase_if(message.ends, [&](const Told& end) {
      return std::ranges::any_of(notice.told, [&](const Told& told) { return told.recipient == end.recipient && told.action == end.action; });
    });
  }
  end_attempt(message);
  for (const auto& notice : notices) on_notice_(notice.id);
}

void Deliveries::end_attempt(Message& message) {
  const auto now = base::wall_now();
  const Fate fate = fate_of(message);
  Conclusion conclusion;
  if (fate == Fate::Dead) conclusion = dispose_of_failed(message);
  if (fate == Fate::Deferred) conclusion.place = queue::Place{message.service ? queue::State::Delegated : queue::State::Deferred, {}};
  if (message.wish && !message.wish->place) {
    conclusion.place.reset();
  } else if (message.wish && fate == Fate::Deferred) {
    conclusion.place = message.wish->place;
  } else if (message.wish) {
    message.wish->answer(std::unexpected(base::Error{base::Fault::Permanent, "nothing was left to deliver", ENOENT}));
    message.wish.reset();
  }
  const bool comes_again = conclusion.place && (conclusion.place->state == queue::State::Deferred || (message.service && conclusion.place->state == queue::State::Delegated));
  if (comes_again && message.service && message.service->due) conclusion.modified = message.service->due;
  else if (comes_again) conclusion.modified = message.retries_soon ? now : next_attempt(message);
  keeper_.conclude(message, std::move(conclusion));
}

void Deliveries::on_concluded(Message& message) {
  if (message.must_notify && message.conclusion->place) {
    message.place = *message.conclusion->place;
    message.is_in_log = message.is_held = false;
    message.octets = {};
    message.conclusion.reset();
    return notify(message);
  }
  const Left left{message.id, message.conclusion->place, message.conclusion->modified, {}, message.waits_for};
  if (message.wish) {
    message.wish->answer(message.wish->shares_sync ? base::Result<void>() : keeper_.sync());
    message.wish.reset();
  }
  forget(message, left);
}

void Deliveries::drop(Message& message, const base::Error& error) {
  if (message.rules && message.rules->job.is_waiting) schedule_.remove(message.rules->job);
  if (message.service && message.service->job.is_waiting) schedule_.remove(message.service->job);
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
  if (message.rules) {
    if (message.rules->job.is_open) return;
    if (message.rules->job.is_waiting) schedule_.remove(message.rules->job);
    return conclude(message);
  }
  if (message.service) {
    if (message.service->job.is_open) return;
    if (message.service->job.is_waiting) schedule_.remove(message.service->job);
    return conclude(message);
  }
  for (auto& delivery : message.deliveries) {
    if (!delivery.is_waiting) continue;
    schedule_.remove(delivery);
    --message.unfinished;
  }
  if (message.unfinished == 0) conclude(message);
}

}  // namespace run
