// What is still to be done for a message, and why: its line of a listing.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "lib/queue/item.h"
#include "lib/queue/progress.h"

namespace queue {

struct Outstanding {
  std::vector<std::string> recipients;  // who has not got it: waiting, put off or failed for good
  std::string reason;                   // of the last attempt that did not deliver
  std::size_t attempts = 0;             // that did not deliver, of the recipient with most of them
};
[[nodiscard]] Outstanding outstanding_of(const Item& item, std::span<const Event> events);

}  // namespace queue
