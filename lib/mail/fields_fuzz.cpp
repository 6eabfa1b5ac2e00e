// Field bodies of any octets through every reader of structured fields; what is decoded is UTF-8, what is written reads back.
#include <cstdint>
#include <cstdlib>

#include "lib/base/utf8.h"
#include "lib/mail/charset.h"
#include "lib/mail/date.h"
#include "lib/mail/encoded_word.h"
#include "lib/mail/header.h"
#include "lib/mail/mailbox_list.h"
#include "lib/mail/mime.h"
#include "lib/mail/received.h"

namespace {
void require(bool condition) {
  if (!condition) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  const auto list = mail::parse_address_list(body, 50);
  for (const auto& finding : list.findings) require(finding.offset <= size);
  require(list.mailboxes().size() <= 50);
  for (const auto* mailbox : list.mailboxes()) {
    const auto again = mail::parse_address_list(mail::encode_phrase(mailbox->name) + " <" + mailbox->address + ">");
    require(again.entries.size() <= 1);
  }
  const auto decoded = mail::decode_unstructured(body);
  require(base::utf8::is_valid(decoded));
  require(decoded.find_first_of("\r\n") == std::string::npos);
  const auto valid = mail::valid_utf8(body);
  const auto encoded = mail::encode_words(valid);
  if (mail::needs_encoding(valid) && valid.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos) require(mail::decode_unstructured(encoded) == valid);
  if (const auto date = mail::parse_date_time(body)) (void)date->time();
  else require(date.error().offset <= size);
  for (const auto& field : {mail::parse_content_type(body), mail::parse_content_disposition(body)}) {
    if (!field) continue;
    for (const auto& parameter : field->parameters) require(base::utf8::is_valid(parameter.value));
    for (const auto& finding : field->findings) require(finding.offset <= size);
  }
  (void)mail::parse_transfer_encoding(body);
  for (std::size_t offset = 0, before = 0; mail::next_message_id(body, offset); before = offset) require(offset > before || before == 0);
  require(mail::count_received(body) <= size);
  return 0;
}
