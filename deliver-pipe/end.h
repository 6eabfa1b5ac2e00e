// How a command ended -> what becomes of its recipients: exit codes of sysexits(3) as Postfix's pipe(8) reads them, and those of
// qmail-command(8). No I/O.
#pragma once

#include <string>
#include <string_view>

#include "lib/chain/command.h"
#include "lib/chain/delivery_call.h"

namespace pipe_delivery {

struct Result {
  chain::Delivery delivery = chain::Delivery::Deferred;
  std::string text;  // a reply
};

// `command` is its name. The first line that it wrote goes into the reply; where that begins with an enhanced status code that fits
// a failure, it is the reply.
[[nodiscard]] Result result_of(const chain::CommandEnd& end, std::string_view command);
[[nodiscard]] Result timed_out(std::string_view command, std::uint64_t seconds);

}  // namespace pipe_delivery
