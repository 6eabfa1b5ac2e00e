// A message of the spool as it travels over a broker: the item as in a file of the spool, and behind it, as in progress/, what
// happened to it so far. No I/O.
//
// Its properties: message-id is the queue id, delivery-mode 2, timestamp when it arrived; its headers:
//   vsmtp-item      octets of the item; what follows are events
//   vsmtp-attempt   how often it was put back: 0 for a message that was not tried yet
//   vsmtp-due       milliseconds since 1970: not to be tried before
//   vsmtp-wait      milliseconds: for how long it was to wait when it was put there
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/blob.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/queue/item.h"
#include "lib/queue/progress.h"

namespace broker {

inline constexpr char kItemHeader[] = "vsmtp-item";
inline constexpr char kAttemptHeader[] = "vsmtp-attempt";
inline constexpr char kDueHeader[] = "vsmtp-due";
inline constexpr char kWaitHeader[] = "vsmtp-wait";

struct Parcel {
  queue::Item item;
  base::Blob message;
  std::vector<queue::Event> events;
  std::uint32_t attempt = 0;
  std::optional<base::WallTime> due;
  std::optional<std::chrono::milliseconds> wait = {};  // of one that came; publishing says it anew
};

// What stands before and behind the octets of the message.
struct Wrapping {
  std::string front;  // header lines and context: to_octets() of the item
  std::string back;   // events
};
[[nodiscard]] Wrapping wrap(const Parcel& parcel);
[[nodiscard]] std::uint64_t octets_of(const Parcel& parcel, const Wrapping& wrapping);

// `item_octets`: of the header vsmtp-item; nullopt: the body is an item and nothing else.
// Fault::Permanent: no message of ours.
[[nodiscard]] base::Result<Parcel> unwrap(const base::Blob& body, std::optional<std::uint64_t> item_octets);

// Keeps the record small: while it has more than `octets` as text, the oldest deferral of which a later one tells goes.
void shorten(std::vector<queue::Event>& events, std::size_t octets);
inline constexpr std::size_t kEventOctets = 64 << 10;

// The same message for some of its recipients (indices in order, each once), under a new id. The events of others go; those of the
// whole message stay: which rules it has been through, who was told.
[[nodiscard]] Parcel part_of(const Parcel& whole, const std::vector<std::uint32_t>& recipients);

}  // namespace broker
