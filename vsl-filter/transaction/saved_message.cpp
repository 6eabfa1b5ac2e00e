#include "vsl-filter/transaction/saved_message.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mail/date.h"
#include "lib/mail/header.h"
#include "lib/mail/mailbox_list.h"
#include "vsl-filter/api/ip.h"

namespace rules {
namespace {

using base::text::trim;

constexpr std::size_t kMostRecipients = 1000;

std::vector<std::string> addresses_in(const HeaderList& header, std::string_view name) {
  std::vector<std::string> addresses;
  for (const auto body : header.bodies(name)) {
    const auto list = mail::parse_address_list(body, kMostRecipients);
    for (const auto* mailbox : list.mailboxes()) addresses.push_back(mailbox->address);
  }
  return addresses;
}

// <ann@example.org>, as final delivery writes it; the brackets may be missing.
std::string path_of(std::string_view body) {
  const std::string unfolded = mail::unfold(body);
  std::string_view path = trim(unfolded);
  if (path.starts_with('<') && path.ends_with('>')) path = path.substr(1, path.size() - 2);
  return std::string(path);
}

std::optional<std::string> reverse_path_of(const HeaderList& header, std::string_view separator) {
  if (const auto paths = header.bodies("Return-Path"); !paths.empty()) return path_of(paths.front());
  if (!separator.empty()) {
    const auto sender = separator.substr(5, separator.find(' ', 5) - 5);
    if (sender.find('@') != std::string_view::npos) return std::string(sender);
  }
  for (const auto name : {"Sender", "From"})
    if (auto addresses = addresses_in(header, name); !addresses.empty()) return std::move(addresses.front());
  return std::nullopt;
}

std::vector<std::string> recipients_of(const HeaderList& header) {
  std::vector<std::string> recipients;
  const auto add = [&](std::string address) {
    const bool is_new = std::ranges::find(recipients, address) == recipients.end();
    if (!address.empty() && is_new && recipients.size() < kMostRecipients) recipients.push_back(std::move(address));
  };
  for (const auto name : {"Delivered-To", "X-Original-To", "Envelope-To"}) {
    for (const auto body : header.bodies(name)) add(path_of(body));
    if (!recipients.empty()) return recipients;
  }
  for (const auto name : {"To", "Cc", "Bcc"})
    for (auto& address : addresses_in(header, name)) add(std::move(address));
  return recipients;
}

// "[192.0.2.1]", "[IPv6:2001:db8::1]" anywhere in the from clause; also "(192.0.2.1)", as some write it.
std::string address_in(std::string_view clause) {
  for (std::size_t at = 0; (at = clause.find_first_of("[(", at)) != std::string_view::npos; ++at) {
    auto inner = clause.substr(at + 1, clause.find_first_of("])", at) - at - 1);
    if (base::text::starts_with_ignoring_case(inner, "IPv6:")) inner.remove_prefix(5);
    if (const auto ip = Ip::parse(inner)) return ip->text();
  }
  return {};
}

// from HELO (NAME [IP]) by ...; DATE
bool read_received(std::string_view body, SavedFacts& facts) {
  const std::string unfolded = mail::unfold(body);
  const std::string_view text = trim(unfolded);
  if (!base::text::starts_with_ignoring_case(text, "from ")) return false;
  const auto clause = text.substr(5, text.find(" by ") - 5);
  facts.client_ip = address_in(clause);
  if (facts.client_ip.empty()) return false;
  facts.helo = trim(clause.substr(0, clause.find(' ')));
  if (const auto date = text.rfind(';'); date != std::string_view::npos)
    if (const auto parsed = mail::parse_date_time(text.substr(date + 1))) facts.time = parsed->time();
  return true;
}

}  // namespace

// "From ann@example.org Fri Nov 21 09:55:06 1997" (RFC 4155).
std::string_view mbox_separator(std::string_view file) {
  if (!file.starts_with("From ")) return {};
  const auto end = file.find('\n');
  return file.substr(0, end == std::string_view::npos ? file.size() : end + 1);
}

SavedFacts facts_of(std::string_view file) {
  const auto separator = mbox_separator(file);
  return facts_of(HeaderList(file.substr(separator.size())), separator);
}

SavedFacts facts_of(const HeaderList& header, std::string_view separator) {
  SavedFacts facts;
  facts.reverse_path = reverse_path_of(header, separator);
  facts.recipients = recipients_of(header);
  for (const auto body : header.bodies("Received"))
    if (read_received(body, facts)) break;
  return facts;
}

}  // namespace rules
