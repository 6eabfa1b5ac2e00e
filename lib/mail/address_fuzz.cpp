// Whatever is eaten as a path comes back from its own parts, and canonical forms stay what they are.
#include <cstdint>
#include <cstdlib>

#include "lib/mail/address.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const bool smtputf8 : {false, true}) {
    const mail::AddressRules rules{.smtputf8 = smtputf8, .general_literals = smtputf8};
    std::string_view rest = text;
    if (const auto path = mail::consume_forward_path(rest, rules); path && !path->domain.empty()) {
      const std::string again = "<" + std::string(path->local_part) + "@" + std::string(path->domain) + ">";
      std::string_view view = again;
      if (!mail::consume_forward_path(view, rules) || !view.empty()) std::abort();
    }
    if (mail::parse_mailbox(text, rules)) {
      const auto [local_part, domain] = mail::split_address(text);
      if (local_part.size() + 1 + domain.size() != text.size()) std::abort();
      const auto canonical = mail::canonical_address(text);
      if (!mail::parse_mailbox(canonical, rules) || mail::canonical_address(canonical) != canonical) std::abort();
    }
  }
  (void)mail::canonical_address(text);
  return 0;
}
