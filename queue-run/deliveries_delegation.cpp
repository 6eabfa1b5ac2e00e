// Messages that rules have delegated to a content filter: handed over from delegated/ when they are due, where they wait until they are
// back or their time is over. The filter may give a message back while the call that hands it over is still open.
#include <algorithm>

#include "lib/base/log.h"
#include "lib/chain/context.h"
#include "lib/chain/delivery_call.h"
#include "lib/chain/transfer.h"
#include "queue-run/deliveries.h"
#include "queue-run/turns.h"

namespace run {
namespace {

void tell(base::log::Level level, std::string_view event, const Message& message, std::string_view cause = {}) {
  const auto& what = message.service->what;
  auto fields = log_ids(message).before({{"directive", what.directive}, {"service", what.service}, {"destination", what.address}});
  if (!cause.empty()) fields.push_back({"cause", cause});
  base::log::write(level, event, fields);
}

std::string time_text(std::chrono::milliseconds time) { return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s"; }

}  // namespace

void Deliveries::delegate(Message& message, chain::Delegation delegation, std::string_view context, std::span<const queue::Event> events) {
  message.service = std::make_unique<AtService>();
  auto& service = *message.service;
  service.what = std::move(delegation);
  service.context = context;
  service.events = {events.begin(), events.end()};
  const auto progress = queue::sum_up(events, message.envelope.recipients.size());
  for (std::uint32_t i = 0; i < progress.size(); ++i) {
    if (progress[i].is_settled) message.tally.add(progress[i].last && progress[i].last->kind == queue::EventKind::Failed ? Status::Failed : Status::Sent);
    else service.job.batch.recipients.push_back(i);
  }
  if (service.job.batch.recipients.empty()) return conclude(message);
  const std::string_view transport = service.what.protocol == "lmtp" ? "lmtp" : "remote";
  const auto known = std::ranges::find(settings_.transports, transport, &TransportSettings::name);
  auto& job = service.job;
  job.message = &message;
  job.hands_over = true;
  job.batch.route.transport = static_cast<Transport>(known - settings_.transports.begin());
  job.batch.route.host = chain::delivery_host(service.what);
  // A transport that knows no URLs begins no TLS that nobody asks for either.
  const auto index = index_of(job.batch.route.transport);
  const bool takes_urls = index >= settings_.routes.transports.size() || settings_.routes.transports[index].takes_urls;
  if (const auto target = chain::ForwardTarget::parse(service.what.address); target && !takes_urls) job.batch.route.host = target->delivery_host();
  schedule_.add(job, transport_ids_[index_of(job.batch.route.transport)], job.batch.route.host,
                {message.is_fresh, message.wishes.priority, turn_of(message.envelope.reverse_path)}, loop_.now_milliseconds());
}

void Deliveries::hand_over(Message& message) {
  auto& service = *message.service;
  auto& job = service.job;
  const auto drop_job = [&] { schedule_.ended(job, Schedule::Ending::Dropped, {}, loop_.now_milliseconds()); };
  const auto now = base::wall_now();
  const auto handed = handed_at(service.events);
  if (is_lost(service.events, settings_.delegation, handed ? now_for(*handed) : now)) {
    if (settings_.delegation.lost != Lost::Again || is_too_old(message)) {
      drop_job();
      return lose(message);
    }
    tell(base::log::Level::Warning, "lost at a content filter, handed over again", message);
    message.unrecorded.push_back({now, queue::EventKind::Note, std::nullopt, service.what.address, {}, "not back within " + time_text(settings_.delegation.time) + ", handed over again"});
  }
  auto octets = chain::with_delegation_field(message.octets, {service.what.stage, service.what.directive, message.id.string()});
  if (!octets) {
    drop_job();
    return drop(message, octets.error());
  }
  const auto& [route, recipients] = job.batch;
  chain::Words words = settings_.transports[index_of(route.transport)].program;
  words.push_back(route.host);
  words.push_back(message.envelope.reverse_path);
  for (const auto index : recipients) words.push_back(message.envelope.recipients[index]);
  chain::Call call;
  call.kind = chain::Kind::Delivery;
  log_ids(message).append_to(call.environment);
  call.message = std::move(*octets);
  call.context = chain::with_transfer_timeout({}, service.what.timeout_seconds);
  job.is_open = true;
  ++message.open;
  job.call = caller_.call(words, std::move(call), [this, &message](const chain::Outcome& outcome) { on_handed(message, outcome); });
}

void Deliveries::on_handed(Message& message, const chain::Outcome& outcome) {
  const Milliseconds now = loop_.now_milliseconds();
  auto& service = *message.service;
  auto& job = service.job;
  const auto report = chain::read_delivery(outcome, job.batch.recipients.size());
  const auto ending = ending_of(outcome, report);
  job.is_open = false;
  --message.open;
  ++(ending == Schedule::Ending::Unavailable ? counters_.unavailable : counters_.calls);
  if (ending == Schedule::Ending::Unavailable) {
    complain(outcome, now);
    // Back already, by an earlier call: then nothing needs to be tried again.
    schedule_.ended(job, service.is_replacing || service.is_back ? Schedule::Ending::Dropped : ending, outcome.cause, now);
    if (service.is_replacing || service.is_back) return end_return(message);
    let_go(message);
    if (message.wish) stop_waiting(message);
    return;
  }
  if (ending == Schedule::Ending::Failed) message.waits_for = job.batch.route.host;
  schedule_.ended(job, ending, ending == Schedule::Ending::Failed ? std::string_view(report.final_text(0)) : std::string_view(), now);
  if (service.is_replacing || service.is_back) return end_return(message);
  std::vector<std::string> said;
  for (std::size_t i = 0; i < job.batch.recipients.size(); ++i) said.push_back(report.final_text(i));
  if (!is_handed(report)) return hand_over_failed(message, said);
  tell(base::log::Level::Info, "handed over", message);
  const auto at = base::wall_now();
  service.due = at + settings_.delegation.time;
  message.unrecorded.push_back({at, queue::EventKind::Handed, std::nullopt, service.what.address, {}, "the content filter " + service.what.address + " has it"});
  conclude(message);
}

// A refusal too may be a mistake of the filter, and no answer to the sender: the message waits.
void Deliveries::hand_over_failed(Message& message, std::span<const std::string> said) {
  const auto now = base::wall_now();
  const auto& service = *message.service;
  const bool gives_up = is_too_old(message);
  const auto kind = gives_up ? queue::EventKind::Failed : queue::EventKind::Deferred;
  tell(base::log::Level::Warning, "not handed over", message, said.front());
  for (std::size_t i = 0; i < service.job.batch.recipients.size(); ++i) {
    const auto recipient = service.job.batch.recipients[i];
    const std::string text = (gives_up ? std::string(kGivenUp) : std::string()) + failure_text(service.what, said[i % said.size()]);
    message.unrecorded.push_back({now, kind, recipient, service.what.address, message.envelope.recipients[recipient], text});
    message.tally.add(gives_up ? Status::Failed : Status::Deferred);
    note_end(message, recipient, kind, text);
  }
  conclude(message);
}

// Not back in time.
void Deliveries::lose(Message& message) {
  const auto now = base::wall_now();
  const auto& service = *message.service;
  const std::string text = "the content filter " + service.what.address + " has not given it back within " + time_text(settings_.delegation.time);
  tell(base::log::Level::Warning, "lost at a content filter", message, text);
  switch (settings_.delegation.lost) {
    case Lost::Drop: return keeper_.conclude(message, {});
    case Lost::Hold:
      message.unrecorded.push_back({now, queue::EventKind::Note, std::nullopt, {}, {}, "held: " + text});
      return keeper_.conclude(message, {queue::Place{queue::State::Hold, {}}});
    case Lost::Again: case Lost::Fail: break;
  }
  for (const auto recipient : service.job.batch.recipients) {
    message.unrecorded.push_back({now, queue::EventKind::Failed, recipient, service.what.address, message.envelope.recipients[recipient], "554 5.3.0 " + text});
    message.tally.add(Status::Failed);
    note_end(message, recipient, queue::EventKind::Failed, message.unrecorded.back().text);
  }
  conclude(message);
}

// ---- back ---------------------------------------------------------------------------------------------------------------

void Deliveries::take_back(const queue::Id& id, const chain::Delegation& returned, const base::Blob& text, std::function<void(base::Result<void>)> answer) {
  Message& message = *messages_.at(id);
  auto* service = message.service.get();
  if (service == nullptr || service->is_back) return answer(base::fail(base::Fault::Permanent, "500 Delegation failed to get old context"));
  const auto busy = [&] { answer(base::fail(base::Fault::Temporary, "just being recorded or moved; ask again")); };
  if (message.wish || message.conclusion || message.is_notifying || service->is_replacing) return busy();
  if (const auto checked = chain::check_return(service->what, returned); !checked) return answer(checked);
  if (!message.is_held && !keeper_.hold(message)) return busy();
  if (service->job.is_waiting) schedule_.remove(service->job);
  queue::Replacement replacement;
  replacement.item = {id, message.arrived, message.envelope, queue::one_line(chain::context_when_back(service->context)), text.size()};
  replacement.message = text;
  replacement.from = replacement.to = message.place;  // the new text takes the place of the old one at once: no crash leaves two, or none
  replacement.modified = base::wall_now();
  replacement.events = std::move(message.unrecorded);
  message.unrecorded.clear();
  replacement.events.push_back(event_of_return(returned));
  service->is_replacing = true;
  keeper_.replace(std::move(replacement), [this, &message, answer = std::move(answer)](bool is_stored) {
    message.service->is_replacing = false;
    message.service->is_back = true;
    message.service->is_gone = !is_stored;
    if (is_stored) tell(base::log::Level::Info, "back from a content filter", message);
    if (is_stored) answer({});
    else answer(base::fail(base::Fault::Temporary, "it was moved meanwhile"));
    if (message.open == 0) end_return(message);
  });
}

// The call that handed it over has ended and the new text is stored: it comes in again, to its rules.
void Deliveries::end_return(Message& message) {
  const auto& service = *message.service;
  if (service.is_replacing || message.open > 0) return;
  if (service.is_gone) return forget(message, {.id = message.id, .place = message.place, .next = {}, .error = base::Error{base::Fault::Temporary, "moved meanwhile", ENOENT}});
  const Left left{.id = message.id, .place = message.place, .next = {}, .error = {}, .waits_for = {}, .is_new_text = true};
  if (message.wish) {
    message.wish->answer(base::fail(base::Fault::Temporary, "it has just come back; ask again"));
    message.wish.reset();
  }
  forget(message, left);
}

}  // namespace run
