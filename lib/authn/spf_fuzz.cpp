// Any octets as an SPF record: what is taken can be expanded, and names stay within 253 octets.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/authn/spf_macro.h"
#include "lib/authn/spf_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const authn::spf::MacroValues values{.sender = "strong-bad@email.example.com", .domain = "email.example.com", .address = "192.0.2.3", .address_text = "192.0.2.3",
                                       .address_kind = "in-addr", .helo = "mx.example.com", .receiver = "us.example", .time = "1000000000", .validated = [] { return std::string("mx.example.com"); }};
  if (authn::spf::is_macro_string(text, true)) (void)authn::spf::expand(text, values);
  for (const auto& start : {std::string("v=spf1 "), std::string()}) {
    const auto record = authn::spf::parse(start + text);
    if (!record) continue;
    for (const auto& mechanism : record->mechanisms) {
      const auto name = authn::spf::expand_domain(mechanism.domain, values);
      if (name.size() > 253 && name.find('.') != std::string::npos) std::abort();
    }
    (void)authn::spf::expand_domain(record->redirect, values);
    (void)authn::spf::expand_domain(record->explanation, values);
  }
  return 0;
}
