// Several worker processes on the same sockets, and the parent that watches over them.
#pragma once

#include <cstddef>
#include <functional>

namespace smtpd {

// Forks `workers` processes that each call `work` and exit with what it returns. Starts those that die again, late when they die
// soon; with SIGHUP calls `reload` and passes the signal on; with SIGTERM or SIGINT ends them and returns when they have ended. Fork before threads, loops and memory.
int supervise(std::size_t workers, const std::function<int()>& work, const std::function<void()>& reload);

}  // namespace smtpd
