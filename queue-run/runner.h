// The work of queue-run, turn by turn: takes mail in from the log, from fresh files and from deferred files that are due,
// lets Deliveries work on it, sleeps until something comes or is due, and ends when it is told to or, with --drain, when
// nothing is left to do.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "lib/base/clock_jumps.h"
#include "lib/net/loop.h"
#include "lib/queue/log_reader.h"
#include "lib/queue/spool.h"
#include "lib/queue/trigger.h"
#include "queue-run/catalog_keeper.h"
#include "queue-run/deliveries.h"
#include "queue-run/due.h"
#include "queue-run/folders.h"
#include "queue-run/spool_keeper.h"

namespace run {

class Runner {
 public:
  struct Settings {
    Deliveries::Settings deliveries;
    std::size_t messages_max = 50'000;  // in hand at once; of them at most half are old, and three quarters were files
    Milliseconds stop_timeout = 30'000;
    bool drains = false;         // end when nothing is due
    bool retries_all = false;    // all that is deferred is due at the start
    std::set<queue::Id> only;    // these and no others, whether due or not; then end
  };

  Runner(net::Loop& loop, queue::Spool& spool, queue::LogReader& log, queue::Trigger& trigger, const Settings& settings);
  ~Runner();
  [[nodiscard]] base::Result<void> start();
  // No new deliveries; ends the loop when the open ones have ended, at the latest after stop_timeout.
  void stop();

  // Of `only`: what has not left the queue.
  [[nodiscard]] const std::set<queue::Id>& left_over() const { return left_over_; }
  [[nodiscard]] bool was_cut_short() const { return was_cut_short_; }
  // Why mail was not tried at all: its transport could not be called; "" if it could.
  [[nodiscard]] std::string_view unavailable() const { return deliveries_->schedule().unavailable(); }
  [[nodiscard]] std::size_t deferred() const { return due_.size(); }

  // ---- what an operator asks (requests.h) ---------------------------------------------------------------------------

  using Answer = std::function<void(base::Result<void>)>;
  void move(const queue::Id& id, const queue::Place& to, Answer answer);
  void remove(const queue::Id& id, Answer answer);
  // Moves it to `to`, or forgets it. What was answered as done is durable behind a sync() only, which many can share.
  void change_unsynced(const queue::Id& id, const std::optional<queue::Place>& to, Answer answer) { fulfil(id, {to, std::move(answer), true}); }
  [[nodiscard]] base::Result<void> sync() { return keeper_.sync(); }
  [[nodiscard]] base::Result<void> retry(const queue::Id& id);
  std::size_t retry_all();
  // Forgets why the destinations of these addresses are avoided; none: of all.
  void forgive(std::span<const std::string> addresses);
  void retry_domain(const std::string& domain, std::function<void(base::Result<std::size_t>)> answer);
  [[nodiscard]] base::Result<void> replace(const queue::Id& id, const chain::Call& call) { return deliveries_->give_from_rules(id, call); }
  // A content filter gives a message back: `call` has it, and in its context what its field said.
  void bring_back(const queue::Id& id, const chain::Call& call, Answer answer);
  [[nodiscard]] std::string status() const;  // JSON
  [[nodiscard]] std::string metrics() const;
  // How many wait in deferred/, their octets, the oldest, the next attempt, and how many are younger than each of `limits`, as
  // queue-run(8) describes it. Fault::Temporary while the folder is being read.
  [[nodiscard]] base::Result<std::string> summary(std::span<const std::chrono::seconds> limits) const;
  // Messages in deferred/ of which its catalog does not tell, as queue-run(8) describes it. Fault::Temporary while it is not ready.
  [[nodiscard]] base::Result<std::string> uncataloged();

 private:
  static constexpr std::size_t kMessagesPerTurn = 1000;
  static constexpr std::size_t kFilesPerTurn = 50;  // they may have to come from the disk, and the loop waits for them
  struct FreshFile {
    queue::Place place;
    queue::Id id;
  };
  struct Search {  // for retry_domain()
    std::string domain;
    std::function<void(base::Result<std::size_t>)> answer;
  };

  void turn();
  void look_at_clock(Milliseconds now);
  void take_in();
  void take_in_log();
  void take_in_fresh();
  void take_in_parked();
  void take_in_due();
  void park();
  // What is fresh and not in deliver/ will go through the post-queue rules first; so will that of take_in_log().
  void admit_file(const queue::Place& place, const queue::Id& id, bool is_fresh);
  void on_file_error(const queue::Place& place, const queue::Id& id, const base::Error& error);
  void on_found(const queue::Place& place, const queue::Id& id, base::WallTime modified, std::uint64_t octets = 0, bool is_listed = false);
  void on_gone(const queue::Place& place, const queue::Id& id);
  void on_review(Folders::Review review);
  void note_in_catalog(const queue::Entry& entry, bool is_listed);
  void on_left(const Deliveries::Left& left);
  void hurry_for_recovered();
  void search_next();
  void on_trigger();
  void fulfil(const queue::Id& id, Wish wish);
  void fulfil_in_folder(const queue::Entry& entry, const Wish& wish);
  void look_for_in_log(const queue::Id& id);
  [[nodiscard]] bool is_selective() const { return !settings_.only.empty(); }
  [[nodiscard]] bool wants(const queue::Id& id) const { return !is_selective() || wanted_.contains(id); }
  // One huge mailing must not stand before the mail of others: files leave a quarter of the room to what comes by the log, and when that
  // is full, the latest messages of who has most of them go to the disk, until half of the room is free.
  [[nodiscard]] bool has_room_for_files() const { return deliveries_->messages() < settings_.messages_max - settings_.messages_max / 4; }
  [[nodiscard]] bool has_room_for_parked() const { return deliveries_->messages() < settings_.messages_max - settings_.messages_max / 2; }
  // Of a folder whose messages wait for a time; nullptr: they do not.
  [[nodiscard]] DueIndex* index_of(const queue::Place& place);
  [[nodiscard]] std::optional<base::WallTime> next_due() const;
  void bring_back_from_folder(const queue::Id& id, const chain::Delegation& returned, const base::Blob& text, Answer answer);
  [[nodiscard]] bool has_room() const { return deliveries_->messages() < settings_.messages_max; }
  [[nodiscard]] bool has_room_for_old() const { return has_room_for_files() && deliveries_->old_messages() < std::max<std::size_t>(1, settings_.messages_max / 2); }
  [[nodiscard]] bool is_finished() const;
  void finish();
  void set_timer(Milliseconds now);

  net::Loop& loop_;
  queue::Spool& spool_;
  queue::LogReader& log_;
  queue::Trigger& trigger_;
  Settings settings_;
  SpoolKeeper keeper_;
  std::unique_ptr<Deliveries> deliveries_;
  std::unique_ptr<Folders> folders_;
  CatalogKeeper catalog_;
  net::Timer timer_;
  net::Timer stop_timer_;
  std::optional<net::Watch> trigger_watch_;

  bool log_has_more_ = true;
  bool has_more_to_start_ = false;
  std::deque<FreshFile> fresh_;
  std::deque<FreshFile> parked_;
  std::unordered_set<queue::Id> parking_;      // on their way there
  std::unordered_set<queue::Id> fresh_known_;  // ids in fresh_ and parked_
  Milliseconds park_at_ = 0;                   // not before
  DueIndex due_;
  DueIndex away_;  // delegated: when they are handed over, or are lost
  std::deque<Search> searches_;  // the first is going on
  base::ClockJumps clock_;
  Milliseconds look_at_clock_at_ = 0;
  Milliseconds look_at_log_at_ = 0;  // crowded segments
  Milliseconds timer_is_for_ = kNever;
  bool is_stopping_ = false;
  bool has_ended_ = false;
  bool was_cut_short_ = false;
  bool log_failed_ = false;
  bool has_read_folders_ = false;
  std::set<queue::Id> wanted_;     // of settings_.only: not yet taken in
  std::set<queue::Id> left_over_;  // of settings_.only: still in the queue
};

}  // namespace run
