// Whatever a message holds, a server reads the same lines out of what is sent, and finds its end only at the end.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/smtp/dot_writer.h"
#include "lib/smtp/message_needs.h"

namespace {

std::string wire_of(std::string_view message, bool is_wire_ready) {
  smtp::DotWriter writer(message, is_wire_ready);
  std::string wire;
  while (!writer.is_done()) wire += writer.next();
  return wire;
}

// Reads the wire as RFC 5321 section 4.5.2 asks; any CR or LF alone and any early end is a fault.
std::string read(std::string_view wire) {
  std::string message;
  for (;;) {
    const auto end = wire.find("\r\n");
    if (end == std::string_view::npos) std::abort();
    auto line = wire.substr(0, end);
    wire.remove_prefix(end + 2);
    if (line.find_first_of("\r\n") != std::string_view::npos) std::abort();
    if (line == ".") break;
    if (line.starts_with('.')) line.remove_prefix(1);
    message.append(line).append("\r\n");
  }
  if (!wire.empty()) std::abort();
  return message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string message(reinterpret_cast<const char*>(data), size);
  const auto needs = smtp::scan_message(message);
  const auto wire = wire_of(message, false);
  const auto received = read(wire);
  if (received.size() != needs.size_octets) std::abort();
  if (needs.is_wire_ready && (wire_of(message, true) != wire || received != message)) std::abort();
  if (needs.has_utf8_header && !needs.has_8bit) std::abort();
  return 0;
}
