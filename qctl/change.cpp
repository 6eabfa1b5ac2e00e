#include "qctl/change.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iostream>
#include <map>
#include <set>

#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "lib/queue/view.h"
#include "qctl/commands.h"
#include "qctl/look.h"
#include "qctl/quarantine_facts.h"

namespace qctl {
namespace {
using queue::State;
constexpr States kEvery = ~0U;
constexpr States kWaiting = bit(State::Working) | bit(State::Deliver) | bit(State::Deferred) | bit(State::Delegated);
constexpr States kTriedAgain = bit(State::Deferred) | bit(State::Delegated);
constexpr States kSetAside = bit(State::Hold) | bit(State::Quarantine) | bit(State::Dead);

constexpr auto kOperations = std::to_array<Operation>({
    // name      doing        done        kind                 to               by id                   by selection            asks
    {"move",    "moving",    "moved",    Wish::Kind::Move,    State::Hold,     kEvery,                 kEvery,                 false},
    {"hold",    "holding",   "held",     Wish::Kind::Move,    State::Hold,     kWaiting,               kWaiting,               false},
    {"release", "releasing", "released", Wish::Kind::Move,    State::Working,  kSetAside,              bit(State::Hold),       false},
    {"retry",   "asking",    "retried",  Wish::Kind::Retry,   State::Deferred, kTriedAgain,            kTriedAgain,            false},
    {"remove",  "removing",  "removed",  Wish::Kind::Remove,  State::Dead,     kEvery,                 kEvery,                 true},
});
constexpr const Operation& operation_of(std::string_view name) { return *std::ranges::find(kOperations, name, &Operation::name); }

constexpr std::size_t kAtOnce = 2048;           // messages that share threads, calls and syncs
constexpr std::size_t kMostForgiven = 1000;     // destinations that queue-run is told of one by one

// One run of a command.
class Change {
 public:
  Change(Session& session, const Operation& operation, const Filter& filter)
      : session_(session), operation_(operation), filter_(filter), wish_{.kind = operation.kind, .to = {operation.to, {}}} {}

  base::Result<int> run();

 private:
  base::Result<void> read_arguments();
  base::Result<void> collect();
  void collect_named();
  base::Result<void> collect_all_of(const queue::Place& place, Progress& progress);
  [[nodiscard]] bool needs_reading(const queue::Place& place) const;
  void add(const Entry& entry);
  void add(const Target& target, const std::string& context);
  [[nodiscard]] States bulk_takes() const { return session_.selection.queues.empty() ? operation_.bulk_takes : operation_.takes; }
  [[nodiscard]] bool is_bulk() const { return session_.line.has("all") || session_.selection.has_criteria(); }
  [[nodiscard]] std::string counts() const;
  base::Result<bool> is_wanted() const;
  base::Result<std::optional<int>> retry_at_once();
  base::Result<void> carry_out();
  void carry_out(Hand& hand, const Wish& wish, std::span<const Target> targets, Progress& progress);
  [[nodiscard]] std::vector<std::string> to_forgive() const;
  void say_how_many() const;

  void tell(const Wish& wish, const Target& target);
  void complain(std::string_view id, const base::Error& error);

  Session& session_;
  const Operation& operation_;
  const Filter& filter_;
  Wish wish_;
  std::map<queue::Place, std::vector<Target>> targets_;  // by where they go
  std::map<std::string, std::string> destinations_;      // of a Retry: an address of each domain
  std::size_t done_ = 0, gone_ = 0, elsewhere_ = 0, failed_ = 0;
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

void Change::add(const Target& target, const std::string& context) {
  const bool is_release = operation_.kind == Wish::Kind::Move && operation_.to == State::Working;
  targets_[is_release ? released_to(target.place, context) : wish_.to].push_back(target);
}

void Change::collect_named() {
  std::set<queue::Id> known;
  for (const auto& id : session_.arguments) {
    const auto found = find_message(session_.spool, id);
    if (!found) {
      complain("", found.error());
    } else if ((bit(found->place.state) & operation_.takes) == 0 && found->place != wish_.to) {
      complain(found->id.text(), {base::Fault::Permanent, "is in " + found->place.folder() + ", which " + std::string(operation_.name) + " does not take from"});
    } else if (known.insert(found->id).second) {
      const bool is_quarantined = found->place.state == State::Quarantine;
      const auto seen = is_quarantined ? session_.spool.read(found->place, found->id) : base::Result<queue::StoredItem>();
      add(*found, is_quarantined && seen ? seen->item.context : "");
    }
  }
}

void Change::add(const Entry& entry) {
  add({entry.id, entry.place, entry.is_in_log}, entry.context);
  if (operation_.kind != Wish::Kind::Retry || destinations_.size() > kMostForgiven) return;
  for (const auto& recipient : entry.recipients) destinations_.try_emplace(base::text::to_lower(mail::split_address(recipient).second), recipient);
}

// What is asked of the messages, or where they go, is in them; else their names will do.
bool Change::needs_reading(const queue::Place& place) const {
  Selection other = session_.selection;
  other.queues.clear();
  const bool is_release = operation_.kind == Wish::Kind::Move && operation_.to == State::Working;
  return filter_ || other.has_criteria() || operation_.kind == Wish::Kind::Retry || (is_release && place.state == State::Quarantine);
}

base::Result<void> Change::collect_all_of(const queue::Place& place, Progress& progress) {
  const auto add_one = [&](const Target& target) { return progress.step(), add(target, {}), true; };
  if (place.state != State::Working) return session_.spool.list_names(place, [&](const queue::Id& id) { return add_one({id, place, false}); });
  std::vector<queue::Foreign> foreign;
  auto listed = queue::View(session_.spool).list(place, [&](const queue::Listed& one) { return add_one({one.id, one.place, one.is_in_log}); }, &foreign);
  // A message that could not be looked at was meant as well.
  for (const auto& one : foreign)
    if (const auto id = queue::Id::parse(one.path.substr(one.path.rfind('/') + 1))) complain(id->text(), {base::Fault::Temporary, one.why});
  return listed;
}

base::Result<void> Change::collect() {
  if (!is_bulk()) return collect_named(), base::Result<void>();
  Progress progress("found", 0);
  Selection to_read = session_.selection;
  to_read.queues.clear();
  for (const auto& place : session_.spool.places()) {
    if ((bit(place.state) & bulk_takes()) == 0 || !session_.selection.takes(place)) continue;
    if (needs_reading(place)) {
      to_read.queues.push_back(place.folder());
    } else if (const auto listed = collect_all_of(place, progress); !listed) {
      return listed;
    }
  }
  if (!to_read.queues.empty()) {
    const auto read = for_each(session_.spool, to_read, session_.now, [&](const Entry& entry) {
      if (filter_ && !filter_(entry)) return true;
      return progress.step(), add(entry), true;
    });
    if (!read) return read;
  }
  // As they came, and so mostly as their files lie on the disk.
  for (auto& [to, targets] : targets_) std::ranges::sort(targets, {}, &Target::id);
  return {};
}

// "12 messages: deferred 10, hold 2"
std::string Change::counts() const {
  std::map<queue::Place, std::size_t> by_place;
  std::size_t all = 0;
  for (const auto& [to, targets] : targets_) {
    all += targets.size();
    for (const auto& target : targets) ++by_place[target.place];
  }
  std::string text = std::to_string(all) + (all == 1 ? " message" : " messages");
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
  if (!operation_.asks || dry_run || targets_.empty() || session_.line.has("yes")) return true;
  if (::isatty(STDIN_FILENO) == 0)
    return base::fail(base::Fault::Usage, std::string(operation_.name) + " asks first, and standard input is no terminal; expected: --yes");
  std::string what(operation_.name);
  what.front() = base::text::upper(what.front());
  (void)base::write_all(2, what + " " + counts() + " for good? [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  const auto word = base::text::to_lower(base::text::trim(answer));
  if (word == "y" || word == "yes") return true;
  (void)base::write_all(2, "Canceled\n");
  return false;
}

base::Result<void> Change::carry_out() {
  Hand hand(session_.spool);
  std::size_t all = 0;
  for (const auto& [to, targets] : targets_) all += targets.size();
  Progress progress(operation_.doing, all);
  if (operation_.kind == Wish::Kind::Retry && is_bulk() && all > 0 && !session_.line.has("dry-run")) hand.forgive(to_forgive());
  for (const auto& [to, targets] : targets_) {
    Wish wish{.kind = wish_.kind, .to = to, .is_bulk = is_bulk()};
    // Who has chosen messages of some queues does not mean those that left them meanwhile.
    if (is_bulk())
      wish.follows = [this](const queue::Place& now) { return (bit(now.state) & bulk_takes()) != 0 && session_.selection.takes(now); };
    carry_out(hand, wish, targets, progress);
  }
  progress.wipe();
  say_how_many();
  return hand.finish();
}

void Change::carry_out(Hand& hand, const Wish& wish, std::span<const Target> targets, Progress& progress) {
  const auto on_done = [&](const Target& target, const base::Result<void>& result) {
    progress.step();
    const int number = result ? 0 : result.error().error_number;
    ++(result ? done_ : number == ENOENT ? gone_ : number == ESTALE ? elsewhere_ : failed_);
    if (result) return tell(wish, target);
    if (is_bulk() && (number == ENOENT || number == ESTALE)) return;  // of a selection, some may have been delivered meanwhile
    progress.wipe();
    complain(number == ENOENT ? "" : target.id.text(), result.error());
  };
  for (std::size_t first = 0; first < targets.size(); first += kAtOnce) {
    const auto some = targets.subspan(first, std::min(kAtOnce, targets.size() - first));
    if (session_.line.has("dry-run")) {
      for (const auto& target : some) on_done(target, {});
    } else {
      hand.carry_out(wish, some, on_done);
    }
  }
}

// Of very many destinations, all.
std::vector<std::string> Change::to_forgive() const {
  std::vector<std::string> addresses;
  if (destinations_.size() > kMostForgiven) return addresses;
  for (const auto& [domain, address] : destinations_) addresses.push_back(address);
  return addresses;
}

// "qctl: held 1200 of 1210 messages; 7 were gone, 2 had moved elsewhere, 1 could not be"
void Change::say_how_many() const {
  const std::size_t all = done_ + gone_ + elsewhere_ + failed_;
  if (!is_bulk() || session_.line.has("dry-run") || all == 0) return;
  std::string text = "qctl: " + std::string(operation_.done) + " " + std::to_string(done_) + " of " + std::to_string(all) + (all == 1 ? " message" : " messages");
  char separator = ';';
  const auto add = [&](std::size_t count, std::string_view what) {
    if (count == 0) return;
    text += std::string(1, separator) + " " + std::to_string(count) + " " + std::string(what);
    separator = ',';
  };
  add(gone_, "gone meanwhile");
  add(elsewhere_, "moved elsewhere meanwhile");
  add(failed_, "failed");
  (void)base::write_all(2, text + "\n");
}

void Change::tell(const Wish& wish, const Target& target) {
  const std::string from = target.place.folder();
  const std::string to = operation_.kind == Wish::Kind::Move ? wish.to.folder() : operation_.kind == Wish::Kind::Retry ? from : "";
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

}  // namespace

queue::Place released_to(const queue::Place& from, std::string_view context) {
  const auto facts = from.state == State::Quarantine ? quarantine_facts(context) : std::nullopt;
  const bool is_behind_postq = facts && (facts->stage == "postq" || facts->stage == "delivery");
  return {is_behind_postq ? State::Deliver : State::Working, {}};
}

base::Result<int> change(Session& session, const Operation& operation, const Filter& filter) { return Change(session, operation, filter).run(); }

base::Result<int> move(Session& session) { return change(session, operation_of("move")); }
base::Result<int> hold(Session& session) { return change(session, operation_of("hold")); }
base::Result<int> release(Session& session) { return change(session, operation_of("release")); }
base::Result<int> retry(Session& session) { return change(session, operation_of("retry")); }
base::Result<int> remove(Session& session) { return change(session, operation_of("remove")); }

}  // namespace qctl
