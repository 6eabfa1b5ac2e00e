#include "vsl-filter/transaction/addresses.h"

#include "lib/base/text.h"
#include "lib/mail/address.h"

namespace rules {

base::Result<void> check_address(std::string_view address) {
  // Local parts as long as a path: those that forwarders and lists make (srs::, verp::) are longer than 64 octets.
  const mail::AddressRules rules{.smtputf8 = true, .max_local_part_octets = mail::AddressRules{}.max_path_octets};
  const auto mailbox = mail::parse_mailbox(address, rules);
  if (mailbox) return {};
  return base::fail(base::Fault::Permanent,
                    "'" + base::text::printable(address, 100) + "' is not a valid address: " + std::string(mail::describe(mailbox.error())));
}

std::string address_key(std::string_view address) { return mail::canonical_address(address); }

}  // namespace rules
