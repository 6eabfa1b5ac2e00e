// What all sessions of a server share: limits, extensions, ready-made replies.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/mail/address.h"
#include "lib/sasl/mechanisms.h"
#include "lib/smtp/dot_reader.h"
#include "lib/smtp/grammar.h"
#include "lib/smtp/reply_texts.h"

namespace smtp {

// Where a session can ask its driver, and wait for the answer.
// Verify and Etrn are about no message: VRFY, if it is asked about, and ETRN.
enum class Stage : std::uint8_t { Connect, Helo, Auth, Mail, Rcpt, Data, Message, Verify, Etrn };
constexpr unsigned bit(Stage stage) { return 1U << static_cast<unsigned>(stage); }

struct ServerLimits {
  std::uint64_t message_octets = 20 * 1024 * 1024;  // 0: none
  std::size_t recipients = 1000;                    // a transaction; RFC 5321 section 4.5.3.1.8 wants 100 at least
  std::size_t command_line_octets = 2048;           // with CR LF: 512 of section 4.5.3.1.4 and what the extensions add, DSN the most
  std::size_t text_line_octets = 0;                 // with CR LF; 0: none. RFC 5321 section 4.5.3.1.6 has 1000
  unsigned transactions = 10'000;                    // a session; 0: none
  unsigned idle_commands = 100;                     // NOOP, RSET, VRFY, ... without a message; each more is an error
  unsigned soft_errors = 10;                        // from here on every error is answered late
  unsigned hard_errors = 20;                        // and with this one the session ends
};

struct ServerOptions {
  std::string server_name = "localhost";
  std::string greeting = "Service ready";
  ReplyTexts replies;
  unsigned extensions = kPipelining | kSize | k8BitMime | kSmtpUtf8 | kEnhancedStatus | kChunking | kBinaryMime | kLimits;
  // VRFY: the same "cannot verify" for all, not implemented, or what the driver says at Stage::Verify.
  enum class Verify : std::uint8_t { Always, Never, Asked };
  Verify verify = Verify::Always;
  // Whether a domain with non-ASCII letters can be one (RFC 6531 section 3.3: its labels are U-labels); nullptr: any is taken.
  bool (*is_international_domain)(std::string_view domain) = nullptr;
  bool has_ehlo = true;  // else only HELO, and nothing that extends it
  DotReader::BareLineEnd bare_line_end = DotReader::BareLineEnd::Refuse;
  ServerLimits limits;
  mail::AddressRules address_rules;
  bool is_lmtp = false;  // RFC 2033: LHLO, and a reply for each recipient of a message
  bool requires_tls = false;  // no mail without STARTTLS: RFC 3207 section 4
  // With the extension kAuth. Those that show a secret are for sessions under TLS, unless it is allowed to show them.
  std::vector<const sasl::Mechanism*> mechanisms = {};
  bool auth_in_clear = false;
  bool auth_required = false;  // before anything but the commands of RFC 4954 section 6
  // At other stages the standard reply is given at once; who a client is is always asked.
  unsigned asks = bit(Stage::Rcpt) | bit(Stage::Message) | bit(Stage::Etrn);

  // Made of the above by prepare(), which must be called once before a session starts.
  std::string greeting_reply, helo_reply, ehlo_reply, ehlo_reply_secured;
  void prepare();
};

// The bit of an EHLO keyword, in any case; 0: no server here offers it.
[[nodiscard]] unsigned extension_named(std::string_view keyword);
// " PIPELINING SIZE": the keywords of these.
[[nodiscard]] std::string extension_names(unsigned extensions = ~0U);

}  // namespace smtp
