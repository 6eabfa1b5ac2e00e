// Any octets as the fields of a chain: what is sound in structure has at most 50 instances, each with its results.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/authn/arc.h"
#include "lib/authn/testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  authn::testing::Zone zone;
  zone.add_text("s._domainkey.example.org", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
  const std::string octets(reinterpret_cast<const char*>(data), size);
  const auto outcome = authn::arc::verify(mail::Message::index(octets), zone.look_up());
  if (outcome.instances > authn::arc::kMostInstances || outcome.sets.size() > outcome.instances) std::abort();
  if (outcome.result == authn::arc::Result::Pass && outcome.sets.size() != outcome.instances) std::abort();
  return 0;
}
