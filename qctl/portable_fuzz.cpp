// What import reads comes from anywhere: nothing is read beyond its end, and what is taken for a message of an mbox of ours comes back.
#include <cstdint>
#include <cstdlib>

#include "qctl/portable.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  std::size_t count = 0;
  qctl::read_portable(octets, [&](const base::Result<qctl::Portable>& message, const std::string&) {
    if (message && message->message.size() > 2 * size) std::abort();
    return ++count < 100;
  });
  // As a message: whatever it is, both forms give it back.
  queue::Seen seen;
  seen.item.id = queue::Id::make();
  seen.item.arrived = seen.item.id.time();
  seen.item.envelope = {"me@x", {"you@y"}};
  for (const auto& written : {qctl::to_json_line(seen, octets), qctl::to_mbox(seen, octets)}) {
    bool came_back = false;
    qctl::read_portable(written, [&](const base::Result<qctl::Portable>& message, const std::string&) {
      if (came_back || !message || message->message != octets || message->recipients != seen.item.envelope.recipients) std::abort();
      return came_back = true;
    });
    if (!came_back) std::abort();
  }
  return 0;
}
