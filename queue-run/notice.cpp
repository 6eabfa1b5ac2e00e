#include "queue-run/notice.h"

#include <algorithm>
#include <array>

#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/chain/context.h"
#include "lib/mail/date.h"
#include "lib/mail/encoded_word.h"
#include "lib/mail/field_scan.h"
#include "lib/mail/header.h"
#include "lib/mail/mailbox_list.h"
#include "lib/mail/transfer_encoding.h"
#include "queue-run/diagnosis.h"

namespace run {
namespace {

namespace text = base::text;
using base::utf8::has_8bit;

struct ActionRow {
  Action action;
  std::string_view name;  // RFC 3464 section 2.3.3
  Outcome outcome;
  std::string_view words;  // for people, of what needs no reason; "": the reply is the reason
};
constexpr auto kActions = std::to_array<ActionRow>({
    {Action::Failed, "failed", Outcome::Failed, ""},
    {Action::Delayed, "delayed", Outcome::Delayed, ""},
    {Action::Delivered, "delivered", Outcome::Succeeded, "It is in the mailbox."},
    {Action::Relayed, "relayed", Outcome::Succeeded, "The recipient's mail system has it, which will tell you nothing more."},
    {Action::Expanded, "expanded", Outcome::Succeeded, "It goes on to the members of a list or to another address."},
});
const ActionRow& row_of(Action action) { return kActions[static_cast<std::size_t>(action)]; }

constexpr std::size_t kLineOctets = 76;        // of text, and of fields where they can be folded
constexpr std::size_t kMaxReplyOctets = 2000;  // in a field
constexpr std::size_t kMaxListed = 100;        // recipients that the text names; the fields name all
constexpr std::size_t kMaxSubjectOctets = 150;

std::string date_of(base::WallTime time) {
  std::string date;
  mail::append_date_time(date, time, mail::Zone::Local);
  return date;
}

// No line end and no control, whatever came from elsewhere; UTF-8 only where it may be.
std::string clean(std::string_view octets, bool may_be_utf8) {
  std::string out;
  const bool keeps = may_be_utf8 && base::utf8::is_valid(octets);
  for (const char c : octets) out += (c >= ' ' && c <= '~') || (c < 0 && keeps) ? c : '?';
  return out;
}

// At blanks; what has none for longer than a line may be (RFC 5322 section 2.1.1) in pieces, between characters.
std::vector<std::string_view> words_of(std::string_view value) {
  constexpr std::size_t kMaxWordOctets = 900;
  std::vector<std::string_view> words;
  for (auto word : text::split(value, ' ')) {
    while (word.size() > kMaxWordOctets) {
      std::size_t end = kMaxWordOctets;
      while (end > 1 && (static_cast<unsigned char>(word[end]) & 0xC0U) == 0x80U) --end;
      words.push_back(word.substr(0, end));
      word.remove_prefix(end);
    }
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

// ---- text for people ------------------------------------------------------------------------------------------------

// Folded at blanks, each line behind `indent`; a word that is longer than a line stands alone in one.
void append_wrapped(std::string& out, std::string_view words, std::string_view indent) {
  std::size_t line_octets = 0;
  for (const auto word : words_of(words)) {
    if (line_octets > 0 && line_octets + 1 + word.size() > kLineOctets) {
      out += '\n';
      line_octets = 0;
    }
    out.append(line_octets == 0 ? indent : " ").append(word);
    line_octets += word.size() + (line_octets == 0 ? indent.size() : 1);
  }
  if (line_octets > 0) out += '\n';
}

void append_told(std::string& out, const Told& told, const Subject& subject, bool explains) {
  constexpr std::string_view kIndent = "    ";
  const auto& row = row_of(told.action);
  const auto diagnosis = diagnose(told.text, row.outcome);
  const auto& address = subject.recipients[told.recipient];
  out.append("<").append(clean(address, true)).append(">\n");
  // What the sender has written, where an alias has led elsewhere.
  if (const auto original = mail::address_of_original_recipient(subject.dsn.of(told.recipient).original_recipient);
      !original.empty() && !text::equal_ignoring_case(original, address))
    append_wrapped(out, "for <" + clean(original, true) + ">", kIndent);
  if (!row.words.empty()) return append_wrapped(out, row.words, kIndent);
  if (explains) append_wrapped(out, explanation_of(diagnosis.status), kIndent);
  const std::string who = diagnosis.remote_mta.empty() ? "" : diagnosis.remote_mta + " said: ";
  append_wrapped(out, clean(who + diagnosis.reply, true), kIndent);
}

std::string listed(const Notice& notice, const Subject& subject, bool explains) {
  std::string out;
  for (std::size_t i = 0; i < std::min(notice.told.size(), kMaxListed); ++i) {
    append_told(out, notice.told[i], subject, explains);
    out += '\n';
  }
  if (notice.told.size() > kMaxListed) out += "and " + std::to_string(notice.told.size() - kMaxListed) + " more, which are in the second part of this message\n\n";
  return out;
}

std::string cut(std::string words, std::size_t limit) {
  if (words.size() <= limit) return words;
  while (limit > 0 && (static_cast<unsigned char>(words[limit]) & 0xC0U) == 0x80U) --limit;
  return words.substr(0, limit) + "...";
}

// ---- what is returned -----------------------------------------------------------------------------------------------

struct Header {
  std::string_view octets;  // without the empty line
  std::string subject;      // decoded
  std::string message_id;   // with its angle brackets
};

Header header_of(std::string_view message) {
  Header header;
  mail::FieldScanner fields(message);
  std::size_t end = 0;
  while (const auto field = fields.next()) {
    end = static_cast<std::size_t>(field->octets.data() - message.data()) + field->octets.size();
    const auto body = field->octets.substr(field->body);
    if (text::equal_ignoring_case(field->name, "Subject")) header.subject = mail::decode_unstructured(body);
    if (text::equal_ignoring_case(field->name, "Message-ID")) header.message_id = mail::unfold(body);
  }
  header.octets = message.substr(0, end);
  return header;
}

// BINARYMIME content has no place in a part that is lines.
bool is_lines(std::string_view octets) {
  for (auto at = octets.find_first_of(std::string_view("\r\n\0", 3)); at != std::string_view::npos; at = octets.find_first_of(std::string_view("\r\n\0", 3), at + 2))
    if (octets.substr(at, 2) != "\r\n") return false;
  return true;
}

enum class Returned : std::uint8_t { Message, Header };

Returned what_is_returned(const Notice& notice, const Subject& subject, std::string_view message, std::uint64_t limit) {
  const bool is_failure = notice.kind == NoticeKind::Failure || notice.kind == NoticeKind::Double;
  // RFC 3461 section 4.3: RET is about failures; of others the header is enough.
  if (!is_failure || subject.requires_tls || subject.dsn.returns == mail::Return::Headers || message.size() > limit || !is_lines(message)) return Returned::Header;
  return Returned::Message;
}

// At most `limit` octets, whole lines.
std::string_view header_within(std::string_view header, std::uint64_t limit) {
  constexpr std::size_t kLeast = 4096;
  const auto most = std::max<std::uint64_t>(limit, kLeast);
  if (header.size() <= most) return header;
  const auto end = header.substr(0, most).rfind('\n');
  return header.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

// ---- fields for programs: RFC 3464 section 2 --------------------------------------------------------------------------

void append_field(std::string& out, std::string_view name, std::string_view value) { out.append(name).append(": ").append(value).append("\r\n"); }

// A long value is folded at blanks (RFC 5322 section 2.2.3).
void append_folded(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(":");
  std::size_t line_octets = name.size() + 1;
  for (const auto word : words_of(value)) {
    const bool folds = line_octets + 1 + word.size() > kLineOctets && line_octets > name.size() + 1;
    out += folds ? "\r\n " : " ";
    line_octets = (folds ? 1 : line_octets + 1) + word.size();
    out += word;
  }
  out += "\r\n";
}

void append_recipient_fields(std::string& out, const Told& told, const Subject& subject, bool is_global) {
  const auto& row = row_of(told.action);
  const auto& address = subject.recipients[told.recipient];
  const auto& original = subject.dsn.of(told.recipient).original_recipient;
  const auto diagnosis = diagnose(told.text, row.outcome);
  out += "\r\n";
  if (!original.empty()) append_field(out, "Original-Recipient", clean(mail::report_address_of_parameter(original, is_global), is_global));
  append_field(out, "Final-Recipient", clean(mail::report_address(address, is_global), is_global));
  append_field(out, "Action", row.name);
  append_field(out, "Status", diagnosis.status);
  if (!diagnosis.remote_mta.empty()) append_field(out, "Remote-MTA", "dns; " + clean(diagnosis.remote_mta, is_global));
  if (!diagnosis.reply.empty())
    append_folded(out, "Diagnostic-Code", (diagnosis.is_smtp ? "smtp; " : "x-vsmtp; ") + clean(cut(diagnosis.reply, kMaxReplyOctets), is_global));
  append_field(out, "Last-Attempt-Date", date_of(told.time));
  if (told.action == Action::Delayed) append_field(out, "Will-Retry-Until", date_of(subject.expires));
}

std::string status_fields(const Notice& notice, const Subject& subject, const NoticeSettings& settings, bool is_global) {
  std::string out;
  append_field(out, "Reporting-MTA", "dns; " + settings.server);
  if (!subject.dsn.envelope_id.empty()) append_field(out, "Original-Envelope-Id", clean(mail::from_xtext(subject.dsn.envelope_id), false));
  append_field(out, "X-VSMTP-Queue-Id", subject.id.text());
  append_field(out, "Arrival-Date", date_of(subject.arrived));
  for (const auto& told : notice.told) append_recipient_fields(out, told, subject, is_global);
  return out;
}

// ---- the whole --------------------------------------------------------------------------------------------------------

NoticeValues values_of(const Notice& notice, const Subject& subject, const NoticeSettings& settings, const Header& header, Returned returned) {
  return {
      {"server", settings.server},
      {"postmaster", settings.postmaster.empty() ? "postmaster@" + settings.server : settings.postmaster},
      {"id", subject.id.string()},
      {"sender", clean(subject.reverse_path, true)},
      {"subject", cut(header.subject.empty() ? "(no subject)" : clean(header.subject, true), kMaxSubjectOctets)},
      {"date", date_of(subject.arrived)},
      {"until", date_of(subject.expires)},
      {"count", std::to_string(notice.told.size())},
      {"recipients", listed(notice, subject, false)},
      {"explained", listed(notice, subject, true)},
      {"returned", returned == Returned::Message ? "The message itself is attached." : "The header of the message is attached."},
  };
}

// The lines of templates are as their authors wrote them, but what was filled in may have made them long.
std::string wrapped(std::string_view body) {
  std::string out;
  for (auto line : text::split(body.substr(0, body.size() - (body.ends_with('\n') ? 1 : 0)), '\n')) {
    if (line.size() <= 2 + kLineOctets || line.starts_with(' ') || line.starts_with('<')) {
      out.append(line).append("\n");
    } else {
      append_wrapped(out, line, "");
    }
  }
  return out;
}

std::string with_crlf(std::string_view lines) {
  std::string out;
  for (const char c : lines) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

void append_text_part(std::string& out, const std::string& body) {
  if (!has_8bit(body)) {
    out += "Content-Description: Notification\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n" + with_crlf(body);
    return;
  }
  out += "Content-Description: Notification\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
  std::size_t begin = 0;
  for (auto end = body.find('\n'); end != std::string::npos; begin = end + 1, end = body.find('\n', begin)) {
    mail::encode_quoted_printable(out, std::string_view(body).substr(begin, end - begin), "\r\n");
    out += "\r\n";
  }
}

std::string context_of(const Notice& notice, const Subject& subject, const std::string& to, base::WallTime now) {
  namespace json = base::json;
  const std::string time = base::to_rfc3339(now);
  std::string out = R"({"envelop":{"helo":"","mail_from":"","rcpt":[{)";
  json::append_member(out, "address", to);
  out += R"(,"transfer_method":"Deliver","email_status":{"waiting":{)";
  json::append_member(out, "timestamp", time);
  out += R"(}}}]},"metadata":{)";
  json::append_member(out, "timestamp", time);
  json::append_member(out, "message_id", notice.id.text());
  out += R"(,"skipped":null},"notice":{)";
  json::append_member(out, "of", subject.id.text());
  json::append_member(out, "kind", name_of(notice.kind));
  out += '}';
  if (subject.requires_tls) out += R"(,"require_tls":true)";
  return out += '}';
}

std::string head_of(const NoticeTemplate& words, const NoticeValues& values, const Notice& notice, const std::string& to, const Header& header,
                    const NoticeSettings& settings, base::WallTime now, const std::string& boundary, bool is_8bit) {
  std::string out;
  append_field(out, "Date", date_of(now));
  append_field(out, "From", mail::encode_phrase(words.from) + " <MAILER-DAEMON@" + settings.server + ">");
  append_field(out, "To", "<" + clean(to, true) + ">");
  const auto title = fill_in(words.subject, values);
  if (mail::needs_encoding(title)) {
    append_field(out, "Subject", mail::encode_words(title));  // folded already
  } else {
    append_folded(out, "Subject", title);
  }
  append_field(out, "Message-ID", "<" + notice.id.string() + "@" + settings.server + ">");
  std::size_t at = 0;
  const auto parsed = mail::next_message_id(header.message_id, at);
  if (parsed && parsed->fault == mail::MessageIdFault::None && parsed->id.id.size() < 900 && !has_8bit(parsed->id.id)) {
    append_field(out, "In-Reply-To", parsed->id.id);
    append_field(out, "References", parsed->id.id);
  }
  append_field(out, "Auto-Submitted", "auto-replied");  // RFC 3834 section 5
  if (!words.language.empty()) append_field(out, "Content-Language", clean(words.language, false));
  append_field(out, "MIME-Version", "1.0");
  out += "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"" + boundary + "\"\r\n";  // RFC 6522
  if (is_8bit) append_field(out, "Content-Transfer-Encoding", "8bit");
  return out += "\r\n";
}

}  // namespace

base::Result<NoticeMessage> compose(const Notice& notice, const Subject& subject, const NoticeSettings& settings, base::WallTime now) {
  const auto view = subject.octets.view();
  if (!view) return std::unexpected(view.error());
  const Header header = header_of(view->octets());
  const Returned returned = what_is_returned(notice, subject, view->octets(), settings.return_octets);
  const auto shown = returned == Returned::Message ? view->octets() : header_within(header.octets, settings.return_octets);
  const std::string& to = notice.is_double ? settings.postmaster : notice.to.empty() ? subject.reverse_path : notice.to;
  // RFC 6533: to who writes in UTF-8 the forms that hold it; everybody else gets those that are ASCII.
  const bool is_global = subject.is_smtputf8 || has_8bit(to);
  const bool has_global_header = is_global && has_8bit(header.octets);
  const auto fields = status_fields(notice, subject, settings, is_global);
  const bool is_8bit = has_8bit(shown) || has_8bit(fields);

  const auto& words = settings.texts.of(notice.kind);
  const auto values = values_of(notice, subject, settings, header, returned);
  const std::string boundary = "=_" + notice.id.string();
  const std::string delimiter = "--" + boundary + "\r\n";

  std::string out = head_of(words, values, notice, to, header, settings, now, boundary, is_8bit);
  out += "This is a notification in MIME format (RFC 3464).\r\n\r\n" + delimiter;
  append_text_part(out, wrapped(fill_in(words.body, values)));
  out += "\r\n" + delimiter + "Content-Description: Delivery report\r\nContent-Type: message/";
  out += is_global ? "global-delivery-status\r\n" : "delivery-status\r\n";
  if (has_8bit(fields)) append_field(out, "Content-Transfer-Encoding", "8bit");
  out += "\r\n" + fields + "\r\n" + delimiter;
  if (returned == Returned::Message) {
    out += "Content-Description: Message\r\nContent-Type: message/";
    out += has_global_header ? "global\r\n" : "rfc822\r\n";
  } else {
    out += "Content-Description: Header of the message\r\nContent-Type: ";
    out += has_global_header ? "message/global-headers\r\n" : "text/rfc822-headers\r\n";
  }
  if (has_8bit(shown)) append_field(out, "Content-Transfer-Encoding", "8bit");
  out += "\r\n";

  const base::BlobWriter::Limits memory;
  base::BlobWriter writer(memory);
  for (const auto part : {std::string_view(out), shown, std::string_view("\r\n--"), std::string_view(boundary), std::string_view("--\r\n")})
    if (const auto appended = writer.append(part); !appended) return std::unexpected(appended.error());
  NoticeMessage message;
  message.octets = writer.finish();
  message.item.id = notice.id;
  message.item.arrived = now;
  message.item.envelope = {"", {to}};
  message.item.context = context_of(notice, subject, to, now);
  message.item.message_octets = message.octets.size();
  return message;
}

std::optional<NoticeMark> notice_mark(std::string_view octets) {
  if (!octets.contains("\"notice\"")) return std::nullopt;
  const auto context = chain::Context::parse(octets);
  const auto id = context ? context->text("notice.of") : std::nullopt;
  const auto of = id ? queue::Id::parse(*id) : std::nullopt;
  if (!of) return std::nullopt;
  return NoticeMark{*of, context->text("notice.kind") == name_of(NoticeKind::Double)};
}

}  // namespace run
