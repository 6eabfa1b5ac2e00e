// Addresses of the Sender Rewriting Scheme: what is made comes back. (What was not made here is for the unit tests: a fuzzer sees what
// its signature is compared with, and soon signs itself.)
#include <cstdlib>

#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "lib/mail/srs.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const mail::Srs kSrs({"forward.example", {"a secret of the fuzzer"}, 8, 21});
  const std::string address(reinterpret_cast<const char*>(data), size);
  const auto now = std::chrono::system_clock::from_time_t(1'790'000'000);
  if (kSrs.is_ours(address)) (void)kSrs.reverse(address, now);
  const std::string forwarded = kSrs.forward(address, now);
  if (forwarded == address) return 0;
  const auto back = kSrs.reverse(forwarded, now);
  if (!kSrs.is_ours(forwarded) || !back) std::abort();
  // A mailbox is the same one, though its quotes may have gone. What forwarders have made may have another case.
  const auto mailbox = mail::parse_mailbox(address, {.smtputf8 = true, .max_local_part_octets = 4096, .max_path_octets = 4096});
  const auto was = mail::split_address(address), is = mail::split_address(*back);
  if (!mailbox) return 0;
  const bool is_srs = base::text::starts_with_ignoring_case(mail::unquote_local_part(was.first), "SRS");
  if (!is_srs && (mail::unquote_local_part(was.first) != mail::unquote_local_part(is.first) || was.second != is.second)) std::abort();
  return 0;
}
