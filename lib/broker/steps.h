// What takes several questions to the broker, waited for.
#pragma once

#include <chrono>
#include <string>

#include "lib/broker/connection.h"

namespace broker {

struct Making {
  Queues queues{"vsmtp"};
  // How long new queues are left alone. RabbitMQ confirms a queue, and messages in it, before the name of its log is on the disk (seen
  // with 3.10: a queue made within a second before the broker was killed came back without its log, and without a leader).
  std::chrono::milliseconds settling{5000};
};

// `name` is there, and the queue that its messages may go to on their own. If it is not, all queues of the spool are made, while whoever
// else wants to make or use them waits. Fault::Config: it is there, and is another kind of queue.
[[nodiscard]] base::Result<void> ready_queue(Connection& connection, const Making& making, const std::string& name);

// After select_confirms(), with nothing else under way. Success: the broker has it safe.
[[nodiscard]] base::Result<void> publish_and_wait(Connection& connection, const std::string& queue, const Parcel& parcel, std::chrono::milliseconds patience);

}  // namespace broker
