#include "qctl/broker.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/broker/steps.h"
#include "lib/broker/setup.h"
#include "qctl/line.h"
#include "qctl/show.h"

namespace qctl {
namespace at_broker {
namespace {

using base::Fault;
using base::Result;
using queue::Place;
using queue::State;

constexpr auto kGiveBack = std::chrono::seconds(2);

struct Session {
  const base::CommandLine& line;
  std::vector<std::string> arguments;
  Selection selection;
  Output& out;
  broker::Setup setup;
  broker::Connection connection;
  base::WallTime now = base::wall_now();
  std::map<std::string, std::uint64_t> fetched;  // by queue: what is to be given back

  [[nodiscard]] bool wants_json() const { return line.has("json"); }
};

// A message that was fetched; it stays so until it is acknowledged or the program ends.
struct Fetched {
  std::string queue;
  std::uint64_t tag;
  broker::Parcel parcel;
  Place place;

  [[nodiscard]] queue::Seen seen(base::WallTime now) const {
    return {parcel.item, parcel.message, place, false, parcel.events, parcel.due.value_or(now)};
  }
};

// The broker tells nobody the names of its queues: quarantines count when they are asked for.
Result<std::vector<Place>> places_of(const Session& session) {
  std::vector<Place> places;
  for (const auto& row : queue::kStates)
    if (row.state != State::Quarantine) places.push_back({row.state, {}});
  for (const auto& name : session.selection.queues) {
    if (name == "quarantine") return base::fail(Fault::Usage, "quarantine: a broker does not say which there are; expected: quarantine/NAME");
    const auto place = Place::parse(name);
    if (place && place->state == State::Quarantine) places.push_back(*place);
  }
  std::erase_if(places, [&](const Place& place) { return !session.selection.takes(place); });
  return places;
}

std::vector<std::string> queues_of(const Session& session, const Place& place) {
  std::vector<std::string> queues{session.setup.making.queues.of(place)};
  for (unsigned step = 0; place.state == State::Deferred && step < broker::Queues::kSteps; ++step) queues.push_back(session.setup.making.queues.waiting_step(step));
  return queues;
}

// Each message of the places that the selection takes, until `on_fetched` returns false. No more than lay there when it began.
Result<void> for_each(Session& session, const std::function<Result<bool>(Fetched&)>& on_fetched) {
  const auto places = places_of(session);
  if (!places) return std::unexpected(places.error());
  for (const auto& place : *places) {
    for (const auto& queue : queues_of(session, place)) {
      const auto waiting = session.connection.count(queue);
      if (!waiting) return std::unexpected(waiting.error());
      for (std::uint64_t i = 0; i < waiting->value_or(0); ++i) {
        auto got = session.connection.get(queue);
        if (!got) return std::unexpected(got.error());
        if (!*got) break;
        if (!(*got)->parcel) {
          (void)base::write_all(2, "qctl: " + queue + ": " + (*got)->parcel.error().cause + "\n");
          continue;
        }
        ++session.fetched[queue];
        Fetched fetched{queue, (*got)->tag, std::move(*(*got)->parcel), place};
        const auto goes_on = on_fetched(fetched);
        if (!goes_on) return std::unexpected(goes_on.error());
        if (!*goes_on) return {};
      }
    }
  }
  return {};
}

// Whoever looks next shall see them again: the broker takes them back when it comes to it.
Result<void> give_back(Session& session) {
  if (const auto given = session.connection.give_all_back(); !given) return given;
  const auto served = session.setup.making.queues.served();
  const auto until = std::chrono::steady_clock::now() + kGiveBack;
  for (const auto& [queue, count] : session.fetched) {
    if (count == 0 || std::ranges::find(served, queue) != served.end()) continue;  // of the latter somebody may take them
    for (;;) {
      const auto waiting = session.connection.count(queue);
      if (!waiting) return std::unexpected(waiting.error());
      if (waiting->value_or(count) >= count || std::chrono::steady_clock::now() > until) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  return {};
}

// ---- looking ----------------------------------------------------------------------------------------------------------

Result<int> status(Session& session) {
  const auto places = places_of(session);
  if (!places) return std::unexpected(places.error());
  for (const auto& place : *places) {
    std::uint64_t total = 0, due = 0;
    for (const auto& queue : queues_of(session, place)) {
      const auto waiting = session.connection.count(queue);
      if (!waiting) return std::unexpected(waiting.error());
      total += waiting->value_or(0);
      if (!session.setup.making.queues.is_waiting(queue)) due += waiting->value_or(0);
    }
    const auto folder = place.folder();
    if (session.wants_json()) {
      std::string json = "{";
      base::json::append_member(json, "queue", folder);
      base::json::append_member(json, "messages", static_cast<long long>(total));
      if (place.state == State::Deferred) base::json::append_member(json, "due", static_cast<long long>(due));
      session.out.put(json + "}\n");
      continue;
    }
    std::string text = folder;
    text.resize(std::max<std::size_t>(text.size(), 12), ' ');
    text += total == 0 ? "empty" : std::to_string(total) + (total == 1 ? " message" : " messages");
    if (place.state == State::Deferred && due > 0) text += ", " + std::to_string(due) + " due";
    session.out.put(session.out.styled(text, total == 0 ? Output::Style::Faint : Output::Style::Strong) + "\n");
  }
  return 0;
}

Result<int> list(Session& session) {
  const LineLayout layout(session.out.screen());
  const auto listed = for_each(session, [&](Fetched& fetched) -> Result<bool> {
    const Entry entry = entry_of(fetched.seen(session.now));
    if (session.selection.takes(entry, session.now))
      session.out.put((session.wants_json() ? as_json(entry) : layout.line(entry, session.now, session.out)) + "\n");
    return !session.out.has_failed();
  });
  if (!listed) return std::unexpected(listed.error());
  return 0;
}

bool is_named(const Session& session, const queue::Id& id) {
  return std::ranges::any_of(session.arguments, [&](const std::string& word) {
    return word.size() <= id.text().size() && base::text::equal_ignoring_case(id.text().substr(0, word.size()), word);
  });
}

Result<int> no_such_message(const Session& session) {
  return base::fail(Fault::Permanent, "no such message waits at " + session.setup.address.text() + "; one that is being delivered is in the hands of a queue-run");
}

Result<int> look_at(Session& session, const std::function<Result<void>(const queue::Seen&)>& put) {
  if (session.arguments.empty()) return base::fail(Fault::Usage, "which message? expected: an id (qctl list shows them)");
  std::set<queue::Id> found;
  const auto looked = for_each(session, [&](Fetched& fetched) -> Result<bool> {
    if (!is_named(session, fetched.parcel.item.id)) return true;
    found.insert(fetched.parcel.item.id);
    const auto done = put(fetched.seen(session.now));
    if (!done) return std::unexpected(done.error());
    return found.size() < session.arguments.size();
  });
  if (!looked) return std::unexpected(looked.error());
  if (found.empty()) return no_such_message(session);
  return 0;
}

Result<int> show(Session& session) {
  return look_at(session, [&](const queue::Seen& seen) -> Result<void> {
    put_message(session.out, seen, session.now, session.wants_json());
    return {};
  });
}

Result<int> cat(Session& session) {
  return look_at(session, [&](const queue::Seen& seen) -> Result<void> {
    if (const auto flushed = session.out.flush(); !flushed) return flushed;
    return seen.message.write_to(STDOUT_FILENO);
  });
}

// ---- changing ---------------------------------------------------------------------------------------------------------

struct Operation {
  std::string_view name;
  std::optional<Place> to;  // none: it is removed
  std::vector<State> takes;
};

Operation operation_of(std::string_view name) {
  const std::vector<State> set_aside{State::Hold, State::Quarantine, State::Dead, State::Delegated};
  const std::vector<State> waiting{State::Working, State::Deliver, State::Deferred, State::Delegated};
  if (name == "hold") return {name, Place{State::Hold, {}}, waiting};
  if (name == "release") return {name, Place{State::Working, {}}, set_aside};
  if (name == "retry") return {name, Place{State::Deferred, {}}, {State::Deferred}};
  return {name, std::nullopt, {}};  // remove and move take from everywhere
}

// There first, and when that is confirmed, no more here.
Result<void> put_there(Session& session, const Fetched& fetched, const Place& to) {
  broker::Parcel parcel = fetched.parcel;
  parcel.due.reset();
  const auto queue = session.setup.making.queues.of(to);
  if (const auto made = broker::ready_queue(session.connection, session.setup.making, queue); !made) return made;
  return broker::publish_and_wait(session.connection, queue, parcel, session.setup.connection.timeout);
}

void tell(Session& session, const Operation& operation, const Fetched& fetched) {
  const bool is_done = !session.line.has("dry-run");
  const std::string id = fetched.parcel.item.id.string(), from = fetched.place.folder(), to = operation.to ? operation.to->folder() : "";
  if (session.wants_json()) {
    std::string json = "{";
    base::json::append_member(json, "id", id);
    base::json::append_member(json, "command", operation.name);
    base::json::append_member(json, "from", from);
    base::json::append_member(json, "to", to);
    base::json::append_name(json, "done");
    session.out.put(json + (is_done ? "true}\n" : "false}\n"));
    return;
  }
  const std::string what = operation.name == "retry" ? " is tried now" : operation.to ? " " + from + " -> " + to : " removed from " + from;
  session.out.put(id + what + (is_done ? "\n" : " (not done)\n"));
}

Result<int> change(Session& session, Operation operation) {
  Selection beside_queues = session.selection;  // ids may go with --queue: a quarantine is looked into only when it is named
  beside_queues.queues.clear();
  const bool is_bulk = session.line.has("all") || beside_queues.has_criteria() || (session.arguments.empty() && session.selection.has_criteria());
  if (is_bulk != session.arguments.empty())
    return base::fail(Fault::Usage, std::string(operation.name) + (is_bulk ? ": ids or a selection, not both" : ": which messages? expected: ids, a selection or --all"));
  if (operation.name == "remove" && !session.line.has("yes") && !session.line.has("dry-run"))
    return base::fail(Fault::Usage, "remove: on a broker it does not ask; expected: --yes");
  if (const auto ready = session.connection.select_confirms(); !ready) return std::unexpected(ready.error());
  std::size_t count = 0;
  const auto changed = for_each(session, [&](Fetched& fetched) -> Result<bool> {
    const Entry entry = entry_of(fetched.seen(session.now));
    const bool is_wanted = is_bulk ? session.selection.takes(entry, session.now) : is_named(session, entry.id);
    if (!is_wanted || operation.to == fetched.place) {
      const bool is_due_already = !session.setup.making.queues.is_waiting(fetched.queue);
      if (!is_wanted || operation.name != "retry" || is_due_already) return true;
    }
    if (!operation.takes.empty() && std::ranges::find(operation.takes, fetched.place.state) == operation.takes.end()) return true;
    ++count;
    if (!session.line.has("dry-run")) {
      if (operation.to)
        if (const auto put = put_there(session, fetched, *operation.to); !put) return std::unexpected(put.error());
      if (const auto acknowledged = session.connection.ack(fetched.tag); !acknowledged) return std::unexpected(acknowledged.error());
      --session.fetched[fetched.queue];
    }
    tell(session, operation, fetched);
    return is_bulk || count < session.arguments.size();
  });
  if (!changed) return std::unexpected(changed.error());
  if (count == 0 && !is_bulk) return no_such_message(session);
  return 0;
}

Result<int> move(Session& session) {
  const auto place = session.arguments.empty() ? std::nullopt : Place::parse(session.arguments.back());
  if (!place) return base::fail(Fault::Usage, "move: where to? expected: a queue as the last argument");
  session.arguments.pop_back();
  return change(session, {"move", *place, {}});
}
Result<int> hold(Session& session) { return change(session, operation_of("hold")); }
Result<int> release(Session& session) { return change(session, operation_of("release")); }
Result<int> retry(Session& session) { return change(session, operation_of("retry")); }
Result<int> remove(Session& session) { return change(session, operation_of("remove")); }

struct Row {
  std::string_view name;
  Result<int> (*run)(Session&);
};
constexpr auto kCommands = std::to_array<Row>({
    {"status", status},
    {"list", list},
    {"show", show},
    {"cat", cat},
    {"move", move},
    {"hold", hold},
    {"release", release},
    {"retry", retry},
    {"remove", remove},
});

}  // namespace
}  // namespace at_broker

base::Result<int> run_on_broker(const Command& command, const base::CommandLine& line, Selection selection, Output& out) {
  const auto row = std::ranges::find(at_broker::kCommands, command.name, &at_broker::Row::name);
  if (row == at_broker::kCommands.end()) {
    std::string known;
    for (const auto& one : at_broker::kCommands) known += " " + std::string(one.name);
    return base::fail(base::Fault::Usage, std::string(command.name) + " is for a spool in a folder; on a broker:" + known);
  }
  for (const std::string_view option : {"by", "rows", "empty"})
    if (line.has(option)) return base::fail(base::Fault::Usage, "--" + std::string(option) + ": a broker only counts messages");
  auto setup = broker::Setup::from(line.settings, "qctl");
  if (!setup) return std::unexpected(setup.error());
  std::vector<std::string> arguments;
  if (!line.arguments.empty()) arguments.assign(line.arguments.begin() + 1, line.arguments.end());
  if (command.arguments == "[QUEUE...]") {
    if (const auto checked = Selection::check_queues(arguments); !checked) return std::unexpected(checked.error());
    selection.queues.insert(selection.queues.end(), arguments.begin(), arguments.end());
  }
  auto connection = broker::Connection::open(setup->address, setup->connection);
  if (!connection) return std::unexpected(connection.error());
  at_broker::Session session{line, std::move(arguments), std::move(selection), out, std::move(*setup), std::move(*connection), base::wall_now(), {}};
  const auto code = row->run(session);
  if (!session.fetched.empty())
    if (const auto given = at_broker::give_back(session); !given && code) return std::unexpected(given.error());
  session.connection.close();
  return code;
}

}  // namespace qctl
