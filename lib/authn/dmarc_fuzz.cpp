// Any octets as a DMARC record and as a message whose author is looked for.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/authn/dmarc.h"
#include "lib/authn/testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  authn::testing::Zone zone;
  for (const auto& record : {text, "v=DMARC1; " + text}) {
    const auto parsed = authn::dmarc::parse(record);
    if (parsed && !parsed->applies && parsed->policy != authn::dmarc::Policy::None) std::abort();
    zone.add_text("_dmarc.example.org", record);
  }
  const auto message = "From: " + text + "\r\n\r\n";
  const auto domains = authn::dmarc::author_domains(mail::Message::index(message));
  if (domains)
    for (const auto& domain : *domains) {
      if (authn::dmarc::TreeWalk::names(domain).size() > 8) std::abort();
      (void)authn::dmarc::evaluate({.author_domain = domain, .spf = {}, .dkim = {}}, zone.look_up());
    }
  return 0;
}
