#include "qctl/snapshot.h"

#include <algorithm>

#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "lib/queue/catalog.h"
#include "lib/queue/control.h"
#include "qctl/entry.h"

namespace qctl {
namespace {

constexpr std::uint64_t kAnswerMilliseconds = 2000;

void append_number(std::string& json, std::string_view name, std::uint64_t number) { base::json::append_member(json, name, static_cast<long long>(number)); }

void append_table(std::string& json, std::string_view name, const AgeTable& table) {
  constexpr std::size_t kRows = 20;
  base::json::append_name(json, name);
  json += '{';
  append_json(json, table, kRows);
  json += '}';
}

void append_queues(std::string& json, const Snapshot& snapshot) {
  base::json::append_name(json, "queues");
  json += '[';
  for (const auto& count : snapshot.queues) {
    json += json.back() == '[' ? "{" : ",{";
    base::json::append_member(json, "queue", count.place.folder());
    append_number(json, "messages", count.messages);
    append_number(json, "octets", count.octets);
    append_number(json, "in_log", count.in_log);
    append_number(json, "due", count.due);
    base::json::append_name(json, "oldest");
    if (count.oldest) {
      base::json::append_string(json, base::to_rfc3339(*count.oldest));
    } else {
      json += "null";
    }
    json += '}';
  }
  json += ']';
}

void append_running(std::string& json, const RunStatus& running) {
  append_number(json, "pid", running.pid);
  append_number(json, "messages", running.messages);
  append_number(json, "calls_open", running.calls_open);
  append_number(json, "calls_waiting", running.calls_waiting);
  append_number(json, "unrecorded", running.unrecorded);
  append_number(json, "taken", running.taken);
  append_number(json, "sent", running.sent);
  append_number(json, "put_off", running.put_off);
  append_number(json, "failed", running.failed);
  base::json::append_name(json, "destinations");
  json += '[';
  for (const auto& each : running.destinations) {
    json += json.back() == '[' ? "{" : ",{";
    base::json::append_member(json, "transport", each.transport);
    base::json::append_member(json, "host", each.host);
    append_number(json, "open", each.open);
    append_number(json, "waiting", each.waiting);
    append_number(json, "window", each.window);
    append_number(json, "suspended_seconds", each.suspended_seconds);
    base::json::append_member(json, "reason", each.reason);
    json += '}';
  }
  json += ']';
}

std::vector<std::string> recipient_domains(const Entry& entry) {
  std::vector<std::string> domains;
  for (const auto& recipient : entry.recipients) domains.push_back(base::text::to_lower(mail::split_address(recipient).second));
  return domains;
}

void add(Snapshot& snapshot, const Entry& entry) {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(snapshot.time - entry.arrived);
  snapshot.domains.add(age, recipient_domains(entry));
  snapshot.senders.add(age, {entry.reverse_path.empty() ? "<>" : entry.reverse_path});
  if (!entry.reason.empty()) snapshot.reasons.add(age, {entry.reason});
  ++snapshot.sampled;
}

base::Result<void> sample(const queue::Spool& spool, Snapshot& snapshot) {
  if (auto whole = queue::whole_catalog(spool); whole && whole->catalog.rows() >= kSampledMessages)
    return queue::sample_catalog(whole->catalog, kSampledMessages, [&](const queue::Brief& brief) { add(snapshot, entry_of(brief)); });
  const queue::Visitor visitor{.wants = {}, .wants_item = {}, .on_seen = [&](const queue::Seen& seen) {
    add(snapshot, entry_of(seen));
    return snapshot.sampled < kSampledMessages;
  }};
  for (const auto state : {queue::State::Deferred, queue::State::Deliver, queue::State::Working}) {
    const auto visited = queue::View(spool).visit({state, {}}, visitor);
    if (!visited) return visited;
    if (snapshot.sampled >= kSampledMessages) break;
  }
  return {};
}

}  // namespace

base::Result<Snapshot> take_snapshot(const queue::Spool& spool, base::WallTime now) {
  Snapshot snapshot;
  snapshot.time = now;
  snapshot.spool = spool.path();
  auto counts = count_queues(spool, now);
  if (!counts) return std::unexpected(counts.error());
  snapshot.queues = std::move(*counts);
  const auto sampled = sample(spool, snapshot);
  if (!sampled) return std::unexpected(sampled.error());
  const queue::Control control(spool, kAnswerMilliseconds);
  snapshot.is_served = control.is_running();
  if (snapshot.is_served)
    if (const auto answer = control.status()) snapshot.running = parse_run_status(*answer);
  return snapshot;
}

std::optional<Rates> rates_between(const Snapshot& before, const Snapshot& after) {
  const double seconds = std::chrono::duration<double>(after.time - before.time).count();
  if (!before.running || !after.running || before.running->pid != after.running->pid || seconds <= 0) return std::nullopt;
  const auto rate = [&](std::uint64_t RunStatus::*total) {
    const auto then = (*before.running).*total, now = (*after.running).*total;
    return now >= then ? static_cast<double>(now - then) / seconds : 0.0;
  };
  return Rates{rate(&RunStatus::taken), rate(&RunStatus::sent), rate(&RunStatus::put_off), rate(&RunStatus::failed)};
}

std::string as_json(const Snapshot& snapshot) {
  std::string json = "{";
  base::json::append_member(json, "time", base::to_rfc3339(snapshot.time));
  base::json::append_member(json, "spool", snapshot.spool);
  append_queues(json, snapshot);
  append_number(json, "sampled", snapshot.sampled);
  append_table(json, "domains", snapshot.domains);
  append_table(json, "senders", snapshot.senders);
  append_table(json, "reasons", snapshot.reasons);
  base::json::append_name(json, "served");
  json += snapshot.is_served ? "true" : "false";
  base::json::append_name(json, "queue_run");
  if (snapshot.running) {
    json += '{';
    append_running(json, *snapshot.running);
    json += '}';
  } else {
    json += "null";
  }
  return json + "}";
}

}  // namespace qctl
