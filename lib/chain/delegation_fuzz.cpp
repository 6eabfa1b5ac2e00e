#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/chain/delegation.h"

// What is read of a field can be written and is read as the same; a message that goes out has one such field, in front.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  if (const auto mark = chain::DelegationMark::parse(octets)) {
    const std::string field = mark->field();
    if (mark->stage.find(';') == std::string::npos && chain::DelegationMark::parse(std::string_view(field).substr(field.find(':') + 1))->directive != mark->directive) std::abort();
  }
  const auto sent = chain::with_delegation_field(base::Blob::of_octets(std::string(octets)), {"postq", "scan", "ID"});
  if (!sent || sent->size() > size + 100) std::abort();
  const auto again = chain::with_delegation_field(*sent, {"postq", "scan", "ID"});
  if (!again || again->view()->octets() != sent->view()->octets()) std::abort();
  (void)chain::delegation_in(octets);
  return 0;
}
