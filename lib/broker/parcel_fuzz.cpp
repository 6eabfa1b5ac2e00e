// Bodies of messages that come from a broker, with any number of octets for the item.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/broker/address.h"
#include "lib/broker/parcel.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  (void)broker::parse_address(octets);
  if (size < 2) return 0;
  const std::uint64_t item = data[0] | data[1] << 8;
  const auto parcel = broker::unwrap(base::Blob::of_octets(std::string(octets.substr(2))), data[0] == 255 ? std::nullopt : std::optional(item));
  if (!parcel) return 0;
  const auto wrapping = broker::wrap(*parcel);
  const std::string again = wrapping.front + std::string(parcel->message.octets()) + wrapping.back;
  const auto back = broker::unwrap(base::Blob::of_octets(again), wrapping.front.size() + parcel->message.size());
  if (!back || back->item.id != parcel->item.id || back->events.size() != parcel->events.size()) std::abort();
  return 0;
}
