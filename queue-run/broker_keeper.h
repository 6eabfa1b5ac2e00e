// A broker as a Keeper, and what comes from it: RabbitMQ keeps a message until it is acknowledged here, and hands it out again,
// to this queue-run or to another, when the connection breaks before that.
//
//   all recipients have it        acknowledged
//   deferred, dead, held          published again with what happened to it, and when that is confirmed, acknowledged
//   for several destinations      published as one message for each, confirmed, acknowledged: what a broker message holds
//                                 is one delivery call, and its acknowledgement is the record of it
//   changed by rules              published as they have made it, and when that is confirmed, acknowledged
//
// Rules see a message before it is divided, so that they are asked once.
// So a crash between a delivery and its acknowledgement repeats that delivery, and nothing else. After a lost connection the
// message often comes back to the same queue-run: then it is not delivered again, but acknowledged anew.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "lib/broker/link.h"
#include "lib/broker/setup.h"
#include "queue-run/keeper.h"
#include "queue-run/route.h"

namespace run {

class BrokerKeeper : public Keeper {
 public:
  struct Settings {
    broker::Setup setup;
    std::uint16_t prefetch = 1;
    std::chrono::milliseconds patience{0};  // the longest that rules and a delivery take
    NoticeSettings notices;
    Router::Table routes;
    std::optional<RulesStages> rules;  // none: there are no rules
  };
  struct Events {
    std::function<void(std::unique_ptr<Message>, const broker::Parcel&)> on_message;
    std::function<void()> on_lost;  // the connection from which messages came: what has not begun should be let go
  };
  BrokerKeeper(net::Loop& loop, Settings settings, Events events);

  base::Result<void> hold(Message&) override { return {}; }
  void let_go(Message&) override {}
  void note(Message&) override {}  // it all stands in the conclusion
  void conclude(Message& message, Conclusion conclusion) override;
  bool needs_file_to_notify(const Message&) const override { return false; }
  void store_notices(Message& message, Subject subject, std::vector<Notice> notices, Notified done) override;
  bool is_stored(const queue::Id&) const override { return true; }  // it was confirmed before anything said so
  void replace(queue::Replacement replacement, std::function<void(bool)> done) override;
  base::Result<void> check(const queue::Replacement& replacement) const override;
  bool must_divide(const Message& message) const override;
  bool can_delegate() const override { return false; }  // what a filter gives back would have to be looked for
  bool can_record() const override { return is_up_; }
  base::Result<void> sync() override { return {}; }
  void flush(Milliseconds now, bool at_end) override;
  Milliseconds wakes_at() const override { return retry_at_; }
  std::size_t unconcluded() const override { return transfers_; }

  // No more messages come; those that are on their way go back.
  void stop();
  // How many wait to be taken in by somebody.
  void count(std::function<void(base::Result<std::uint64_t>)> done);
  [[nodiscard]] bool is_up() const { return is_up_; }

 private:
  struct Held {
    broker::Parcel parcel;
    std::optional<broker::Ticket> ticket;  // none: the connection is lost, and the message was not handed out again
  };
  // With the queue where each goes.
  using Parcels = std::vector<std::pair<std::string, broker::Parcel>>;
  // Messages on their way to queues, and what is to be done when all are safe.
  struct Transfer {
    Parcels parcels;
    std::size_t open = 0;
    std::function<void()> done;
  };
  struct Arrival {
    broker::Ticket ticket;
    broker::Incoming incoming;
  };

  void on_state(bool is_up, const std::string& why);
  void on_arrived(const broker::Ticket& ticket, broker::Incoming incoming);
  [[nodiscard]] bool is_known(const broker::Ticket& ticket, const broker::Parcel& parcel);
  void take_in(const broker::Ticket& ticket, broker::Parcel parcel, const std::string& queue);
  void put_back_to_wait(const queue::Id& id, std::chrono::milliseconds wait);
  [[nodiscard]] bool awaits_rules(const broker::Parcel& parcel, const queue::Place& place) const;
  [[nodiscard]] Parcels divide(const broker::Parcel& whole, const std::vector<Batch>& batches) const;
  void transfer(Parcels parcels, std::function<void()> done);
  void publish(const std::shared_ptr<Transfer>& transfer);
  void settle(const queue::Id& id);
  void forget(const queue::Id& id);
  void forget_concluded(Milliseconds now);
  void compose_and_store(Message& message, Subject subject, std::vector<Notice> notices, Notified done);

  Settings settings_;
  Events events_;
  Router router_;
  bool is_up_ = false;
  bool is_stopping_ = false;
  bool was_up_ = true;  // what was said last
  std::unordered_map<queue::Id, Held> held_;
  // Not again, if they come once more: their acknowledgement may be lost. By id, with the attempt after which they left.
  struct Concluded {
    std::uint32_t attempt;
    Milliseconds at;
  };
  std::unordered_map<queue::Id, Concluded> concluded_;
  std::unordered_map<queue::Id, std::deque<Arrival>> behind_;  // another copy of a message in hand, of a later attempt
  std::vector<Arrival> next_;                                  // out of behind_
  std::vector<std::function<void()>> again_;                   // what failed and is tried again
  std::size_t transfers_ = 0;
  Milliseconds retry_at_ = kNever;
  Milliseconds forget_at_ = 0;
  // Last, so that they end first: their events use all of the above.
  broker::Link publisher_;
  broker::Link consumer_;
};

}  // namespace run
