// qctl move, hold, release, retry, remove: which messages, what becomes of them, and telling about it.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iostream>
#include <map>

#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "qctl/commands.h"
#include "qctl/hand.h"
#include "qctl/look.h"

namespace qctl {
namespace {
using queue::State;
using States = unsigned;  // a bit each
constexpr States bit(State state) { return 1U << static_cast<unsigned>(state); }
constexpr States kEvery = ~0U;
constexpr States kWaiting = bit(State::Working) | bit(State::Deliver) | bit(State::Deferred) | bit(State::Delegated);

struct Operation {
  std::string_view name;
  std::string_view doing;  // of the progress bar
  Wish::Kind kind;
  State to;            // of a Move, when its name is not an argument
  States takes;        // a message elsewhere is an error if it is named by its id
  States bulk_takes;   // of a selection that names no queue
};
constexpr auto kOperations = std::to_array<Operation>({
    // name      doing        kind                 to               by id                                                        by selection
    {"move",    "moving",    Wish::Kind::Move,    State::Hold,     kEvery,                                                      kEvery},
    {"hold",    "holding",   Wish::Kind::Move,    State::Hold,     kWaiting,                                                    kWaiting},
    {"release", "releasing", Wish::Kind::Move,    State::Working,  bit(State::Hold) | bit(State::Quarantine) | bit(State::Dead), bit(State::Hold)},
    {"retry",   "asking",    Wish::Kind::Retry,   State::Deferred, bit(State::Deferred),                                        bit(State::Deferred)},
    {"remove",  "removing",  Wish::Kind::Remove,  State::Dead,     kEvery,                                                      kEvery},
});
constexpr const Operation& operation_of(std::string_view name) { return *std::ranges::find(kOperations, name, &Operation::name); }

constexpr std::size_t kAtOnce = 256;  // messages that share their syncs

// One run of a command.
class Change {
 public:
  Change(Session& session, const Operation& operation) : session_(session), operation_(operation), wish_{operation.kind, {operation.to, {}}} {}

  base::Result<int> run();

 private:
  base::Result<void> read_arguments();
  base::Result<void> collect();
  void collect_named();
  [[nodiscard]] bool is_bulk() const { return session_.line.has("all") || session_.selection.has_criteria(); }
  [[nodiscard]] std::string counts() const;
  base::Result<bool> is_wanted() const;
  base::Result<std::optional<int>> retry_at_once();
  base::Result<void> carry_out();

  void tell(const Target& target);
  void complain(std::string_view id, const base::Error& error);

  Session& session_;
  const Operation& operation_;
  Wish wish_;
  std::vector<Target> targets_;
  int exit_code_ = 0;
};

base::Result<int> Change::run() {
  const auto read = read_arguments();
  if (!read) return std::unexpected(read.error());
  const auto at_once = retry_at_once();
  if (!at_once) return std::unexpected(at_once.error());
  if (*at_once) return **at_once;
  const auto collected = collect();
  if (!collected) return std::unexpected(collected.error());
  const auto wanted = is_wanted();
  if (!wanted) return std::unexpected(wanted.error());
  if (!*wanted) return exit_code_;
  const auto carried_out = carry_out();
  if (!carried_out) return std::unexpected(carried_out.error());
  return exit_code_;
}

base::Result<void> Change::read_arguments() {
  if (operation_.name == "move") {
    if (session_.arguments.empty()) return base::fail(base::Fault::Usage, "move: where to? expected: a queue as the last argument");
    const auto to = queue::Place::parse(session_.arguments.back());
    if (!to) {
      const auto checked = Selection::check_queues({session_.arguments.back()});
      return checked ? base::fail(base::Fault::Usage, "move: expected: quarantine/NAME") : checked;
    }
    wish_.to = *to;
    session_.arguments.pop_back();
  }
  if (is_bulk() != session_.arguments.empty())
    return base::fail(base::Fault::Usage, std::string(operation_.name) + (is_bulk() ? ": ids or a selection, not both" : ": which messages? expected: ids, a selection or --all"));
  return {};
}

// All that is deferred, or all of a domain: queue-run knows it better, and forgives the destinations too.
base::Result<std::optional<int>> Change::retry_at_once() {
  const auto& line = session_.line;
  const auto& given = session_.selection;
  const bool only_domain = given.domains.size() == 1 && given.domains.front().find_first_of("*?") == std::string::npos;
  Selection rest = given;
  rest.domains.clear();
  if (operation_.kind != Wish::Kind::Retry || !is_bulk() || line.has("dry-run") || rest.has_criteria() || (!given.domains.empty() && !only_domain))
    return std::nullopt;
  Hand hand(session_.spool);
  const auto asked = only_domain ? hand.retry_domain(given.domains.front()) : hand.retry_all();
  if (!asked && asked.error().error_number == ECONNREFUSED) return std::nullopt;
  if (!asked) return std::unexpected(asked.error());
  if (session_.wants_json()) {
    session_.out.put("{\"retried\":" + std::to_string(*asked) + "}\n");
  } else {
    session_.out.put(std::to_string(*asked) + (*asked == 1 ? " message is" : " messages are") + " tried now\n");
  }
  return 0;
}

void Change::collect_named() {
  for (const auto& id : session_.arguments) {
    const auto found = find_message(session_.spool, id);
    if (!found) {
      complain("", found.error());
    } else if ((bit(found->place.state) & operation_.takes) == 0 && found->place != wish_.to) {
      complain(found->id.text(), {base::Fault::Permanent, "is in " + found->place.folder() + ", which " + std::string(operation_.name) + " does not take from"});
    } else if (std::ranges::find(targets_, found->id, &Target::id) == targets_.end()) {
      targets_.push_back({found->id, found->place, found->is_in_log});
    }
  }
}

base::Result<void> Change::collect() {
  if (!is_bulk()) return collect_named(), base::Result<void>();
  const bool names_queues = !session_.selection.queues.empty();
  const States takes = names_queues ? operation_.takes : operation_.bulk_takes;
  Selection selection = session_.selection;
  if (!names_queues)
    for (const auto& place : session_.spool.places())
      if ((bit(place.state) & takes) != 0) selection.queues.push_back(place.folder());
  return for_each(session_.spool, selection, session_.now, [&](const Entry& entry) {
    if ((bit(entry.place.state) & takes) != 0) targets_.push_back({entry.id, entry.place, entry.is_in_log});
    return true;
  });
}

// "12 messages: deferred 10, hold 2"
std::string Change::counts() const {
  std::map<queue::Place, std::size_t> by_place;
  for (const auto& target : targets_) ++by_place[target.place];
  std::string text = std::to_string(targets_.size()) + (targets_.size() == 1 ? " message" : " messages");
  std::string separator = ": ";
  for (const auto& [place, count] : by_place) {
    text += separator + place.folder() + " " + std::to_string(count);
    separator = ", ";
  }
  return text;
}

// Says how many there are; for what cannot be undone, asks.
base::Result<bool> Change::is_wanted() const {
  const bool dry_run = session_.line.has("dry-run");
  if (is_bulk()) (void)base::write_all(2, "qctl: " + std::string(dry_run ? "would be " : "") + std::string(operation_.doing) + " " + counts() + "\n");
  if (operation_.kind != Wish::Kind::Remove || dry_run || targets_.empty() || session_.line.has("yes")) return true;
  if (::isatty(STDIN_FILENO) == 0)
    return base::fail(base::Fault::Usage, "remove asks first, and standard input is no terminal; expected: --yes");
  (void)base::write_all(2, "Remove " + counts() + " for good? [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  const auto word = base::text::to_lower(base::text::trim(answer));
  if (word == "y" || word == "yes") return true;
  (void)base::write_all(2, "Canceled\n");
  return false;
}

base::Result<void> Change::carry_out() {
  Hand hand(session_.spool);
  Progress progress(operation_.doing, targets_.size());
  const auto on_done = [&](const Target& target, const base::Result<void>& result) {
    progress.step();
    const bool is_gone = !result && result.error().error_number == ENOENT;
    if (result) {
      tell(target);
    } else if (!is_gone || !is_bulk()) {  // of a selection, some may have been delivered meanwhile
      progress.wipe();
      complain(is_gone ? "" : target.id.text(), result.error());
    }
  };
  for (std::size_t first = 0; first < targets_.size(); first += kAtOnce) {
    const auto some = std::span(targets_).subspan(first, std::min(kAtOnce, targets_.size() - first));
    if (session_.line.has("dry-run")) {
      for (const auto& target : some) on_done(target, {});
    } else {
      hand.carry_out(wish_, some, on_done);
    }
  }
  progress.wipe();
  return hand.finish();
}

void Change::tell(const Target& target) {
  const std::string from = target.place.folder();
  const std::string to = operation_.kind == Wish::Kind::Move ? wish_.to.folder() : operation_.kind == Wish::Kind::Retry ? from : "";
  if (session_.wants_json()) {
    std::string json = "{";
    base::json::append_member(json, "id", target.id.text());
    base::json::append_member(json, "command", operation_.name);
    base::json::append_member(json, "from", from);
    base::json::append_member(json, "to", to);
    base::json::append_name(json, "done");
    json += session_.line.has("dry-run") ? "false}" : "true}";
    session_.out.put(json + "\n");
    return;
  }
  const std::string_view would = session_.line.has("dry-run") ? " (not done)" : "";
  const std::string what = operation_.kind == Wish::Kind::Retry ? " is tried now" : operation_.kind == Wish::Kind::Remove ? " removed from " + from
                           : from == to                             ? " is in " + to + " already"
                                                                    : " " + from + " -> " + to;
  session_.out.put(target.id.string() + what + std::string(would) + "\n");
}

// Goes on with the other messages. The exit code is 75 if trying again can help, else that of the first fault.
void Change::complain(std::string_view id, const base::Error& error) {
  (void)session_.out.flush();  // in the order in which things happened
  (void)base::write_all(2, "qctl: " + std::string(id) + (id.empty() ? "" : " ") + error.cause + "\n");
  const int code = base::exit_row(error.fault).by_hand;
  if (exit_code_ == 0 || error.fault == base::Fault::Temporary) exit_code_ = code;
}

base::Result<int> run(Session& session, std::string_view name) { return Change(session, operation_of(name)).run(); }

}  // namespace

base::Result<int> move(Session& session) { return run(session, "move"); }
base::Result<int> hold(Session& session) { return run(session, "hold"); }
base::Result<int> release(Session& session) { return run(session, "release"); }
base::Result<int> retry(Session& session) { return run(session, "retry"); }
base::Result<int> remove(Session& session) { return run(session, "remove"); }

}  // namespace qctl
