#include "qctl/selection.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "lib/mail/encoded_word.h"
#include "lib/mail/field_scan.h"
#include "lib/mail/header.h"
#include "qctl/quarantine_facts.h"

namespace qctl {
namespace {
using base::text::lower;
constexpr std::string_view kAllQuarantines = "quarantine";
constexpr std::string_view kInQuarantines = "quarantine/";

bool matches_one(const std::vector<std::string>& patterns, std::string_view text) {
  return patterns.empty() || std::ranges::any_of(patterns, [&](const auto& pattern) { return matches_pattern(pattern, text); });
}

bool matches_sender(const std::vector<std::string>& patterns, std::string_view reverse_path) {
  return matches_one(patterns, reverse_path.empty() ? "<>" : reverse_path);
}

// "quarantine/virus/*"; what else may stand there is looked at nowhere: no folder has such a name.
bool is_pattern_of_quarantines(std::string_view name) { return name.starts_with(kInQuarantines) && name.find_first_of("*?") != std::string_view::npos; }

// "<a@example.org>" is how logs write it.
std::vector<std::string> without_brackets(std::vector<std::string> addresses) {
  for (auto& address : addresses)
    if (address.size() > 2 && address.starts_with('<') && address.ends_with('>')) address = address.substr(1, address.size() - 2);
  return addresses;
}

base::Result<std::optional<std::uint64_t>> number_of(const base::CommandLine& command_line, std::string_view option,
                                                     std::optional<std::uint64_t> (*parse)(std::string_view), std::string_view expected) {
  if (!command_line.has(option)) return std::nullopt;
  const auto number = parse(command_line.text(option));
  if (number) return number;
  return base::fail(base::Fault::Usage, "--" + std::string(option) + ": '" + base::text::printable(command_line.text(option)) +
                                            "'; expected: " + std::string(expected));
}

// "Subject: hello" as --header has it.
base::Result<Selection::Header> header_of(const std::string& text) {
  const auto [name, pattern] = base::text::split_once(text, ':');
  if (mail::is_field_name(base::text::trim(name)) && text.contains(':')) return Selection::Header{std::string(base::text::trim(name)), std::string(base::text::trim(pattern))};
  return base::fail(base::Fault::Usage, "--header: '" + base::text::printable(text) + "'; expected: a field as it stands in a header, such as 'Subject: *invoice*'");
}

bool has_field(std::string_view message, const Selection::Header& wanted) {
  mail::FieldScanner scanner(message);
  while (const auto field = scanner.next())
    if (base::text::equal_ignoring_case(field->name, wanted.name) &&
        matches_pattern("*" + wanted.pattern + "*", mail::decode_unstructured(field->octets.substr(field->body))))
      return true;
  return false;
}

// What may have anything around it.
bool contains_one(const std::vector<std::string>& patterns, std::string_view text) {
  return patterns.empty() || std::ranges::any_of(patterns, [&](const auto& pattern) { return matches_pattern("*" + pattern + "*", text); });
}

std::optional<std::chrono::milliseconds> as_duration(std::optional<std::uint64_t> milliseconds) {
  constexpr std::uint64_t kMost = 100ULL * 365 * 86'400'000;  // counted in nanoseconds it still fits 64 bits
  if (!milliseconds) return std::nullopt;
  return std::chrono::milliseconds(std::min(*milliseconds, kMost));
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  // Where the last * was, to come back to with one octet more under it.
  std::size_t p = 0, t = 0, star = std::string_view::npos, under_star = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      under_star = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || lower(pattern[p]) == lower(text[t]))) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++under_star;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

base::Result<Selection> Selection::of(const base::CommandLine& command_line) {
  constexpr std::string_view kDuration = "a duration, such as 30s, 5m, 2h, 3d";
  constexpr std::string_view kOctets = "a number of octets, such as 200k or 5m";
  const auto older = number_of(command_line, "older", base::text::parse_duration_milliseconds, kDuration);
  if (!older) return std::unexpected(older.error());
  const auto newer = number_of(command_line, "newer", base::text::parse_duration_milliseconds, kDuration);
  if (!newer) return std::unexpected(newer.error());
  const auto larger = number_of(command_line, "larger", base::text::parse_octets, kOctets);
  if (!larger) return std::unexpected(larger.error());
  const auto attempts = number_of(command_line, "attempts", base::text::parse_number<std::uint64_t>, "a number");
  if (!attempts) return std::unexpected(attempts.error());
  const auto smaller = number_of(command_line, "smaller", base::text::parse_octets, kOctets);
  if (!smaller) return std::unexpected(smaller.error());

  Selection selection;
  selection.queues = command_line.all("queue");
  for (const auto& name : command_line.all("quarantine")) selection.queues.push_back(std::string(kInQuarantines) + name);
  const auto checked = check_queues(selection.queues);
  if (!checked) return std::unexpected(checked.error());
  for (const auto& sender : command_line.all("sender"))
    selection.senders.push_back(sender.empty() || sender == "<>" ? "<>" : without_brackets({sender}).front());
  selection.recipients = without_brackets(command_line.all("recipient"));
  selection.domains = command_line.all("domain");
  selection.older = as_duration(*older);
  selection.newer = as_duration(*newer);
  selection.larger = *larger;
  selection.smaller = *smaller;
  selection.reasons = command_line.all("reason");
  selection.rules = command_line.all("rule");
  selection.attempts = *attempts;
  for (const auto& subject : command_line.all("subject")) selection.headers.push_back({"Subject", subject});
  for (const auto& text : command_line.all("header")) {
    auto header = header_of(text);
    if (!header) return std::unexpected(header.error());
    selection.headers.push_back(std::move(*header));
  }
  return selection;
}

bool Selection::has_criteria() const {
  return !queues.empty() || !senders.empty() || !recipients.empty() || !domains.empty() || older || newer || larger || smaller || !reasons.empty() ||
         !rules.empty() || attempts || !headers.empty();
}

base::Result<void> Selection::check_queues(const std::vector<std::string>& queues) {
  for (const auto& name : queues) {
    if (name == kAllQuarantines || queue::Place::parse(name) || is_pattern_of_quarantines(name)) continue;
    std::string known;
    for (const auto& row : queue::kStates) known += " " + std::string(row.folder) + (row.state == queue::State::Quarantine ? "/NAME" : "");
    return base::fail(base::Fault::Usage, "no queue '" + base::text::printable(name) + "'; expected one of:" + known);
  }
  return {};
}

bool Selection::takes(const queue::Place& place) const {
  return queues.empty() || std::ranges::any_of(queues, [&](std::string_view wanted) {
           return wanted == place.folder() || (place.state == queue::State::Quarantine && (wanted == kAllQuarantines || (is_pattern_of_quarantines(wanted) && matches_pattern(wanted, place.folder()))));
         });
}

bool Selection::takes_age(base::WallTime::duration age) const { return (!older || age > *older) && (!newer || age < *newer); }

bool Selection::may_take(const queue::Listed& listed, base::WallTime now) const {
  // The item is a little larger than the message in it.
  return takes(listed.place) && takes_age(now - listed.arrived) && (!larger || listed.octets > *larger);
}

bool Selection::may_take(const mail::Envelope& envelope) const {
  return matches_sender(senders, envelope.reverse_path) && takes_recipients(envelope.recipients);
}

bool Selection::may_take(const queue::Brief& brief, base::WallTime now) const {
  const auto octets = brief.message_octets;
  return takes(brief.listed.place) && takes_age(now - brief.listed.arrived) && (!larger || octets > *larger) && (!smaller || octets < *smaller) &&
         (!attempts || brief.attempts >= *attempts) && matches_sender(senders, brief.text.sender) && takes_recipients(brief.text.recipients) &&
         contains_one(reasons, brief.text.reason);
}

bool Selection::takes_recipients(const std::vector<std::string>& addresses) const {
  const auto has_recipient = [&](const auto& matches) { return std::ranges::any_of(addresses, matches); };
  return (recipients.empty() || has_recipient([&](const auto& recipient) { return matches_one(recipients, recipient); })) &&
         (domains.empty() || has_recipient([&](const auto& recipient) { return matches_one(domains, mail::split_address(recipient).second); }));
}

bool Selection::takes(const Entry& entry, base::WallTime now) const {
  return takes(entry.place) && matches_sender(senders, entry.reverse_path) && takes_recipients(entry.recipients) &&
         takes_age(now - entry.arrived) && (!larger || entry.octets > *larger) && (!smaller || entry.octets < *smaller) && (!attempts || entry.attempts >= *attempts) &&
         contains_one(reasons, entry.reason) && takes_rule(entry);
}

bool Selection::takes_rule(const Entry& entry) const {
  if (rules.empty()) return true;
  const auto facts = quarantine_facts(entry.context);
  return facts && matches_one(rules, facts->rule);
}

bool Selection::takes_header(std::string_view message) const {
  // Of each name one pattern must match; several fields of it may be there.
  return std::ranges::all_of(headers, [&](const Header& of) {
    return std::ranges::any_of(headers, [&](const Header& wanted) {
      return base::text::equal_ignoring_case(of.name, wanted.name) && has_field(message, wanted);
    });
  });
}

}  // namespace qctl
