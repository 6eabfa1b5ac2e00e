// Parameters of DSN: what is taken can be read back, in ASCII too, and never brings a line end into a report.
#include <cstdlib>

#include "lib/base/utf8.h"
#include "lib/mail/dsn.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

bool is_line(std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  if (const auto notify = mail::parse_notify(octets)) check(mail::parse_notify(mail::notify_text(*notify)) == notify);
  check(mail::from_xtext(mail::to_xtext(octets)) == octets);
  if (mail::is_envelope_id(octets)) check(is_line(mail::from_xtext(octets)));
  for (const bool smtputf8 : {false, true}) {
    if (!mail::is_original_recipient(octets, smtputf8)) continue;
    const auto in_ascii = mail::original_recipient_in_ascii(octets);
    check(!base::utf8::has_8bit(in_ascii));
    for (const bool is_global : {false, true}) check(is_line(mail::report_address_of_parameter(octets, is_global)));
  }
  const auto own = mail::original_recipient_of(octets);
  check(is_line(own) && is_line(mail::original_recipient_in_ascii(own)));
  return 0;
}
