// What an operator asks of the Runner.
#include <algorithm>

#include "lib/base/json_text.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "lib/queue/catalog.h"
#include "lib/queue/control.h"
#include "lib/queue/view.h"
#include "queue-run/metrics.h"
#include "queue-run/runner.h"

namespace run {
namespace {

constexpr std::size_t kDestinationsInStatus = 100;  // an answer has 64 KB

std::unexpected<base::Error> no_such_message(const queue::Id& id) {
  return std::unexpected(base::Error{base::Fault::Permanent, "no message " + id.string() + " to be delivered", ENOENT});
}

bool has_recipient_at(const std::vector<std::string>& recipients, std::string_view domain) {
  return std::ranges::any_of(recipients, [&](const auto& recipient) {
    return base::text::equal_ignoring_case(mail::split_address(recipient).second, domain);
  });
}

}  // namespace

void Runner::on_trigger() {
  for (const auto& request : trigger_.read()) {
    const auto log_failure = [id = request.id](const base::Result<void>& done) {
      if (!done) base::log::warning("request not fulfilled", {{"id", id.text()}, {"cause", done.error().cause}});
    };
    switch (request.kind) {
      case queue::Request::Kind::Look: log_has_more_ = true; break;
      case queue::Request::Kind::Retry: log_failure(retry(request.id)); break;
      case queue::Request::Kind::Move: move(request.id, request.place, log_failure); break;
      case queue::Request::Kind::Remove: remove(request.id, log_failure); break;
    }
  }
}

void Runner::move(const queue::Id& id, const queue::Place& to, Answer answer) { fulfil(id, {to, std::move(answer)}); }
void Runner::remove(const queue::Id& id, Answer answer) { fulfil(id, {std::nullopt, std::move(answer)}); }

void Runner::fulfil(const queue::Id& id, Wish wish) {
  if (deliveries_->fulfil(id, wish)) return;
  const auto entry = spool_.find(id);
  if (entry && *entry) {
    fulfil_in_folder(**entry, wish);
    return;
  }
  look_for_in_log(id);
  if (!deliveries_->fulfil(id, wish)) wish.answer(entry ? no_such_message(id) : std::unexpected(entry.error()));
}

// It waits for its time, or for room.
void Runner::fulfil_in_folder(const queue::Entry& entry, const Wish& wish) {
  if (!is_served(entry.place.state)) {
    wish.answer(no_such_message(entry.id));
    return;
  }
  const auto held = spool_.take(entry.place, entry.id);
  if (!held) {
    wish.answer(std::unexpected(held.error()));
    return;
  }
  auto done = wish.place ? spool_.move(entry.id, entry.place, *wish.place) : spool_.remove(entry.id, entry.place);
  if (done) {
    on_gone(entry.place, entry.id);
    if (wish.place) on_found(*wish.place, entry.id, entry.modified);
    if (!wish.shares_sync) done = spool_.sync();
  }
  wish.answer(done);
}

// The log hands out its messages in its order only.
void Runner::look_for_in_log(const queue::Id& id) {
  while (log_has_more_ && !deliveries_->has(id)) {
    auto items = log_.poll(kMessagesPerTurn);
    log_has_more_ = items && items->size() == kMessagesPerTurn;
    if (!items) return;
    for (auto& item : *items) deliveries_->admit(std::move(item));
  }
}

void Runner::bring_back(const queue::Id& id, const chain::Call& call, Answer answer) {
  const auto returned = chain::delegation_in(call.context);
  if (!returned || returned->state != chain::Delegation::State::Returned) return answer(base::fail(base::Fault::Permanent, "500 Delegation header not found"));
  if (!deliveries_->has(id)) return bring_back_from_folder(id, *returned, call.message, std::move(answer));
  const auto once_more = [this, id, returned = *returned, answer = std::move(answer)](const base::Result<void>& done) {
    // What is back already goes on as it is; who has sent it twice is content.
    const auto events = !done && done.error().fault == base::Fault::Permanent ? spool_.read_progress(id) : std::vector<queue::Event>();
    answer(events && was_back(*events, returned) ? base::Result<void>() : done);
  };
  deliveries_->take_back(id, *returned, call.message, once_more);
}

// One that queue-run does not have in hand.
void Runner::bring_back_from_folder(const queue::Id& id, const chain::Delegation& returned, const base::Blob& text, Answer answer) {
  const auto entry = spool_.find(id);
  if (!entry) return answer(std::unexpected(entry.error()));
  const auto events = spool_.read_progress(id);
  if (*entry && events && (*entry)->place.state != queue::State::Delegated && was_back(*events, returned)) return answer({});
  if (!*entry || (*entry)->place.state != queue::State::Delegated) return answer(base::fail(base::Fault::Permanent, "500 Delegation failed to get old context"));
  // Looked at before it is taken in hand, since whoever brings something else must not make it move.
  const auto waiting = spool_.read((*entry)->place, id);
  const auto delegation = waiting ? chain::delegation_in(waiting->item.context) : std::nullopt;
  if (!waiting) return answer(base::fail(base::Fault::Temporary, waiting.error().cause));
  if (const auto checked = chain::check_return(delegation.value_or(chain::Delegation{}), returned); !checked)
    return answer(events && was_back(*events, returned) ? base::Result<void>() : checked);
  if (const auto admitted = deliveries_->admit(spool_, (*entry)->place, id, true); !admitted) return answer(base::fail(base::Fault::Temporary, admitted.error().cause));
  on_gone((*entry)->place, id);
  deliveries_->take_back(id, returned, text, std::move(answer));
}

base::Result<void> Runner::retry(const queue::Id& id) {
  if (deliveries_->retry(id)) return {};
  if (fresh_known_.contains(id)) return {};
  const auto entry = spool_.find(id);
  if (!entry) return std::unexpected(entry.error());
  if (!*entry || !is_served((*entry)->place.state)) {
    look_for_in_log(id);
    return deliveries_->has(id) ? base::Result<void>() : no_such_message(id);
  }
  const auto item = spool_.read((*entry)->place, id);
  if (!item) return std::unexpected(item.error());
  deliveries_->forgive_destinations_of(item->item.envelope.recipients);
  const auto now = base::wall_now();
  if (const auto set = spool_.set_modified(id, (*entry)->place, now); !set) return set;
  on_found((*entry)->place, id, now);
  return {};
}

std::size_t Runner::retry_all() {
  deliveries_->forgive("");
  due_.all_due_at(base::wall_now());
  return due_.size();
}

void Runner::forgive(std::span<const std::string> addresses) {
  if (addresses.empty()) return deliveries_->forgive("");
  deliveries_->forgive_destinations_of(addresses);
}

void Runner::retry_domain(const std::string& domain, std::function<void(base::Result<std::size_t>)> answer) {
  deliveries_->forgive(base::text::to_lower(domain));
  searches_.push_back({domain, std::move(answer)});
  if (searches_.size() == 1) search_next();
}

// One after the other: each reads the catalog of deferred/, or when that is not ready all messages there, with several threads.
void Runner::search_next() {
  struct Found {
    std::vector<queue::Id> ids;
    base::Result<void> end;
  };
  const auto found = std::make_shared<Found>();
  const auto work = [found, domain = searches_.front().domain, uncataloged = catalog_.pending(SIZE_MAX), &spool = spool_] {
    const queue::Visitor visitor{
        .wants_item = [&](const queue::Item& item) { return has_recipient_at(item.envelope.recipients, domain); },
        .on_seen = [&](const queue::Seen& seen) { return found->ids.push_back(seen.item.id), true; },
    };
    auto catalog = uncataloged ? queue::Catalog::open(spool) : base::Result<std::optional<queue::Catalog>>();
    if (!catalog || !*catalog) {
      found->end = queue::View(spool).visit({queue::State::Deferred, {}}, visitor);
      return;
    }
    const queue::BriefVisitor by_rows{
        .wants = [&](const queue::Brief& brief) { return has_recipient_at(brief.text.recipients, domain); },
        .on_brief = [&](const queue::Brief& brief) { return found->ids.push_back(brief.listed.id), true; },
        .read = visitor,
        .looks_at_files = false,
    };
    queue::WholeCatalog whole{std::move(**catalog), *uncataloged};
    found->end = queue::visit_catalog(spool, whole, by_rows);
  };
  net::run_in_thread(loop_, work, [this, found] {
    const auto now = base::wall_now();
    std::size_t count = 0;
    for (const auto& id : found->ids) {
      if (!due_.contains(id)) continue;
      due_.set(id, now);
      ++count;
    }
    const auto search = std::move(searches_.front());
    searches_.pop_front();
    if (!searches_.empty()) search_next();
    search.answer(found->end ? base::Result<std::size_t>(count) : std::unexpected(found->end.error()));
  });
}

base::Result<std::string> Runner::summary(std::span<const std::chrono::seconds> limits) const {
  if (folders_->is_reading()) return base::fail(base::Fault::Temporary, "deferred/ is still being read");
  const auto summary = due_.summarize(base::wall_now(), limits);
  const auto next = due_.earliest();
  std::string text = std::to_string(due_.size()) + " " + std::to_string(summary.octets) + " " + (summary.oldest ? summary.oldest->string() : "-") + " " +
                     (next ? base::to_rfc3339(*next) : "-");
  for (const auto count : summary.by_age) text += " " + std::to_string(count);
  return text;
}

base::Result<std::string> Runner::uncataloged() {
  constexpr std::size_t kMostIds = 2000;  // an answer has 64 KB
  folders_->look();
  const auto ids = folders_->is_reading() ? std::nullopt : catalog_.pending(kMostIds);
  if (!ids && !folders_->is_reading() && catalog_.is_ready()) return std::string(queue::kLater);
  if (!ids) return base::fail(base::Fault::Temporary, "the catalog of deferred/ is being written");
  std::string text;
  for (const auto& id : *ids) text += (text.empty() ? "" : " ") + id.string();
  return text;
}

std::string Runner::metrics() const {
  const auto now = base::wall_now();
  Gauges gauges;
  gauges.syncs = deliveries_->syncs();
  gauges.in_hand = deliveries_->messages();
  gauges.fresh_files = fresh_.size() + parked_.size();
  gauges.deferred = due_.size();
  gauges.deferred_summary = due_.summarize(now, {});
  gauges.calls_open = deliveries_->open_calls();
  gauges.calls_waiting = deliveries_->waiting_calls();
  gauges.destinations = deliveries_->schedule().status(loop_.now_milliseconds());
  return open_metrics(deliveries_->counters(), gauges, now);
}

std::string Runner::status() const {
  std::string json = "{";
  const auto number = [&](std::string_view name, std::size_t value) { base::json::append_member(json, name, static_cast<long long>(value)); };
  number("pid", static_cast<std::size_t>(::getpid()));
  number("messages", deliveries_->messages());
  number("calls_open", deliveries_->open_calls());
  number("calls_waiting", deliveries_->waiting_calls());
  number("fresh_files_waiting", fresh_.size() + parked_.size());
  number("deferred", due_.size());
  number("delegated", away_.size());
  number("deferred_due", due_.summarize(base::wall_now(), {}).due);
  number("unrecorded", deliveries_->unconcluded());
  const auto& counters = deliveries_->counters();
  const auto results = [&](Status status) { return counters.results[static_cast<std::size_t>(status)]; };
  number("taken", counters.attempts_fresh);
  number("sent", results(Status::Sent));
  number("put_off", results(Status::Deferred));
  number("failed", results(Status::Failed));
  base::json::append_name(json, "destinations");
  json += '[';
  auto rows = deliveries_->schedule().status(loop_.now_milliseconds());
  std::ranges::sort(rows, std::ranges::greater(), [](const auto& row) { return row.open + row.waiting; });
  if (rows.size() > kDestinationsInStatus) rows.resize(kDestinationsInStatus);
  for (const auto& row : rows) {
    json += json.ends_with('[') ? "{" : ",{";
    base::json::append_member(json, "transport", row.transport);
    base::json::append_member(json, "host", row.host);
    number("open", row.open);
    number("waiting", row.waiting);
    number("window", row.window);
    if (row.suspended_for > 0) number("suspended_seconds", (row.suspended_for + 999) / 1000);
    if (!row.reason.empty()) base::json::append_member(json, "reason", row.reason);
    json += '}';
  }
  return json + "]}";
}

}  // namespace run
