#include "queue-inject/submission.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include "lib/base/io.h"
#include "lib/base/text.h"
#include "lib/mail/date.h"
#include "lib/mail/header.h"
#include "lib/mail/line_ends.h"
#include "lib/mail/mailbox_list.h"
#include "lib/mail/received.h"
#include "lib/queue/id.h"

using base::Fault;
using base::Result;
namespace text = base::text;

namespace {

// Written by others on the way of the message, or for the eyes of the sender alone.
constexpr auto kDropped = std::to_array<std::string_view>({"Bcc", "Resent-Bcc", "Return-Path", "Content-Length"});
constexpr auto kRecipientFields = std::to_array<std::string_view>({"To", "Cc", "Bcc"});
constexpr std::string_view kResent = "Resent-";

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::any_of(names, [name](std::string_view one) { return text::equal_ignoring_case(name, one); });
}

// A header field with all its lines.
struct Lines {
  std::string_view name;
  std::string_view body;
  std::string_view whole;  // with its line ends
};

// The text in its parts.
struct Draft {
  std::vector<Lines> fields;
  std::string_view body;

  [[nodiscard]] bool has(std::string_view name) const {
    return std::ranges::any_of(fields, [name](const Lines& field) { return text::equal_ignoring_case(field.name, name); });
  }
  [[nodiscard]] bool is_resent() const {
    return std::ranges::any_of(fields, [](const Lines& field) { return text::starts_with_ignoring_case(field.name, kResent); });
  }
};

std::string_view next_line(std::string_view octets) { return octets.substr(0, octets.find('\n') == std::string_view::npos ? octets.size() : octets.find('\n') + 1); }

bool is_empty_line(std::string_view line) { return line == "\n" || line == "\r\n"; }

// Up to a line with only a dot.
std::string_view up_to_dot(std::string_view octets) {
  for (std::size_t at = 0; at < octets.size();) {
    const auto line = next_line(octets.substr(at));
    if (line == "." || line == ".\n" || line == ".\r\n") return octets.substr(0, at);
    at += line.size();
  }
  return octets;
}

// As sendmail does: the header is what looks like one. The first other line begins the body.
Draft parse(std::string_view octets) {
  Draft draft;
  if (octets.starts_with("From ")) octets.remove_prefix(next_line(octets).size());  // the separator of mbox(5)
  while (!octets.empty()) {
    const auto line = next_line(octets);
    if (text::is_space(line.front()) && !draft.fields.empty()) {
      auto& last = draft.fields.back();
      last.body = {last.body.data(), last.body.size() + line.size()};
      last.whole = {last.whole.data(), last.whole.size() + line.size()};
    } else {
      const auto colon = line.find(':');
      const auto name = text::trim(line.substr(0, colon == std::string_view::npos ? 0 : colon));
      if (!mail::is_field_name(name) || text::is_space(line.front())) break;
      draft.fields.push_back({name, line.substr(colon + 1), line});
    }
    octets.remove_prefix(line.size());
  }
  if (is_empty_line(next_line(octets))) octets.remove_prefix(next_line(octets).size());
  draft.body = octets;
  return draft;
}

class Envelope {
 public:
  explicit Envelope(const std::string& domain) : domain_(&domain) {}

  [[nodiscard]] std::string complete(std::string address) const {
    return address.empty() || address.find('@') != std::string::npos ? std::move(address) : address + "@" + *domain_;
  }
  // `what` names the list for the error.
  Result<void> add(std::string_view list, const std::string& what) {
    const auto parsed = mail::parse_address_list(list);
    for (const auto& finding : parsed.findings)
      if (!mail::is_obsolete(finding.fault) && finding.fault != mail::ListFault::MissingDomain && finding.fault != mail::ListFault::Semicolon)
        return base::fail(Fault::Permanent, what + ": not a list of addresses: " + text::printable(text::trim(list), 100));
    for (const auto* mailbox : parsed.mailboxes()) {
      auto address = complete(mailbox->address);
      if (!address.empty() && seen_.insert(address).second) recipients_.push_back(std::move(address));
    }
    return {};
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(recipients_); }

 private:
  const std::string* domain_;
  std::vector<std::string> recipients_;  // in their order, each once
  std::set<std::string> seen_;
};

// RFC 5322 section 3.6.6: of a resent message the fields of the first block count; it ends where one of them comes again.
Result<void> add_recipients_of(const Draft& draft, Envelope& envelope) {
  const bool is_resent = draft.is_resent();
  std::set<std::string> in_block;
  for (const auto& field : draft.fields) {
    auto name = field.name;
    if (is_resent) {
      if (!text::starts_with_ignoring_case(name, kResent)) continue;
      if (!in_block.insert(text::to_lower(name)).second) return {};
      name.remove_prefix(kResent.size());
    }
    if (!is_one_of(name, kRecipientFields)) continue;
    if (const auto added = envelope.add(field.body, std::string(field.name)); !added) return added;
  }
  return {};
}

std::string from_body(const Submission& submission, const std::string& address) {
  if (submission.author.full_name.empty()) return address;
  return mail::encode_phrase(submission.author.full_name) + " <" + address + ">";
}

// What RFC 5322 section 3.6 asks for and the text lacks. Of a resent message these are the Resent- fields.
std::string missing_fields(const Draft& draft, const Submission& submission, const std::string& sender) {
  const std::string prefix(draft.is_resent() ? kResent : "");
  std::string out;
  const auto add = [&](const std::string& name, const std::string& body) {
    if (!draft.has(prefix + name)) out += prefix + name + ": " + body + "\r\n";
  };
  std::string date;
  mail::append_date_time(date, submission.time, mail::Zone::Local);
  const std::string own = submission.author.user + "@" + submission.domain;
  add("From", from_body(submission, sender.empty() ? own : sender));
  add("Date", date);
  add("Message-ID", "<" + queue::Id::make(submission.time).string() + "@" + submission.domain + ">");
  return out;
}

Result<base::Blob> compose(const Draft& draft, const Submission& submission, const std::string& sender, const base::BlobWriter::Limits& limits) {
  base::BlobWriter out(limits);
  std::string head;
  mail::append_received(head, {.helo = {}, .client_host = {}, .client_ip = {}, .by = submission.domain, .protocol = "local", .id = {}, .recipient = {}, .tls = {}, .time = submission.time});
  if (const auto appended = out.append(head); !appended) return std::unexpected(appended.error());
  char last = '\n';
  for (const auto& field : draft.fields) {
    if (is_one_of(field.name, kDropped)) continue;
    if (const auto appended = mail::append_with_crlf(out, field.whole, last); !appended) return std::unexpected(appended.error());
  }
  if (const auto appended = mail::append_with_crlf(out, (last == '\n' ? "" : "\n") + missing_fields(draft, submission, sender) + "\n", last); !appended)
    return std::unexpected(appended.error());
  if (const auto appended = mail::append_with_crlf(out, draft.body, last); !appended) return std::unexpected(appended.error());
  if (last != '\n')
    if (const auto appended = mail::append_with_crlf(out, "\n", last); !appended) return std::unexpected(appended.error());
  return out.finish();
}

}  // namespace

Author current_author(const std::string& passwd) {
  Author author;
  const std::string uid = std::to_string(::getuid());
  const auto lines = base::read_file(passwd, 64 << 20);
  for (const auto line : text::split(lines ? std::string_view(*lines) : std::string_view(), '\n')) {
    const auto fields = text::split(line, ':');
    if (fields.size() < 7 || fields[2] != uid) continue;
    author.user = fields[0];
    author.full_name = text::split(fields[4], ',').front();  // the first of the fields of GECOS
    return author;
  }
  const char* name = std::getenv("LOGNAME");
  author.user = name != nullptr && *name != '\0' ? name : "uid" + uid;
  return author;
}

Result<Submitted> submit(std::string_view octets, const Submission& submission, const base::BlobWriter::Limits& limits) {
  const Draft draft = parse(submission.ends_at_dot ? up_to_dot(octets) : octets);
  Envelope envelope(submission.domain);
  for (const auto& argument : submission.recipients)
    if (const auto added = envelope.add(argument, "recipient"); !added) return std::unexpected(added.error());
  if (submission.reads_recipients)
    if (const auto added = add_recipients_of(draft, envelope); !added) return std::unexpected(added.error());

  Submitted submitted;
  submitted.envelope.recipients = envelope.take();
  if (submitted.envelope.recipients.empty()) return base::fail(Fault::Usage, "no recipients (see --help)");
  submitted.envelope.reverse_path = envelope.complete(submission.sender.value_or(submission.author.user));
  auto message = compose(draft, submission, submitted.envelope.reverse_path, limits);
  if (!message) return std::unexpected(message.error());
  submitted.message = std::move(*message);
  return submitted;
}
