// Address lists of message headers: RFC 5322 sections 3.4 and 4.4, UTF-8 of RFC 6532. Takes what mail has, and says in
// findings where it is obsolete or wrong. For `sendmail -t`, rules and mime-check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

struct NamedMailbox {
  std::string name;     // display name, or the comment behind an address that has none; encoded words decoded, UTF-8
  std::string address;  // local-part "@" domain without comments and blanks; no "@" when the domain is missing
  std::size_t offset = 0;  // where it begins in the body

  // For who edits the body: the octets of the address alone, [address_begin, address_end); where the separator behind the
  // mailbox stands, or the end of the body; and the comma in front of it, if that is what separates it from the one before.
  std::size_t address_begin = 0, address_end = 0;
  std::size_t end = 0;
  std::optional<std::size_t> comma_before;
};

struct AddressEntry {
  bool is_group = false;
  NamedMailbox mailbox;               // of a group: its name
  std::vector<NamedMailbox> members;  // of a group
};

enum class ListFault : std::uint8_t {
  // Obsolete: RFC 5322 section 4 wants readers to take them and nobody to write them.
  ObsoletePhrase,        // a dot outside of quotes in a display name
  ObsoleteRoute,         // <@a,@b:c@d>
  ObsoleteSpacing,       // blanks or comments inside an address
  ObsoleteLocalPart,     // "a".b@c: words of both kinds
  ObsoleteEmptyElement,  // , ,
  // Wrong
  Syntax,
  UnclosedComment,
  UnclosedQuote,
  UnclosedAngle,
  UnclosedLiteral,
  UnclosedGroup,
  NestedGroup,
  MissingLocalPart,
  MissingDomain,
  EmptyAngle,      // <>
  Semicolon,       // ";" between addresses
  TooMany,
};
constexpr bool is_obsolete(ListFault fault) { return fault <= ListFault::ObsoleteEmptyElement; }
struct ListFinding {
  ListFault fault;
  std::size_t offset;
};

struct AddressList {
  std::vector<AddressEntry> entries;
  std::vector<ListFinding> findings;  // by offset

  // Every mailbox, those of groups too, in order.
  [[nodiscard]] std::vector<const NamedMailbox*> mailboxes() const;
};

// `body` is the field's body as it stands in the message, folded or not. No more than `limit` mailboxes are taken.
AddressList parse_address_list(std::string_view body, std::size_t limit = 100'000);

// A display name as it must be written before an address: atoms, a quoted-string, or encoded words.
std::string encode_phrase(std::string_view utf8);

}  // namespace mail
