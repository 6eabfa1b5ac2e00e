// A connection to a broker for a loop: a thread of its own talks to the broker and may wait there; what has happened is told in the
// loop's thread. A lost connection is made again, with growing pauses.
//
// For publishing and for consuming there is one each: a broker that has no room reads no more from those who publish, and
// acknowledgements must not wait behind that.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/broker/steps.h"
#include "lib/net/loop.h"

namespace broker {

// What is needed to acknowledge a message: only the connection that brought it can.
struct Ticket {
  std::uint64_t connection = 0;
  std::uint64_t tag = 0;
};

class Link {
 public:
  struct Consumer {
    std::string queue;
    std::uint16_t prefetch;
  };
  struct Settings {
    Address address;
    Connection::Settings connection;
    Making making;
    std::vector<Consumer> consumers;           // none: it publishes
    std::chrono::milliseconds patience{0};     // of consumers
  };
  struct Events {
    std::function<void(bool is_up, const std::string& why)> on_state = {};  // also each time that connecting failed
    std::function<void(Ticket, Incoming)> on_arrived = {};
  };
  using Done = std::function<void(base::Result<void>)>;

  Link(net::Loop& loop, Settings settings, Events events);
  // What was told to it before is still done, if the broker is there; `done` is not called any more.
  ~Link();

  // `done`: it is safe, or why not. It may be there all the same when the connection broke. While there is no connection, and while
  // the broker takes nothing, it fails at once. Queues are made when they are first used.
  void publish(std::string queue, Parcel parcel, Done done);
  // Of a lost connection: nothing happens, the broker hands the message out again.
  void ack(const Ticket& ticket);
  void nack(const Ticket& ticket, bool requeue);
  void stop_consuming();
  // Messages that wait in these queues, together.
  void count(std::vector<std::string> queues, std::function<void(base::Result<std::uint64_t>)> done);

 private:
  struct Internal;
  std::unique_ptr<Internal> internal_;
};

}  // namespace broker
