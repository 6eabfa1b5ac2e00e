// The text form of a queued message: the same octets in a file of the spool and in a record of the log.
//
//   vsmtp-item 1
//   id 0H8ZK4TQ2N700A3W05
//   arrived 2026-11-21T20:15:00.123456Z
//   sender <me@example.org>
//   recipient <you@example.com>
//   recipient <them@example.net>
//   context 3
//   message 4096
//
//   {}
//   ...4096 octets of message, with CRLF, raw to the end...
//
// Lines end with LF, each name is followed by one blank, the order is fixed. The two numbers count octets: of the
// context line with its LF, and of the message. What does not fit these numbers exactly is not an item: half-written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/mail/envelope.h"
#include "lib/queue/id.h"

namespace queue {

struct Item {
  Id id;
  base::WallTime arrived;
  mail::Envelope envelope;
  std::string context = "{}";  // one JSON object on one line, without the LF
  std::uint64_t message_octets = 0;
};

inline constexpr std::size_t kMaxAddressOctets = 1000;             // as qmail-queue; RFC 5321 §4.5.3.1.3 asks for 256
inline constexpr std::size_t kMaxItemHeaderOctets = 64 << 20;      // all before the message: context and recipients
inline constexpr std::size_t kMaxContextOctets = 16 << 20;

// Whether an address can stand on a line of the item: no LF, CR or NUL. Length is the caller's business.
bool is_storable_address(std::string_view address);

// All that stands before the message: header lines, empty line, context line. The context must hold no LF (one_line()).
// Asserts is_storable_address() of all addresses.
[[nodiscard]] std::string to_octets(const Item& item);

// LF and CR of a JSON text become blanks: there they can only stand between tokens (RFC 8259 §2, §7).
[[nodiscard]] std::string one_line(std::string context);

// Reads what to_octets() wrote from the front of `octets`, which need not go on to the end of the message.
// `item_octets` is the length of the whole item (file size, record length) and must be exactly what the header says.
// `message_offset` becomes the offset of the message's first octet.
// Fault::Permanent: not an item, or one that is cut short; the cause says what was expected.
// Fault::Temporary: more octets than `octets` holds are needed; call again with at least twice as many.
[[nodiscard]] base::Result<Item> parse_item(std::string_view octets, std::uint64_t item_octets, std::uint64_t& message_offset);

}  // namespace queue
