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
  // is done together (group commit). Stays until the loop ends.
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

// Tells when a descriptor can be read or written; level triggered. The descriptor is borrowed and must stay open.
class Watch {
 public:
  enum Interest : unsigned { None = 0, Readable = 1, Writable = 2 };
  Watch(Loop& loop, int fd, std::function<void(unsigned ready)> on_ready);
  ~Watch();
  void want(unsigned interest);

 private:
  struct Internal;
  Internal* internal_;
};

class SignalWatch {
 public:
  SignalWatch(Loop& loop, int signal_number, std::function<void()> on_signal);
  ~SignalWatch();

 private:
  struct Internal;
  Internal* internal_;
};

// Runs blocking work in libuv's thread pool and calls back in the loop's thread.
void run_in_thread(Loop& loop, std::function<void()> work, std::function<void()> done);

}  // namespace net
