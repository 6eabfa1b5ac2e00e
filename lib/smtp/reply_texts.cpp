#include "lib/smtp/reply_texts.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "lib/smtp/reply.h"

namespace smtp {
namespace {

namespace text = base::text;

// What else than the words of a reply there is to keep.
enum class Kind : std::uint8_t {
  Reply,
  Closing,      // the session ends with it
  Greeting,     // begins with the name of a host: RFC 5321 section 4.2
  Helo,
  Ehlo,         // the first line, which begins with the name of a host too; those behind it are the protocol's
  EhloSecured,
};

struct NameRow {
  std::string_view name;
  ReplyId id;
  Kind kind = Kind::Reply;
};
// A name may stand for several replies.
constexpr auto kNames = std::to_array<NameRow>({
    {"Greetings", ReplyId::None, Kind::Greeting},
    {"Help", ReplyId::Help},
    {"Closing", ReplyId::Closing, Kind::Closing},
    {"Helo", ReplyId::None, Kind::Helo},
    {"EhloPain", ReplyId::None, Kind::Ehlo},
    {"EhloSecured", ReplyId::None, Kind::EhloSecured},
    {"DataStart", ReplyId::DataStart},
    {"Ok", ReplyId::Ok},
    {"Ok", ReplyId::SenderOk},
    {"Ok", ReplyId::RecipientOk},
    {"Ok", ReplyId::MessageOk},
    {"Denied", ReplyId::Denied},
    {"Failure", ReplyId::Failure},
    {"UnrecognizedCommand", ReplyId::UnknownCommand},
    {"SyntaxErrorParams", ReplyId::BadArgument},
    {"ParameterUnimplemented", ReplyId::UnknownParameter},
    {"Unimplemented", ReplyId::Unimplemented},
    {"BadSequence", ReplyId::BadSequence},
    {"AlreadyUnderTLS", ReplyId::AlreadyUnderTls},
    {"TlsRequired", ReplyId::TlsRequired},
    {"TlsGoAhead", ReplyId::TlsGoAhead},
    {"AuthSucceeded", ReplyId::AuthSucceeded},
    {"AuthMechNotSupported", ReplyId::UnknownMechanism},
    {"AuthClientMustNotStart", ReplyId::AuthMustNotStart},
    {"AuthMechanismMustBeEncrypted", ReplyId::AuthNeedsEncryption},
    {"AuthInvalidCredentials", ReplyId::AuthFailed},
    {"AuthRequired", ReplyId::AuthRequired},
    {"AuthClientCanceled", ReplyId::AuthCancelled},
    {"AuthErrorDecode64", ReplyId::BadAuthResponse},
    {"ConnectionMaxReached", ReplyId::TooManyConnections, Kind::Closing},
    {"TooManyError", ReplyId::TooManyErrors, Kind::Closing},
    {"Timeout", ReplyId::Timeout, Kind::Closing},
    {"TooManyRecipients", ReplyId::TooManyRecipients},
    // Ours.
    {"RelayDenied", ReplyId::RelayDenied},
    {"ReturnDenied", ReplyId::ReturnDenied},
    {"BadSender", ReplyId::BadSender},
    {"BadRecipient", ReplyId::BadRecipient},
    {"NonAsciiAddress", ReplyId::NonAsciiAddress},
    {"NonAsciiHeader", ReplyId::NonAsciiHeader},
    {"NoRecipients", ReplyId::NoRecipients},
    {"MessageTooLarge", ReplyId::MessageTooLarge},
    {"BareLineEnd", ReplyId::BareLineEnd},
    {"TextLineTooLong", ReplyId::TextLineTooLong},
    {"NoStorage", ReplyId::NoStorage},
    {"CannotVerify", ReplyId::CannotVerify},
    {"TooFast", ReplyId::TooFast},
    {"TooManyTransactions", ReplyId::TooManyTransactions, Kind::Closing},
    {"TooManyAuthFailures", ReplyId::TooManyAuthFailures, Kind::Closing},
    {"AuthTemporaryFailure", ReplyId::AuthTemporaryFailure},
    {"ShuttingDown", ReplyId::ShuttingDown, Kind::Closing},
    {"TooBusy", ReplyId::TooBusy, Kind::Closing},
    {"TalkedFirst", ReplyId::TalkedFirst, Kind::Closing},
});

constexpr std::string_view kDomain = "{domain}";
constexpr std::size_t kMaxDetailOctets = 36;  // which append() puts behind the words
constexpr std::size_t kMaxWordsOctets = kMaxReplyLineOctets - 60;  // code, status, blanks and the detail beside them

struct Standard {
  int code;
  std::string status, words;
};
Standard standard_of(const NameRow& row) {
  if (row.id != ReplyId::None) {
    const auto& standard = reply_row(row.id);
    return {standard.code, std::string(standard.status), std::string(standard.text)};
  }
  if (row.kind == Kind::Greeting) return {220, {}, "{domain} Service ready"};
  return {250, {}, std::string(kDomain)};
}

std::unexpected<base::Error> expected(std::string what) { return base::fail(base::Fault::Config, std::move(what)); }

std::string with_domain(std::string_view words, std::string_view domain) {
  std::string out;
  for (auto at = words.find(kDomain); at != std::string_view::npos; at = words.find(kDomain)) {
    out.append(words.substr(0, at)).append(domain);
    words.remove_prefix(at + kDomain.size());
  }
  return out.append(words);
}

// "554 ", or a whole line "554"; nothing where no code stands.
std::optional<int> consume_code(std::string_view& line) {
  std::string_view rest = line;
  const auto code = text::consume_digits(rest, 3);
  if (!code || (!rest.empty() && rest.front() != ' ' && rest.front() != '-')) return std::nullopt;
  rest.remove_prefix(rest.empty() ? 0 : 1);
  line = rest;
  return code;
}

bool ends_session(int code) { return code == 421 || code == 521; }

// What a client would do at the code that it waits for it does at this one too.
base::Result<void> check_code(int code, const Standard& standard, Kind kind) {
  const int digit = standard.code / 100;
  const std::string own = std::to_string(standard.code);
  if (digit < 4 && code != standard.code) return expected("the code " + own);
  if (code / 100 != digit || code % 100 / 10 > 5) return expected("a code of the class " + std::to_string(digit) + ", such as " + own);
  if (ends_session(code) && kind != Kind::Closing) return expected("another code than " + std::to_string(code) + ", with which a session ends, and it goes on here");
  return {};
}

base::Result<void> check_status(std::string_view status, int code) {
  if (code / 100 == 3) return expected("no enhanced status code here (RFC 2034 section 4)");
  if (status.front() - '0' != code / 100) return expected("an enhanced status code of the class " + std::to_string(code / 100) + ", or none");
  return {};
}

struct Lines {
  int code;
  std::string status;
  std::vector<std::string> words;
};

base::Result<Lines> parse(std::string_view given, const NameRow& row, std::string_view domain) {
  const Standard standard = standard_of(row);
  Lines lines{standard.code, standard.status, {}};
  for (std::string_view line : text::split(given, '\n')) {
    line = text::trim(line);
    const bool is_first = lines.words.empty();
    if (const auto code = consume_code(line)) {
      if (is_first) lines.code = *code;
      if (*code != lines.code) return expected("the same code in all lines");
    }
    if (const auto checked = check_code(lines.code, standard, row.kind); !checked) return std::unexpected(checked.error());
    line = text::trim(line);
    if (const auto status = consume_enhanced_status(line); !status.empty()) {
      if (row.id == ReplyId::None) return expected("no enhanced status code in greetings (RFC 2034 section 4)");
      if (const auto checked = check_status(status, lines.code); !checked) return std::unexpected(checked.error());
      if (is_first) lines.status = status;
      if (status != lines.status) return expected("the same enhanced status code in all lines");
    }
    std::string words = with_domain(text::trim(line), domain);
    if (!std::ranges::all_of(words, [](char c) { return c >= ' ' && c < 0x7f; })) return expected("ASCII without control characters: not every client understands more");
    if (words.size() > kMaxWordsOctets) return expected("lines of at most " + std::to_string(kMaxWordsOctets) + " octets");
    lines.words.push_back(std::move(words));
  }
  return lines;
}

std::string wire(const Lines& lines) {
  std::string out;
  for (const auto& words : lines.words) {
    out += std::to_string(lines.code) + (&words == &lines.words.back() ? " " : "-") + lines.status;
    if (!lines.status.empty() && !words.empty()) out += ' ';
    out += words + "\r\n";
  }
  return out;
}

bool begins_with_host(std::string_view words) {
  const auto host = text::split_once(words, ' ').first;
  return mail::check_domain(host).has_value() || mail::check_address_literal(host).has_value();
}

}  // namespace

base::Result<void> ReplyTexts::set(std::string_view name, std::string_view given, std::string_view domain) {
  for (const auto& row : kNames) {
    if (row.name != name) continue;
    const auto lines = parse(given, row, domain);
    if (!lines) return std::unexpected(lines.error());
    const bool is_greeting = row.kind == Kind::Greeting || row.kind == Kind::Ehlo || row.kind == Kind::EhloSecured;
    if (is_greeting && !begins_with_host(lines->words.front())) return expected("the name of the server in front, such as {domain} (RFC 5321 section 4.2)");
    if ((row.kind == Kind::Ehlo || row.kind == Kind::EhloSecured) && lines->words.size() > 1) return expected("one line: those behind it name the extensions");
    switch (row.kind) {
      case Kind::Reply:
      case Kind::Closing: own_[row.id] = wire(*lines); break;
      case Kind::Greeting: greeting = wire(*lines); break;
      case Kind::Helo: helo = wire(*lines); break;
      case Kind::Ehlo: ehlo = lines->words.front(); break;
      case Kind::EhloSecured: ehlo_secured = lines->words.front(); break;
    }
  }
  return {};
}

void ReplyTexts::append(std::string& out, ReplyId id, std::string_view detail) const {
  const auto own = own_.find(id);
  if (own == own_.end()) return append_reply(out, id, detail);
  out.append(own->second, 0, own->second.size() - 2);
  if (!detail.empty()) out.append(": ").append(detail.substr(0, kMaxDetailOctets));
  out += "\r\n";
}

std::vector<ReplyTexts::Name> ReplyTexts::names() {
  std::vector<Name> all;
  for (const auto& row : kNames) {
    if (!all.empty() && all.back().name == row.name) continue;
    const Standard standard = standard_of(row);
    all.push_back({row.name, std::to_string(standard.code) + " " + standard.status + (standard.status.empty() ? "" : " ") + standard.words});
  }
  return all;
}

}  // namespace smtp
