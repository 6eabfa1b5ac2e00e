// The octets of a resident connection, cut into pieces as the first octets say.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/chain/delivery_call.h"
#include "lib/chain/envelope.h"
#include "lib/chain/frame.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// What was understood can be said again, and is understood in the same way.
void check_call(const chain::CallFrame& frame) {
  if (frame.message.is_descriptor) return;
  std::string again;
  const auto& invocation = frame.invocation;
  const auto message = base::Blob::of_octets(std::string(frame.message.octets));
  chain::append_call(again, frame.id, invocation.call, message, invocation.arguments, invocation.next);
  const auto read = chain::parse_call(std::string_view(again).substr(chain::kFrameLengthOctets));
  require(read.has_value() && read->id == frame.id && read->invocation.arguments == invocation.arguments);
  require(read->invocation.call.envelope == invocation.call.envelope && read->message.octets == frame.message.octets);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t piece = 1U + data[0];
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  (void)chain::parse_envelope(input);
  const auto report = chain::parse_delivery_report(input, 3);
  require(report.recipients.size() == 3);

  chain::FrameSplitter splitter(4096);
  std::size_t octets = 0;
  while (!input.empty()) {
    const std::string part(input.substr(0, piece));
    input.remove_prefix(part.size());
    std::string_view rest = part, body;
    chain::FrameSplitter::Status status;
    while ((status = splitter.next(rest, body)) == chain::FrameSplitter::Status::Frame) {
      octets += body.size() + chain::kFrameLengthOctets;
      require(octets <= size);
      if (const auto call = chain::parse_call(body)) check_call(*call);
      (void)chain::parse_answer(body);
    }
    if (status == chain::FrameSplitter::Status::TooLong) return 0;
    require(rest.empty());
  }
  return 0;
}
