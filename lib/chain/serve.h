// Both lives of a program in one call, for programs whose work is a plain function of an Invocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>

#include "lib/base/command_line.h"
#include "lib/chain/message_call.h"

namespace chain {

// For Manual::options of a program that calls serve().
inline constexpr base::OptionRow kResidentOption = {"resident", "SOCKET", "keep running and serve calls on this Unix socket"};

struct Service {
  std::uint64_t message_limit_octets = std::numeric_limits<std::uint64_t>::max();  // one-shot; a resident program's caller has its own
  std::size_t threads = 0;          // resident: calls at once; 0 when the handler never waits
  std::function<void()> reload;     // resident: on SIGHUP
  std::function<base::Result<void>()> confine = {};  // resident: before it has threads, when its socket is there
};

// With --resident SOCKET, serves calls until SIGTERM; else the message call on this process's descriptors, and the chain
// of the command line is what comes next. Returns the exit code.
[[nodiscard]] int serve(std::string_view program, const base::CommandLine& line, const Service& service, const Handler& handler);

}  // namespace chain
