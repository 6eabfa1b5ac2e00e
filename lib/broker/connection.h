// A connection to a broker (AMQP 0-9-1, librabbitmq), blocking, for one thread. No amqp_* type leaves connection.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/broker/address.h"
#include "lib/broker/parcel.h"
#include "lib/broker/queues.h"

namespace broker {

// A message that the broker handed out, until ack() or nack().
struct Incoming {
  std::uint64_t tag = 0;
  bool is_redelivered = false;
  std::string queue;
  base::Result<Parcel> parcel;  // Fault::Permanent: no message of ours
};

// Is told by pump() what has come.
class Listener {
 public:
  virtual ~Listener() = default;
  // What was published up to `tag`, or this one alone, is safe; or was refused.
  virtual void on_confirmed(std::uint64_t tag, bool multiple, bool is_safe) = 0;
  virtual void on_returned(std::uint64_t tag, std::string why) = 0;  // it has no queue; a confirmation follows
  virtual void on_arrived(Incoming incoming) = 0;
  virtual void on_blocked(std::string why) = 0;  // the broker takes nothing for now: no disk, no memory
};

class Connection {
 public:
  struct Settings {
    std::chrono::milliseconds timeout{30'000};  // for each answer of the broker, and to get rid of octets
    unsigned heartbeat_seconds = 30;
    std::string name;                           // for the eyes of the broker's operator
  };
  // To the host `first` of the address, or else to the next ones. Fault::Config: the broker does not let us in.
  [[nodiscard]] static base::Result<Connection> open(const Address& address, const Settings& settings, std::size_t first = 0);
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();  // without farewell: what was not acknowledged is handed out again
  void close();   // with

  [[nodiscard]] const std::string& peer() const;  // "host:5672"
  [[nodiscard]] int fd() const;
  [[nodiscard]] std::chrono::milliseconds timeout() const;

  // Makes it unless it is there. Fault::Config: it is there, and is another kind of queue.
  [[nodiscard]] base::Result<void> declare(const QueueSpec& queue);
  // Messages that wait in it; nullopt: there is no such queue.
  [[nodiscard]] base::Result<std::optional<std::uint64_t>> count(const std::string& queue);

  // A lock that many connections share by its name. false: another one has it.
  [[nodiscard]] base::Result<bool> take_turn(const std::string& name);
  [[nodiscard]] base::Result<bool> is_anyones_turn(const std::string& name);
  [[nodiscard]] base::Result<void> end_turn(const std::string& name);

  // Before the first publish().
  [[nodiscard]] base::Result<void> select_confirms();
  // Returns the tag of its confirmation: 1, 2, 3...
  [[nodiscard]] base::Result<std::uint64_t> publish(const std::string& queue, const Parcel& parcel);

  // At most `prefetch` at once of this queue are handed out before they are acknowledged. `patience`: how long that may take.
  [[nodiscard]] base::Result<void> consume(const std::string& queue, std::uint16_t prefetch, std::chrono::milliseconds patience);
  [[nodiscard]] base::Result<void> stop_consuming(const std::string& queue);
  // The first one that waits.
  [[nodiscard]] base::Result<std::optional<Incoming>> get(const std::string& queue);
  [[nodiscard]] base::Result<void> ack(std::uint64_t tag);
  [[nodiscard]] base::Result<void> nack(std::uint64_t tag, bool requeue);
  [[nodiscard]] base::Result<void> give_all_back();  // what get() fetched and was not acknowledged

  // Takes in what has come; waits at most so long for the first of it.
  [[nodiscard]] base::Result<void> pump(std::chrono::milliseconds wait, Listener& listener);
  // Something was read from the socket and is still to be taken in: do not wait for the descriptor.
  [[nodiscard]] bool has_more() const;

 private:
  struct Internal;
  explicit Connection(std::unique_ptr<Internal> internal);
  std::unique_ptr<Internal> internal_;
};

}  // namespace broker
