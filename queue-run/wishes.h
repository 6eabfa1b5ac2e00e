// What rules asked of the queue for a message: members of its context (vsmtp-chain(7)).
#pragma once

#include <string>
#include <string_view>

#include "queue-run/retry.h"

namespace run {

struct Wishes {
  RetryPolicy retry;     // that of the settings, as rules changed it
  bool no_bounce = false;  // nobody is told what becomes of it
  std::string verp;   // delimiters of lib/mail/verp.h: each recipient is sent to from an address of its own; "": all from one
  int priority = 0;   // higher goes first; below 0 also waits behind fresh mail
};
// What cannot be read changes nothing.
[[nodiscard]] Wishes wishes_of(std::string_view context, const RetryPolicy& standard);

}  // namespace run
