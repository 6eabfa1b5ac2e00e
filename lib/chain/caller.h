// Calls programs and resident programs from a loop, many at a time, without ever blocking it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "lib/chain/message_call.h"
#include "lib/net/loop.h"

namespace chain {

// Program: found by $PATH or by its path, started with posix_spawn in a process group of its own (never fork: the caller
// may be large). Resident: one connection a socket, many calls at a time over it, connected again when it broke.
//
// A chain may mix both. When a resident program passes, the caller goes on with the next word itself; when an exec'd one
// passes, that program has exec'd the rest. A failure to start, to connect, a crash, an undefined exit code, garbage,
// and the time limit all end in Outcome::Temporary with a cause.
class Caller {
 public:
  struct Limits {
    std::uint64_t timeout_milliseconds = 300'000;  // one call through the whole chain; then the process group is killed
    std::size_t processes = 50;                    // exec'd at once; more calls wait in line
    std::size_t inline_octets = 65536;             // messages up to this travel inside the frame, larger ones as descriptors
    bool takes_passes = false;                     // the caller is the end of chains: who passes there, Outcome::passed says with what
  };
  Caller(net::Loop& loop, const Limits& limits);
  ~Caller();  // calls that are open end in nothing: their `done` is not called any more

  using Done = std::function<void(Outcome)>;
  // `done` is called later from the loop, never from inside call(). `words` is copied where it is needed longer.
  // Returns a handle for cancel().
  std::uint64_t call(const Words& words, Call call, Done done);
  // The caller has lost interest (client gone): `done` will not be called. An exec'd program goes on to its end
  // unless `kill_program`; a resident one is told nothing.
  void cancel(std::uint64_t handle, bool kill_program = false);

 private:
  struct Internal;
  std::unique_ptr<Internal> internal_;
};

// The same for one-shot programs, blocking.
[[nodiscard]] Outcome call_and_wait(const Words& words, Call call, const Caller::Limits& limits);

}  // namespace chain
