// What rules read of a message's MIME structure and of structured fields (vsl.md 5.4, mime:: and header::).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/mail/message.h"

namespace rules {

struct PartFacts {
  std::string type;      // "text/plain"
  std::string filename;  // of Content-Disposition, else the name of Content-Type; UTF-8; "" when there is none
  std::string encoding;  // "base64"; "unknown"
  std::string path;      // "1.2": as IMAP counts parts (RFC 9051 section 6.4.5.1); "" for the message when it has several
  std::uint64_t octets = 0;  // of the body, encoded as it is
  bool is_attachment = false;  // Content-Disposition says so, or it is a leaf with a file name
};
// In the order of the message, multiparts and messages inside of it too.
std::vector<PartFacts> part_facts(const mail::Message& message);

// The part that one of these paths names; kNoPart: none does.
std::uint32_t part_at(const mail::Message& message, std::string_view path);
bool is_attachment(const mail::Message& message, const mail::Part& part);

bool is_multipart(const mail::Message& message);
// The first text/plain that is no attachment, else the first other text, decoded to UTF-8; "" when there is none. No more than
// `limit` octets of it are decoded.
std::string part_text(const mail::Message& message, std::size_t limit = 16 << 20);

struct NamedAddress {
  std::string name, address;
};
// Of all bodies of an address field, groups resolved.
std::vector<NamedAddress> named_addresses(const std::vector<std::string_view>& bodies);
// Encoded words decoded, one line.
std::string decoded_field(std::string_view body);
std::optional<base::WallTime> field_date(std::string_view body);

}  // namespace rules
