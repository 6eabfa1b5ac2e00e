// Tells the service manager that a loop still turns, if it wants to know.
#pragma once

#include "lib/base/service.h"
#include "lib/net/loop.h"

namespace net {

class Watchdog {
 public:
  explicit Watchdog(Loop& loop) : timer_(loop, [] { base::service::alive(); }) {
    if (const auto period = base::service::watchdog_milliseconds(); period > 0) timer_.start(period, period);
  }

 private:
  Timer timer_;
};

}  // namespace net
