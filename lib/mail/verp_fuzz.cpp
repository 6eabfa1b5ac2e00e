// Addresses of variable envelope return paths: what was made for a mailbox comes back.
#include <cstdint>
#include <cstdlib>

#include "lib/mail/address.h"
#include "lib/mail/verp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kNews = *mail::VerpSender::of("news@lists.example");
  const std::string address(reinterpret_cast<const char*>(data), size);
  (void)kNews.recipient_of(address);
  (void)mail::VerpSender::of_qmail(address);
  const mail::AddressRules rules{.smtputf8 = true};
  if (!mail::parse_mailbox(address, rules) || mail::unquote_local_part(mail::split_address(address).first).empty()) return 0;
  const auto back = kNews.recipient_of(kNews.address_for(address));
  if (!back) std::abort();
  const auto was = mail::split_address(address), is = mail::split_address(*back);
  if (mail::unquote_local_part(was.first) != mail::unquote_local_part(is.first) || was.second != is.second) std::abort();
  return 0;
}
