// Addresses as SMTP writes them: Mailbox and path of RFC 5321 section 4.1.2 with the limits of 4.5.3.1, and the UTF-8 of
// RFC 6531 section 3.3 when it is allowed. The address lists of message headers are in mailbox_list.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace mail {

struct AddressRules {
  bool smtputf8 = false;          // octets over 127 in local-part and domain, as RFC 6531 section 3.3 adds them
  bool general_literals = false;  // [tag:text]; no tag but IPv6 is registered (RFC 5321 section 4.1.3), so they reach nobody
  std::size_t max_local_part_octets = 64;  // RFC 5321 section 4.5.3.1.1
  std::size_t max_domain_octets = 255;     // 4.5.3.1.2
  std::size_t max_path_octets = 256;       // 4.5.3.1.3, with the angle brackets and a source route
};

enum class AddressFault : std::uint8_t {
  Syntax,
  NonAscii,  // would be an address if SMTPUTF8 were in use: reply 553 5.6.7
  InvalidUtf8,
  LocalPartTooLong,
  DomainTooLong,
  LabelTooLong,
  PathTooLong,
  BadLiteral,
};
std::string_view describe(AddressFault fault);  // "local-part too long"

enum class DomainKind : std::uint8_t { None, Name, Ipv4, Ipv6, General };

// Views into what was parsed.
struct Mailbox {
  std::string_view address;     // all of it: local-part "@" domain
  std::string_view local_part;  // as written: quotes and backslashes are there
  std::string_view domain;      // as written: an address literal has its brackets
  DomainKind kind = DomainKind::None;

  [[nodiscard]] bool is_null() const { return address.empty(); }  // the reverse-path <>
};

// Mailbox = Local-part "@" ( Domain / address-literal ), the whole of `text`.
std::expected<Mailbox, AddressFault> parse_mailbox(std::string_view text, const AddressRules& rules = {});

// Reverse-path = Path / "<>": eaten from the front of `text`; what follows the ">" stays. A source route is checked and
// dropped (RFC 5321 appendix C). On failure `text` is untouched.
std::expected<Mailbox, AddressFault> consume_reverse_path(std::string_view& text, const AddressRules& rules = {});

// Forward-path, and the "<Postmaster>" of RCPT in any case, whose domain is empty and kind None (section 4.1.1.3).
std::expected<Mailbox, AddressFault> consume_forward_path(std::string_view& text, const AddressRules& rules = {});

// Domain = sub-domain *("." sub-domain), labels of at most 63 octets, without a dot at the end.
std::expected<void, AddressFault> check_domain(std::string_view text, const AddressRules& rules = {});
// "[192.0.2.1]", "[IPv6:2001:db8::1]".
std::expected<DomainKind, AddressFault> check_address_literal(std::string_view text, const AddressRules& rules = {});

// {local-part, domain} at the last "@" that is not inside quotes. For addresses that were accepted elsewhere: checks
// nothing; without an "@" the domain is empty.
std::pair<std::string_view, std::string_view> split_address(std::string_view address);

// The octets that a local-part stands for: "\"a\\\"b\"" is a"b. What is not quoted stays as it is.
std::string unquote_local_part(std::string_view local_part);
// The shortest way to write them: dot-string when possible, else quoted, with a backslash only before '"' and '\'.
std::string quote_local_part(std::string_view octets);
// Same mailbox, same text: local-part unquoted where the quotes are needless (RFC 5321 section 4.1.2; case is kept, the
// host alone knows what it means), domain in lower case. Not in A-labels.
std::string canonical_address(std::string_view address);

}  // namespace mail
