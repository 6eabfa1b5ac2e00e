#include "qctl/forward.h"

#include <algorithm>

#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/mail/date.h"
#include "lib/mail/encoded_word.h"
#include "lib/mail/field_scan.h"
#include "lib/smtp/message_needs.h"
#include "qctl/display.h"
#include "qctl/quarantine_facts.h"

namespace qctl {
namespace {

constexpr std::size_t kSubjectOctets = 200;
constexpr std::size_t kShownRecipients = 50;

void append_field(std::string& out, std::string_view name, std::string_view body) { out.append(name).append(": ").append(body).append("\r\n"); }

// What comes from the message may stand in a header and a text of ours: one line, without controls.
std::string clean(std::string_view text) { return printable_text(text, true); }

std::string subject_of(std::string_view message) {
  mail::FieldScanner scanner(message);
  while (const auto field = scanner.next())
    if (base::text::equal_ignoring_case(field->name, "Subject")) return clean(mail::decode_unstructured(field->octets.substr(field->body)));
  return "(no subject)";
}

// Not in the middle of a character.
std::string cut(std::string text) {
  if (text.size() <= kSubjectOctets) return text;
  std::size_t end = kSubjectOctets;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

std::string explanation(const queue::Seen& seen) {
  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) text.append(name).append(clean(value)).append("\r\n");
  };
  text += "The attached message is a copy; the original stays where it is.\r\n\r\n";
  add("id:        ", seen.item.id.text());
  add("queue:     ", seen.place.folder());
  add("arrived:   ", base::to_rfc3339(seen.item.arrived));
  add("sender:    ", "<" + seen.item.envelope.reverse_path + ">");
  const auto& recipients = seen.item.envelope.recipients;
  for (std::size_t i = 0; i < std::min(recipients.size(), kShownRecipients); ++i) add("recipient: ", "<" + recipients[i] + ">");
  if (recipients.size() > kShownRecipients) text += "           and " + std::to_string(recipients.size() - kShownRecipients) + " more\r\n";
  if (const auto facts = quarantine_facts(seen.item.context)) {
    add("rule:      ", facts->rule);
    add("stage:     ", facts->stage);
    add("reason:    ", facts->reason);
  }
  return text;
}

// Quoted-printable would be needed for lines over 998 octets only: the text's are cut there.
void append_text_part(std::string& out, const std::string& text) {
  const bool has_8bit = base::utf8::has_8bit(text);
  out += has_8bit ? "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" : "Content-Type: text/plain; charset=us-ascii\r\n\r\n";
  constexpr std::size_t kLineOctets = 900;
  for (const auto line : base::text::split(text, '\n')) {
    if (line.empty()) continue;
    out += line.size() <= kLineOctets ? std::string(line) : std::string(line.substr(0, kLineOctets)) + "...\r";
    out += '\n';
  }
}

std::string context_of(const queue::Seen& seen, const queue::Item& item) {
  namespace json = base::json;
  std::string out = R"({"envelop":{"helo":"","mail_from":"","rcpt":[{)";
  json::append_member(out, "address", item.envelope.recipients.front());
  out += R"(,"transfer_method":"Deliver"}]},"metadata":{)";
  json::append_member(out, "timestamp", base::to_rfc3339(item.arrived));
  json::append_member(out, "message_id", item.id.text());
  out += R"(,"skipped":null},"forwarded":{)";
  json::append_member(out, "of", seen.item.id.text());
  return out += "}}";
}

}  // namespace

base::Result<Forwarded> forwarded(const queue::Seen& seen, const std::string& address, const std::string& server, base::WallTime now) {
  const auto view = seen.message.view();
  if (!view) return std::unexpected(view.error());
  const auto needs = smtp::scan_message(view->octets());
  const auto text = explanation(seen);
  Forwarded copy;
  copy.item.id = queue::Id::make(now);
  copy.item.arrived = now;
  copy.item.envelope = {"", {address}};

  const std::string boundary = "=_" + copy.item.id.string();
  std::string head;
  head += "Date: ";
  mail::append_date_time(head, now);
  head += "\r\n";
  append_field(head, "From", "\"Mail queue\" <MAILER-DAEMON@" + server + ">");
  append_field(head, "To", "<" + clean(address) + ">");
  append_field(head, "Subject", mail::encode_words("Message in " + seen.place.folder() + ": " + cut(subject_of(view->octets()))));
  append_field(head, "Message-ID", "<" + copy.item.id.string() + "@" + server + ">");
  append_field(head, "Auto-Submitted", "auto-generated");  // RFC 3834 section 5
  append_field(head, "MIME-Version", "1.0");
  append_field(head, "Content-Type", "multipart/mixed;\r\n boundary=\"" + boundary + "\"");
  if (needs.has_8bit || base::utf8::has_8bit(text)) append_field(head, "Content-Transfer-Encoding", "8bit");
  head += "\r\n--" + boundary + "\r\n";
  append_text_part(head, text);
  head += "\r\n--" + boundary + "\r\n";
  append_field(head, "Content-Type", needs.has_utf8_header ? "message/global" : "message/rfc822");
  append_field(head, "Content-Disposition", "attachment; filename=\"" + seen.item.id.string() + ".eml\"");
  if (needs.has_8bit) append_field(head, "Content-Transfer-Encoding", "8bit");
  head += "\r\n";

  const base::BlobWriter::Limits memory;
  base::BlobWriter writer(memory);
  for (const auto part : {std::string_view(head), view->octets(), std::string_view("\r\n--"), std::string_view(boundary), std::string_view("--\r\n")})
    if (const auto appended = writer.append(part); !appended) return std::unexpected(appended.error());
  copy.octets = writer.finish();
  copy.item.message_octets = copy.octets.size();
  copy.item.context = context_of(seen, copy.item);
  return copy;
}

}  // namespace qctl
