// The messages whose delivery goes on: from the item on the disk over calls of transports to what is recorded of them.
//
//   admit -> batches -> jobs wait in Schedule -> calls -> results -> Keeper -> on_left
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/base/clock_jumps.h"
#include "lib/chain/caller.h"
#include "lib/net/loop.h"
#include "lib/queue/log_reader.h"
#include "lib/queue/spool.h"
#include "queue-run/addresses.h"
#include "queue-run/keeper.h"
#include "queue-run/counters.h"
#include "queue-run/message.h"
#include "queue-run/retry.h"
#include "queue-run/rule_calls.h"
#include "queue-run/transports.h"

namespace run {

class Deliveries {
 public:
  struct Settings {
    std::vector<TransportSettings> transports;  // by Transport
    Router::Table routes;
    Addresses::Table addresses;
    RetryPolicy retry;
    Schedule::Policy schedule;
    chain::Caller::Limits calls;
    NoticeSettings notices;
    RulesSettings rules;
    DelegationSettings delegation;
  };
  // How a message left.
  struct Left {
    queue::Id id;
    std::optional<queue::Place> place;        // where it is now; nothing: it needs nothing more
    std::optional<base::WallTime> next = {};  // its next attempt
    std::optional<base::Error> error = {};    // its file was not to be had when the turn came: as of Spool::take()
    std::string waits_for = {};               // a destination that could not be reached
    bool is_new_text = false;                 // rules have made another one of it
  };

  // `keeper` is borrowed. `on_notice`: a new message lies in working/.
  Deliveries(net::Loop& loop, Keeper& keeper, const Settings& settings, std::function<void(const Left&)> on_left,
             std::function<void(const queue::Id&)> on_notice);
  ~Deliveries();

  void admit(queue::LogItem item);
  // Opens the file, which must be there. Errors as of Spool::take(): the message is not admitted.
  [[nodiscard]] base::Result<void> admit(queue::Spool& spool, const queue::Place& place, const queue::Id& id, bool is_fresh);

  // What both end in: id, place, ages, envelope and octets of the message are set. `events`: what was recorded before.
  void admit(std::unique_ptr<Message> message, std::string_view context, std::span<const queue::Event> events);

  // Starts what the schedule allows. Then lets go of the files of messages that have to wait. True: there is more to do.
  bool start(Milliseconds now);
  void flush(Milliseconds now, bool at_end = false);
  [[nodiscard]] Milliseconds wakes_at() const { return std::min(schedule_.wakes_at(), keeper_.wakes_at()); }

  [[nodiscard]] bool has(const queue::Id& id) const { return messages_.contains(id); }
  [[nodiscard]] std::size_t messages() const { return messages_.size(); }
  [[nodiscard]] std::size_t old_messages() const { return old_messages_; }
  [[nodiscard]] std::size_t open_calls() const { return schedule_.open(); }
  [[nodiscard]] std::size_t waiting_calls() const { return schedule_.waiting(); }
  [[nodiscard]] std::size_t unconcluded() const { return keeper_.unconcluded(); }
  [[nodiscard]] const Schedule& schedule() const { return schedule_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] std::uint64_t syncs() const { return keeper_.syncs(); }

  // Some messages of the log that hinder its segments get files of their own. True: there are more.
  bool make_room_in_log(queue::LogReader& log);
  // False: no such message here.
  bool retry(const queue::Id& id);
  bool fulfil(const queue::Id& id, Wish& wish);  // true: `wish` was taken and will be answered
  // Of the sender who has most fresh messages here of which nothing is open, if these are at least `least`: the last `count` of them.
  [[nodiscard]] std::vector<queue::Id> idle_of_busiest_sender(std::size_t count, std::size_t least) const;
  [[nodiscard]] std::vector<std::string> take_recovered() { return schedule_.take_recovered(); }
  // `queue-inject --replace` of a chain of rules that was called for this message: what it has become.
  [[nodiscard]] base::Result<void> give_from_rules(const queue::Id& id, const chain::Call& call);
  // A message that is here comes back from the content filter that has it, as `text`. Answered when it is stored. Fault::Permanent: it is
  // not to come back so.
  void take_back(const queue::Id& id, const chain::Delegation& returned, const base::Blob& text, std::function<void(base::Result<void>)> answer);
  void forgive(std::string_view host) { schedule_.forgive(host); }
  void forgive_destinations_of(std::span<const std::string> addresses);
  // Messages of which nothing is open go back to deliver/, as by fulfil().
  void release_idle();
  // Ends all open calls; their results are not known. Messages that only waited are let go.
  void abandon();

 private:
  void route(Message& message, std::string_view context, std::span<const queue::Event> events);
  [[nodiscard]] bool must_ask_rules(const Message& message, std::string_view context, std::span<const queue::Event> events) const;
  void ask_rules(Message& message, std::string context, std::vector<queue::Event> events);
  void wait_for_rules(Message& message);
  void open_rules(Message& message);
  void on_rules(Message& message, const chain::Outcome& outcome);
  void carry_out(Message& message, Verdict verdict);
  void rules_failed(Message& message, std::string_view reason);
  void replace(Message& message, Verdict verdict, const queue::Event& event);
  void on_replaced(Message& message, const Left& left, bool is_stored);
  void delegate(Message& message, chain::Delegation delegation, std::string_view context, std::span<const queue::Event> events);
  void hand_over(Message& message);
  void on_handed(Message& message, const chain::Outcome& outcome);
  void hand_over_failed(Message& message, std::span<const std::string> said);
  void lose(Message& message);
  void end_return(Message& message);
  void settle(Message& message, std::uint32_t recipient, const Result& result);
  void settle(Message& message, std::uint32_t recipient, const Result& result, queue::EventKind kind);
  // Where a bounce of forwarded mail goes on to; true: nowhere, and it is settled.
  bool find_target(Message& message, std::uint32_t recipient);
  [[nodiscard]] std::string sender_for(const Message& message, const Batch& batch) const;
  void stop_waiting(Message& message);
  void open(Delivery& delivery);
  void on_outcome(Delivery& delivery, const chain::Outcome& outcome);
  void put_off(Delivery& delivery, std::string_view reason);
  void on_results(Delivery& delivery, const std::vector<Result>& results);
  void note_end(Message& message, std::uint32_t recipient, queue::EventKind kind, const std::string& text);
  [[nodiscard]] queue::EventKind event_kind(const Message& message, std::uint32_t recipient, const Result& result, Transport transport) const;
  void conclude(Message& message);
  void notify(Message& message);
  void on_notified(Message& message, const std::vector<Notice>& notices);
  void end_attempt(Message& message);
  // By ages that do not count what the clock has skipped: when it is set forward, nobody's mail fails for that.
  [[nodiscard]] base::WallTime now_for(base::WallTime then);
  [[nodiscard]] bool is_too_old(const Message& message);
  [[nodiscard]] base::WallTime next_attempt(const Message& message);
  [[nodiscard]] Fate fate_of(const Message& message) const;
  void on_concluded(Message& message);
  void drop(Message& message, const base::Error& error);
  void let_go(Message& message);
  void forget(Message& message, const Left& left);
  void complain(const chain::Outcome& outcome, Milliseconds now);

  net::Loop& loop_;
  Keeper& keeper_;
  Settings settings_;
  std::function<void(const Left&)> on_left_;
  std::function<void(const queue::Id&)> on_notice_;
  Router router_;
  Addresses addresses_;
  Schedule schedule_;
  RuleCalls rules_;
  chain::Caller caller_;
  std::vector<Schedule::TransportId> transport_ids_;  // by Transport
  Schedule::TransportId rules_transport_ = 0;
  std::unordered_map<queue::Id, std::unique_ptr<Message>> messages_;
  std::vector<queue::Id> just_admitted_;  // their files are held until start() has looked at them
  std::size_t old_messages_ = 0;
  base::ClockJumps clock_;
  base::Ages ages_;
  Counters counters_;
  Milliseconds complained_at_ = 0;
};

}  // namespace run
