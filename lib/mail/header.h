// Header fields: how one stands in a message, and what the RFCs say of each by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mail {

// A field as it stands in the octets of a message; the views point there.
struct Field {
  std::string_view name;   // as written, without blanks before the colon; "" for a line that is no field
  std::string_view body;   // from behind the colon to the end of the last line, still folded; all of a line that is no field
  std::size_t offset = 0;  // of the first octet of the name in the message
  std::size_t line = 0;    // from 1
};

// ftext of RFC 5322 section 3.6.8, octets over 127 counted in, which readers meet.
constexpr bool is_field_name_octet(char c) { return static_cast<unsigned char>(c) > 32 && c != 127 && c != ':'; }
bool is_field_name(std::string_view name);

// The body without the line ends of its folding and without blanks at its ends (RFC 5322 section 2.2.3).
std::string unfold(std::string_view body);

// What a body must look like.
enum class Syntax : std::uint8_t {
  Unstructured,
  DateTime,
  MailboxList,  // From
  Mailbox,      // Sender
  AddressList,  // To, Cc, Reply-To
  BccList,      // an address-list or nothing
  MessageId,
  MessageIds,   // one or more; phrases between them are obsolete
  PhraseList,   // Keywords
  Path,         // Return-Path
  Received,
  MimeVersion,
  ContentType,
  ContentDisposition,
  TransferEncoding,
};

struct FieldRow {
  std::string_view name;
  Syntax syntax;
  bool is_required;          // in a message
  bool is_unique;            // at most once
  std::string_view section;  // where it is defined
};
std::span<const FieldRow> known_fields();
// nullptr: a field that these RFCs do not know. Case does not matter.
const FieldRow* find_known_field(std::string_view name);

// msg-id  RFC 5322 section 3.6.4, and the forms that 4.5.4 allows
struct MessageId {
  std::string_view id;      // with its angle brackets, as it stands
  std::size_t offset = 0;
};
enum class MessageIdFault : std::uint8_t { None, NoAngle, Unclosed, NoAt, Blank, Empty };
// Eats one from the front of `body` at `offset`; blanks and comments before it are skipped.
struct MessageIdResult {
  MessageId id;
  MessageIdFault fault = MessageIdFault::None;
};
std::optional<MessageIdResult> next_message_id(std::string_view body, std::size_t& offset);  // nullopt: the body is at its end

}  // namespace mail
