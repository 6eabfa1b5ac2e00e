// A message as qctl looks at it: what is known from envelope, context and events. The message itself is read only by cat.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/queue/catalog.h"
#include "lib/queue/view.h"

namespace qctl {

struct Entry {
  queue::Id id;
  queue::Place place;
  bool is_in_log = false;
  std::uint64_t octets = 0;  // of the message
  base::WallTime arrived;
  std::optional<base::WallTime> next_attempt;
  std::string reverse_path;
  std::vector<std::string> recipients;  // who has not got it: waiting, put off or failed for good
  std::string reason;                   // of the last attempt that did not deliver
  std::size_t attempts = 0;             // that did not deliver, of the recipient with most of them
  std::string context;                  // JSON
};

[[nodiscard]] Entry entry_of(const queue::Seen& seen);
// Without a context: what has more in it than a listing shows, the catalog does not settle.
[[nodiscard]] Entry entry_of(const queue::Brief& brief);

// "envelop.helo" of a context (vsl.md 4.4); "" when there is none.
[[nodiscard]] std::string helo_of(const std::string& context);

}  // namespace qctl
