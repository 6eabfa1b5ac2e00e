#include "lib/smtp/replies.h"

#include <algorithm>
#include <array>
#include <optional>

#include "lib/base/text.h"
#include "lib/base/utf8.h"

namespace smtp {
namespace {

constexpr auto kReplies = std::to_array<ReplyRow>({
    // id                          code  RFC 3463  text
    {ReplyId::None,                 0,   "",      ""},
    {ReplyId::TlsGoAhead,           220, "2.0.0", "TLS go ahead"},
    {ReplyId::Help,                 214, "2.0.0", "Commands: HELO EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT; see RFC 5321"},
    {ReplyId::Closing,              221, "2.0.0", "Service closing transmission channel"},
    {ReplyId::AuthSucceeded,        235, "2.7.0", "Authentication succeeded"},
    {ReplyId::Ok,                   250, "2.0.0", "Ok"},
    {ReplyId::SenderOk,             250, "2.1.0", "Ok"},
    {ReplyId::RecipientOk,          250, "2.1.5", "Ok"},
    {ReplyId::MessageOk,            250, "2.0.0", "Ok"},
    {ReplyId::CannotVerify,         252, "2.0.0", "Cannot verify the user, but will take messages and try to deliver them"},
    {ReplyId::DataStart,            354, "",      "Start mail input; end with <CRLF>.<CRLF>"},
    {ReplyId::ShuttingDown,         421, "4.3.2", "Service shutting down, closing connection"},
    {ReplyId::TooBusy,              421, "4.3.2", "Too busy, try again later"},
    {ReplyId::Timeout,              421, "4.4.2", "Timeout - closing connection"},
    {ReplyId::TooManyErrors,        421, "4.7.0", "Too many errors from the client"},
    {ReplyId::TooManyTransactions,  421, "4.7.0", "Too many transactions in one session"},
    {ReplyId::TooManyConnections,   421, "4.7.0", "Too many connections, try again later"},
    {ReplyId::TooManyAuthFailures,  421, "4.7.0", "Too many failed authentications"},
    {ReplyId::Failure,              451, "4.3.0", "Requested action aborted: local error in processing"},
    {ReplyId::NoStorage,            452, "4.3.1", "Insufficient system storage"},
    {ReplyId::TooManyRecipients,    452, "4.5.3", "Requested action not taken: too many recipients"},
    {ReplyId::TooFast,              450, "4.7.1", "Too much in a short time, try again later"},
    {ReplyId::AuthTemporaryFailure, 454, "4.7.0", "Temporary authentication failure"},
    {ReplyId::UnknownCommand,       500, "5.5.1", "Syntax error command unrecognized"},
    {ReplyId::LineTooLong,          500, "5.5.2", "Command line too long"},
    {ReplyId::BareLineFeed,         500, "5.5.2", "Lines end with CR LF, closing connection"},
    {ReplyId::AuthLineTooLong,      500, "5.5.6", "Authentication exchange line is too long"},
    {ReplyId::BadArgument,          501, "5.5.4", "Syntax error in parameters or arguments"},
    {ReplyId::BadSender,            501, "5.1.7", "Bad sender address"},
    {ReplyId::BadRecipient,         501, "5.1.3", "Bad recipient address"},
    {ReplyId::BadChunk,             501, "5.5.4", "Syntax error in BDAT, closing connection"},
    {ReplyId::ParameterTwice,       501, "5.5.4", "Parameter given twice"},
    {ReplyId::BadParameter,         501, "5.5.4", "Bad parameter"},
    {ReplyId::BadAuthResponse,      501, "5.5.2", "Authentication response is not base64, or not one of this mechanism"},
    {ReplyId::AuthCancelled,        501, "5.7.0", "Authentication canceled by client"},
    {ReplyId::Unimplemented,        502, "5.5.1", "Command not implemented"},
    {ReplyId::BadSequence,          503, "5.5.1", "Bad sequence of commands"},
    {ReplyId::NeedsChunks,          503, "5.5.1", "BODY=BINARYMIME needs BDAT"},
    {ReplyId::MixedDataAndChunks,   503, "5.5.1", "DATA after BDAT"},
    {ReplyId::UnknownMechanism,     504, "5.5.4", "Mechanism is not supported"},
    {ReplyId::AuthRequired,         530, "5.7.0", "Authentication required"},
    {ReplyId::AuthFailed,           535, "5.7.8", "Authentication credentials invalid"},
    {ReplyId::AuthNeedsEncryption,  538, "5.7.11", "Encryption required for requested authentication mechanism"},
    {ReplyId::AuthMustNotStart,     501, "5.7.0", "Client must not start with this mechanism"},
    {ReplyId::AlreadyUnderTls,      554, "5.5.1", "TLS already active"},
    {ReplyId::XclientDenied,        550, "5.7.0", "Insufficient authorization"},
    {ReplyId::TalkedFirst,          554, "5.5.0", "Talked before the greeting"},
    {ReplyId::RelayDenied,          550, "5.7.1", "Relaying denied"},
    {ReplyId::ReturnDenied,         550, "5.1.1", "No way back to a sender: not made here, or too old"},
    {ReplyId::TlsRequired,          530, "5.7.0", "Must issue a STARTTLS command first"},
    {ReplyId::BareLineEnd,          550, "5.6.11", "Message has a CR or LF that stands alone"},
    {ReplyId::TextLineTooLong,      550, "5.6.0", "Message has a line that is too long"},
    {ReplyId::MessageTooLarge,      552, "5.3.4", "Message too large"},
    {ReplyId::NonAsciiAddress,      553, "5.6.7", "Address with non-ASCII characters needs SMTPUTF8"},
    {ReplyId::NonAsciiHeader,       550, "5.6.0", "Header with non-ASCII characters needs SMTPUTF8"},
    {ReplyId::EtrnRefused,          459, "4.7.1", "Node not allowed"},
    {ReplyId::Denied,               554, "5.7.1", "Denied"},
    {ReplyId::NoRecipients,         554, "5.5.1", "No valid recipients"},
    {ReplyId::UnknownParameter,     555, "5.5.4", "Parameter not recognized or not implemented"},
});
static_assert([] {
  for (std::size_t i = 0; i < kReplies.size(); ++i)
    if (kReplies[i].id != static_cast<ReplyId>(i)) return false;
  return kReplies.back().id == ReplyId::UnknownParameter;
}(), "one row an id, in their order");

void append_code(std::string& out, int code) {
  out += static_cast<char>('0' + code / 100);
  out += static_cast<char>('0' + code / 10 % 10);
  out += static_cast<char>('0' + code % 10);
}

// What stands when a text brings no code of its own.
struct ClassRow {
  int code;
  std::string_view status;
};
ClassRow standard_of(ReplyClass expected) {
  switch (expected) {
    case ReplyClass::Positive: return {250, "2.0.0"};
    case ReplyClass::Transient: return {451, "4.3.0"};
    case ReplyClass::Permanent: break;
  }
  return {554, "5.7.1"};
}

// Reply-code, and the blank or hyphen behind it; RFC 5321 section 4.2.
std::optional<int> consume_code(std::string_view& line) {
  std::string_view rest = line;
  const auto code = base::text::consume_digits(rest, 3);
  if (!code || (!rest.empty() && rest.front() != ' ' && rest.front() != '-')) return std::nullopt;
  if (!rest.empty()) rest.remove_prefix(1);
  line = rest;
  return code;
}

// status-code = class "." subject "." detail; RFC 3463 section 2.
std::string_view consume_status(std::string_view& line) {
  std::size_t at = 0;
  const auto digits = [&](std::size_t most) {
    const std::size_t from = at;
    while (at < line.size() && at - from < most && base::text::is_digit(line[at])) ++at;
    return at > from;
  };
  const auto dot = [&] { return at < line.size() && line[at] == '.' && ++at != 0; };
  if (!(digits(1) && dot() && digits(3) && dot() && digits(3)) || (at < line.size() && line[at] != ' ')) return {};
  const auto status = line.substr(0, at);
  line.remove_prefix(at < line.size() ? at + 1 : at);
  return status;
}

void append_clean(std::string& out, std::string_view text, bool utf8) {
  while (!text.empty()) {
    const auto octet = static_cast<unsigned char>(text.front());
    std::size_t length = 1;
    if (octet >= 0x80 && utf8 && (length = base::utf8::sequence_octets(text)) > 0) {
      out += text.substr(0, length);
    } else {
      length = 1;
      out += octet == '\t' ? ' ' : octet < 0x20 || octet > 0x7e ? '?' : static_cast<char>(octet);
    }
    text.remove_prefix(length);
  }
}

// How much of `text` goes on a line with room for `room` octets: to the last blank if there is one late enough, never
// into the middle of a character.
std::size_t fold_at(std::string_view text, std::size_t room) {
  if (text.size() <= room) return text.size();
  const auto blank = text.rfind(' ', room);
  if (blank != std::string_view::npos && blank > room / 2) return blank;
  std::size_t at = room;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) --at;
  return at > 0 ? at : room;
}

}  // namespace

const ReplyRow& reply_row(ReplyId id) { return kReplies[static_cast<std::size_t>(id)]; }

void append_reply(std::string& out, ReplyId id, std::string_view detail) {
  const ReplyRow& row = reply_row(id);
  append_code(out, row.code);
  out += ' ';
  if (!row.status.empty()) {
    out += row.status;
    out += ' ';
  }
  out += row.text;
  if (!detail.empty()) {
    out += ": ";
    out += detail;
  }
  out += "\r\n";
}

std::string greeting_of_text(int code, std::string_view text) {
  std::string lines;
  std::size_t last_line = 0;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  for (std::string_view line : base::text::split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto given = consume_code(line);
    if (given && *given / 100 != 2) return {};
    (void)consume_status(line);
    last_line = lines.size();
    append_code(lines, code);
    lines += '-';
    append_clean(lines, line.substr(0, fold_at(line, kMaxReplyLineOctets - 6)), false);
    lines += "\r\n";
  }
  lines[last_line + 3] = ' ';
  return lines;
}

WireReply reply_of_text(ReplyClass expected, std::string_view text, bool utf8) {
  auto [code, status] = standard_of(expected);
  std::string clean;  // the lines without codes, each ended by LF
  bool is_first = true;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  for (std::string_view line : base::text::split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::string_view behind_code = line;
    const auto given = consume_code(behind_code);
    if (is_first && given) {
      const bool is_meant = *given / 100 == static_cast<int>(expected) && (expected != ReplyClass::Positive || *given / 10 == 25);
      if (!is_meant) return {};
      code = *given;
    }
    if (given == code) {
      line = behind_code;
    }
    std::string_view behind_status = line;
    const auto own_status = consume_status(behind_status);
    if (!own_status.empty() && (is_first || own_status == status)) {
      line = behind_status;
      if (own_status.front() - '0' == code / 100) status = own_status;
    }
    append_clean(clean, line, utf8);
    clean += '\n';
    is_first = false;
  }

  WireReply reply{code, {}};
  const std::size_t room = kMaxReplyLineOctets - 2 - 4 - status.size() - 1;
  std::size_t last_line = 0;
  for (std::string_view rest = clean; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    do {
      const auto part = line.substr(0, fold_at(line, room));
      line.remove_prefix(part.size());
      while (line.starts_with(' ')) line.remove_prefix(1);
      last_line = reply.lines.size();
      append_code(reply.lines, code);
      reply.lines += '-';
      reply.lines += status;
      if (!part.empty()) reply.lines += ' ';
      reply.lines += part;
      reply.lines += "\r\n";
    } while (!line.empty());
  }
  reply.lines[last_line + 3] = ' ';
  return reply;
}

}  // namespace smtp
