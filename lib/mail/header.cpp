#include "lib/mail/header.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/mail/lexer.h"

namespace mail {
namespace {

// RFC 5322 section 3.6 (its table says how often each may stand), RFC 2045, RFC 2183.
constexpr auto kFields = std::to_array<FieldRow>({
    // name                        syntax                      required unique  section
    {"Bcc",                        Syntax::BccList,            false,   true,   "RFC 5322 3.6.3"},
    {"Cc",                         Syntax::AddressList,        false,   true,   "RFC 5322 3.6.3"},
    {"Comments",                   Syntax::Unstructured,       false,   false,  "RFC 5322 3.6.5"},
    {"Content-Description",        Syntax::Unstructured,       false,   true,   "RFC 2045 8"},
    {"Content-Disposition",        Syntax::ContentDisposition, false,   true,   "RFC 2183 2"},
    {"Content-ID",                 Syntax::MessageId,          false,   true,   "RFC 2045 7"},
    {"Content-Transfer-Encoding",  Syntax::TransferEncoding,   false,   true,   "RFC 2045 6"},
    {"Content-Type",               Syntax::ContentType,        false,   true,   "RFC 2045 5"},
    {"Date",                       Syntax::DateTime,           true,    true,   "RFC 5322 3.6.1"},
    {"From",                       Syntax::MailboxList,        true,    true,   "RFC 5322 3.6.2"},
    {"In-Reply-To",                Syntax::MessageIds,         false,   true,   "RFC 5322 3.6.4"},
    {"Keywords",                   Syntax::PhraseList,         false,   false,  "RFC 5322 3.6.5"},
    {"MIME-Version",               Syntax::MimeVersion,        false,   true,   "RFC 2045 4"},
    {"Message-ID",                 Syntax::MessageId,          false,   true,   "RFC 5322 3.6.4"},
    {"Received",                   Syntax::Received,           false,   false,  "RFC 5322 3.6.7"},
    {"References",                 Syntax::MessageIds,         false,   true,   "RFC 5322 3.6.4"},
    {"Reply-To",                   Syntax::AddressList,        false,   true,   "RFC 5322 3.6.2"},
    {"Resent-Bcc",                 Syntax::BccList,            false,   false,  "RFC 5322 3.6.6"},
    {"Resent-Cc",                  Syntax::AddressList,        false,   false,  "RFC 5322 3.6.6"},
    {"Resent-Date",                Syntax::DateTime,           false,   false,  "RFC 5322 3.6.6"},
    {"Resent-From",                Syntax::MailboxList,        false,   false,  "RFC 5322 3.6.6"},
    {"Resent-Message-ID",          Syntax::MessageId,          false,   false,  "RFC 5322 3.6.6"},
    {"Resent-Sender",              Syntax::Mailbox,            false,   false,  "RFC 5322 3.6.6"},
    {"Resent-To",                  Syntax::AddressList,        false,   false,  "RFC 5322 3.6.6"},
    {"Return-Path",                Syntax::Path,               false,   false,  "RFC 5322 3.6.7"},
    {"Sender",                     Syntax::Mailbox,            false,   true,   "RFC 5322 3.6.2"},
    {"Subject",                    Syntax::Unstructured,       false,   true,   "RFC 5322 3.6.5"},
    {"To",                         Syntax::AddressList,        false,   true,   "RFC 5322 3.6.3"},
});

}  // namespace

bool is_field_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, is_field_name_octet);
}

std::string unfold(std::string_view body) {
  body = base::text::trim(body);
  std::string unfolded;
  unfolded.resize_and_overwrite(body.size(), [body](char* out, std::size_t) {
    return std::ranges::copy_if(body, out, [](char c) { return c != '\r' && c != '\n'; }).out - out;
  });
  const auto text = base::text::trim(unfolded);
  return text.size() == unfolded.size() ? unfolded : std::string(text);
}

std::span<const FieldRow> known_fields() { return kFields; }

const FieldRow* find_known_field(std::string_view name) {
  for (const auto& row : kFields)
    if (base::text::equal_ignoring_case(row.name, name)) return &row;
  return nullptr;
}

std::optional<MessageIdResult> next_message_id(std::string_view body, std::size_t& offset) {
  Lexer lexer(body);
  lexer.advance(offset);
  (void)lexer.skip_cfws();
  const auto start = lexer.offset();
  if (lexer.at_end()) return std::nullopt;
  const auto ended = [&](std::size_t end, MessageIdFault fault) {
    offset = end;
    return MessageIdResult{{body.substr(start, end - start), start}, fault};
  };
  if (lexer.peek() != '<') {
    const auto next = body.find_first_of("< \t\r\n,;", start + 1);
    return ended(std::min(next, body.size()), MessageIdFault::NoAngle);
  }
  const auto close = body.find_first_of("<>", start + 1);
  if (close == std::string_view::npos || body[close] == '<') return ended(std::min(close, body.size()), MessageIdFault::Unclosed);
  const auto inside = body.substr(start + 1, close - start - 1);
  if (inside.empty()) return ended(close + 1, MessageIdFault::Empty);
  if (inside.find_first_of(" \t\r\n") != std::string_view::npos) return ended(close + 1, MessageIdFault::Blank);
  const auto at = inside.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == inside.size()) return ended(close + 1, MessageIdFault::NoAt);
  return ended(close + 1, MessageIdFault::None);
}

}  // namespace mail
