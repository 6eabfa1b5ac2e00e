#include "vsl-filter/transaction/addresses.h"

#include "lib/base/text.h"
#include "lib/mail/address.h"

namespace rules {

base::Result<void> check_address(std::string_view address) {
  const auto mailbox = mail::parse_mailbox(address, {.smtputf8 = true});
  if (mailbox) return {};
  return base::fail(base::Fault::Permanent,
                    "'" + base::text::printable(address, 100) + "' is not a valid address: " + std::string(mail::describe(mailbox.error())));
}

std::string address_key(std::string_view address) { return mail::canonical_address(address); }

}  // namespace rules
