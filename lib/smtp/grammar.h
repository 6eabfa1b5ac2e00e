// Arguments of SMTP commands: RFC 5321 section 4.1.1 and the parameters of the extensions. Pure functions of one line;
// what they return are views into it.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "lib/mail/address.h"
#include "lib/mail/dsn.h"
#include "lib/smtp/replies.h"

namespace smtp {

// Extensions that a server offers, as bits. A parameter or verb of one that is not offered is unknown.
enum Extension : unsigned {
  kPipelining = 1 << 0,       // RFC 2920
  kSize = 1 << 1,             // RFC 1870
  k8BitMime = 1 << 2,         // RFC 6152
  kSmtpUtf8 = 1 << 3,         // RFC 6531
  kEnhancedStatus = 1 << 4,   // RFC 2034
  kChunking = 1 << 5,         // RFC 3030
  kBinaryMime = 1 << 6,       // RFC 3030
  kDsn = 1 << 7,              // RFC 3461
  kStartTls = 1 << 8,         // RFC 3207
  kAuth = 1 << 9,             // RFC 4954
  kRequireTls = 1 << 10,      // RFC 8689
  kLimits = 1 << 11,          // RFC 9422
  kEtrn = 1 << 12,            // RFC 1985
};

// Why an argument was refused: the reply and, for people, what was wrong with it. `detail` is a constant or empty.
struct Refusal {
  ReplyId reply = ReplyId::BadArgument;
  std::string_view detail = {};
};
template <class T>
using Parsed = std::expected<T, Refusal>;

enum class BodyType : std::uint8_t { None, SevenBit, EightBitMime, BinaryMime };
std::string_view name_of(BodyType body);  // "8BITMIME"; "" for None

using mail::Return;

struct MailArguments {
  mail::Mailbox reverse_path;
  std::optional<std::uint64_t> size_octets;  // as declared; the largest number there is for more than that
  BodyType body = BodyType::None;
  Return dsn_return = Return::None;
  bool smtputf8 = false;
  bool require_tls = false;
  std::string_view envelope_id;  // ENVID, in xtext as it came
  std::string_view auth;         // AUTH, in xtext or "<>"
};

struct RcptArguments {
  mail::Mailbox forward_path;  // without domain for <Postmaster>
  std::uint8_t notify = 0;  // bits of mail::Notify
  std::string_view original_recipient;  // ORCPT as it came: type ";" xtext
};

struct BdatArguments {
  std::uint64_t octets = 0;
  bool is_last = false;
};

struct AuthArguments {
  std::string_view mechanism;
  std::optional<std::string_view> initial_response;  // base64; "" for "="
};

// What stands behind the verb and its blank; blanks at the end are gone already (RFC 5321 section 4.1.1).
// Departures from the grammar: a blank behind the colon of FROM: and TO: is let pass, many clients send one.
Parsed<MailArguments> parse_mail(std::string_view argument, unsigned extensions, const mail::AddressRules& rules);
Parsed<RcptArguments> parse_rcpt(std::string_view argument, unsigned extensions, const mail::AddressRules& rules);
Parsed<BdatArguments> parse_bdat(std::string_view argument);
Parsed<AuthArguments> parse_auth(std::string_view argument);

using mail::from_xtext;

// Domain or address literal, or a name with the other characters that hosts are seen to use ("_"): what it is to be
// believed is policy. No blanks and no octet that could mean something else in a Received field.
bool is_helo_name(std::string_view argument);

}  // namespace smtp
