// Messages onto a broker: each is confirmed by it, that is safe on the disks of a majority of its nodes, before it is taken.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lib/broker/setup.h"
#include "lib/chain/message_call.h"
#include "queue-inject/file_store.h"
#include "queue-inject/intake.h"

// One message over a connection of its own.
[[nodiscard]] Stored store_on_broker(const broker::Setup& setup, const Accepted& message);

// It is larger than the broker takes: the answer.
[[nodiscard]] std::optional<Refused> check_for_broker(const broker::Setup& setup, const Accepted& message);

struct BrokerResidentSettings {
  std::string socket;
  unsigned socket_mode;
  broker::Setup setup;
  IntakeRules rules;
  std::function<base::Result<void>()> confine;  // once the socket is there, before threads are
};
// queue-inject --resident: the calls share one connection and the broker's confirmations. Until SIGTERM. Returns the exit code.
int run_resident_on_broker(std::string_view program, const BrokerResidentSettings& settings);

// Makes the queues that are missing, but for those of quarantines, which come with their first message.
[[nodiscard]] base::Result<void> make_queues(const broker::Setup& setup);
