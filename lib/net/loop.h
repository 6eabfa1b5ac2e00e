// All waiting, behind libuv. No uv_* type leaves this folder.
//
// One Loop a process; every object below belongs to a loop, is used only in its thread and must be destroyed before it.
// Destroying an object from inside its own callback is allowed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "lib/base/result.h"

namespace net {

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();   // until stop(), or until nothing is left to wait for
  void stop();  // run() returns after this turn
  [[nodiscard]] std::uint64_t now_milliseconds() const;  // monotonic, as of the begin of this turn

  // Called once a turn, when all descriptors that were ready have been served: the place where the work of many calls
  // is done together (group commit). Called again before the loop sleeps, for what timers and other work have added:
  // it should cost nothing when there is nothing to do. Stays until the loop ends; in the order of registration.
  void after_io(std::function<void()> work);

  struct Internal;  // libuv's loop, for this folder
  [[nodiscard]] Internal& internal() { return *internal_; }

 private:
  std::unique_ptr<Internal> internal_;
};

class Timer {
 public:
  Timer(Loop& loop, std::function<void()> on_time);
  ~Timer();
  void start(std::uint64_t milliseconds, std::uint64_t repeat_milliseconds = 0);
  void stop();

 private:
  struct Internal;
  Internal* internal_;  // freed when libuv has let go of it
};

// Tells when a descriptor can be read or written; level triggered. The descriptor is borrowed, must stay open, can have
// one Watch at a time, and is made non-blocking. A descriptor in error is ready for all that is wanted of it.
class Watch {
 public:
  enum Interest : unsigned { None = 0, Readable = 1, Writable = 2 };
  Watch(Loop& loop, int fd, std::function<void(unsigned ready)> on_ready);
  ~Watch();
  void want(unsigned interest);
  // Whether run() goes on only for this; it does unless told otherwise. An idle connection is nothing to wait for.
  void hold_loop(bool hold);

 private:
  struct Internal;
  Internal* internal_;
};

// Does not keep run() going. A signal has one SignalWatch or several; all are called.
class SignalWatch {
 public:
  SignalWatch(Loop& loop, int signal_number, std::function<void()> on_signal);
  ~SignalWatch();

 private:
  struct Internal;
  Internal* internal_;
};

// Runs blocking work in libuv's thread pool and calls back in the loop's thread. The end of the loop waits for `work`,
// but `done` is not called any more then.
void run_in_thread(Loop& loop, std::function<void()> work, std::function<void()> done);

}  // namespace net
