// The service manager that has started this process: systemd by its socket (sd_notify(3)), s6 by a descriptor. Beside the log the only
// global state; without a manager nothing here does anything.
#pragma once

#include <cstdint>
#include <string_view>

#include "lib/base/command_line.h"
#include "lib/base/result.h"

namespace base::service {

inline constexpr OptionRow kNotifyOption = {"notify-fd", "N", "write a line on this descriptor when the service is ready, as s6 wants it (notification-fd)"};

// Takes $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID out of the environment, so that programs that are started do not speak for us, and
// connects at once: later there may be no right to. `descriptor` is the value of --notify-fd, or "". Fault::Usage.
[[nodiscard]] Result<void> configure(std::string_view descriptor);
// Puts them back, for a process that execs itself.
void restore_environment();
// Somebody else speaks for the service: a worker that was forked.
void forget();

void ready();      // also the end of a reload
void reloading();
void stopping();
void status(std::string_view text);  // one line for systemctl status

// How often alive() is to be called; 0: nobody listens. Half of what the manager waits for.
[[nodiscard]] std::uint64_t watchdog_milliseconds();
void alive();

}  // namespace base::service
