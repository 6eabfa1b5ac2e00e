#include "lib/chain/delivery_call.h"

#include <algorithm>
#include <array>
#include <optional>

#include "lib/base/text.h"

namespace chain {
namespace {

using Class = Outcome::Class;

struct OverallRow {
  Class result;
  char letter;         // of the overall report
  Delivery recipient;  // what it means for a recipient that has no other
};
constexpr auto kOverall = std::to_array<OverallRow>({
    {Class::Taken, 'K', Delivery::Accepted},
    {Class::Temporary, 'Z', Delivery::Deferred},
    {Class::Permanent, 'D', Delivery::Rejected},
});

const OverallRow& row_of(Class result) {
  return *std::ranges::find(kOverall, result, &OverallRow::result);
}

struct LetterRow {
  char letter;
  Delivery delivery;
  Reach reach;
};
constexpr auto kLetters = std::to_array<LetterRow>({
    {'r', Delivery::Accepted, Reach::Unsaid},
    {'m', Delivery::Accepted, Reach::Mailbox},
    {'l', Delivery::Accepted, Reach::Relayed},
    {'n', Delivery::Accepted, Reach::Promised},
    {'h', Delivery::Rejected, Reach::Unsaid},
    {'s', Delivery::Deferred, Reach::Unsaid},
});
// nullptr: no letter of a recipient.
const LetterRow* recipient_row(char letter) {
  const auto row = std::ranges::find(kLetters, letter, &LetterRow::letter);
  return row == kLetters.end() ? nullptr : &*row;
}
char letter_of(const DeliveryReport::Recipient& recipient) {
  return recipient.delivery == Delivery::Accepted ? static_cast<char>(recipient.reach) : static_cast<char>(recipient.delivery);
}

void append(std::string& out, char letter, std::string_view text) {
  out += letter;
  for (const char c : text) out += c == '\0' ? ' ' : c;
  out += '\0';
}

std::string_view without_last_line_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

// What the recipients reported for have stays; the others, and the message as a whole, are deferred because of `mistake`.
DeliveryReport unsound(std::vector<DeliveryReport::Recipient> said, std::size_t recipients, const std::string& mistake) {
  DeliveryReport report;
  report.is_overall_only = said.empty();
  report.recipients = std::move(said);
  // Without a sound overall report an accepted recipient has not been delivered: only refusals stand.
  for (auto& recipient : report.recipients)
    if (recipient.delivery == Delivery::Accepted) recipient = {Delivery::Deferred, mistake};
  report.recipients.resize(recipients, {Delivery::Deferred, mistake});
  report.overall = Class::Temporary;
  report.text = mistake;
  return report;
}

}  // namespace

base::Result<DeliveryCall> parse_delivery_call(const Words& arguments) {
  if (arguments.size() < 3) return base::fail(base::Fault::Usage, "expected: HOST SENDER RECIPIENT...");
  return DeliveryCall{arguments[0], arguments[1], {arguments.begin() + 2, arguments.end()}};
}

Words to_arguments(const DeliveryCall& call) {
  Words arguments = {call.host, call.sender};
  arguments.insert(arguments.end(), call.recipients.begin(), call.recipients.end());
  return arguments;
}

Delivery DeliveryReport::final(std::size_t recipient) const {
  const Delivery own = recipients[recipient].delivery;
  return own == Delivery::Accepted ? row_of(overall).recipient : own;
}

const std::string& DeliveryReport::final_text(std::size_t recipient) const {
  const Recipient& own = recipients[recipient];
  // qmail-remote(8) says nothing with its r; LMTP has words for each.
  const bool explains_itself = own.delivery != Delivery::Accepted || (overall == Class::Taken && (text.empty() || !own.text.empty()));
  return explains_itself ? own.text : text;
}

DeliveryReport DeliveryReport::for_all(std::size_t recipients, Outcome::Class result, std::string_view text) {
  DeliveryReport report;
  report.recipients.assign(recipients, {row_of(result).recipient, std::string(text)});
  report.overall = result;
  report.text = text;
  report.is_overall_only = result != Class::Taken;
  return report;
}

std::string to_octets(const DeliveryReport& report) {
  std::string octets;
  if (!report.is_overall_only)
    for (const auto& recipient : report.recipients) append(octets, letter_of(recipient), recipient.text);
  append(octets, row_of(report.overall).letter, report.text);
  return octets;
}

DeliveryReport parse_delivery_report(std::string_view octets, std::size_t recipients) {
  std::vector<DeliveryReport::Recipient> said;
  while (!octets.empty()) {
    const auto end = octets.find('\0');
    if (end == std::string_view::npos) return unsound(std::move(said), recipients, "delivery report: ends without NUL");
    const auto entry = octets.substr(0, end);
    octets.remove_prefix(end + 1);
    if (entry.empty()) return unsound(std::move(said), recipients, "delivery report: an empty entry");
    const auto text = without_last_line_end(entry.substr(1));
    if (const auto* row = recipient_row(entry.front()); row != nullptr) {
      if (said.size() == recipients) return unsound(std::move(said), recipients, "delivery report: more recipients than asked for");
      said.push_back({row->delivery, std::string(text), row->reach});
      continue;
    }
    const auto overall = std::ranges::find(kOverall, entry.front(), &OverallRow::letter);
    if (overall == kOverall.end())
      return unsound(std::move(said), recipients, "delivery report: unknown letter '" + base::text::printable(entry, 20) + "'");
    if (!octets.empty()) return unsound(std::move(said), recipients, "delivery report: goes on behind its end");
    if (said.empty() && recipients > 0) return DeliveryReport::for_all(recipients, overall->result, text);
    // qmail-remote says Z when the connection dies between the replies to RCPT: that holds for those not yet asked.
    if (said.size() < recipients && overall->result == Class::Temporary) said.resize(recipients, {Delivery::Deferred, std::string(text)});
    if (said.size() < recipients) return unsound(std::move(said), recipients, "delivery report: fewer recipients than asked for");
    return {std::move(said), overall->result, std::string(text)};
  }
  return unsound(std::move(said), recipients, "delivery report: ends without K, Z or D");
}

DeliveryReport read_delivery(const Outcome& outcome, std::size_t recipients) {
  if (outcome.result == Class::Taken) return parse_delivery_report(outcome.report, recipients);
  return DeliveryReport::for_all(recipients, Class::Temporary, outcome.cause);
}

Answer to_answer(const DeliveryReport& report) {
  Answer answer;
  answer.report = to_octets(report);
  return answer;
}

}  // namespace chain
