#include "deliver-pipe/end.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/mail/relay_sections.h"

namespace pipe_delivery {
namespace {

using chain::Delivery;
namespace text = base::text;

constexpr std::size_t kOutputOctets = 400;  // in a reply

struct Row {
  int code;
  std::string_view status;  // RFC 3463
  std::string_view meaning;
};
// What is in neither list, and a signal, is temporary: mail is kept.
constexpr auto kRows = std::to_array<Row>({
    {0, "2.0.0", "delivered to command"},
    {64, "5.3.0", "command line usage error"},
    {65, "5.6.0", "data format error"},
    {66, "5.3.0", "cannot open input"},
    {67, "5.1.1", "user unknown"},
    {68, "5.1.2", "host name unknown"},
    {69, "5.3.0", "service unavailable"},
    {70, "5.3.0", "internal software error"},
    {71, "4.3.0", "system resource problem"},
    {72, "5.3.0", "critical system file missing"},
    {73, "5.2.0", "cannot create user output file"},
    {74, "5.3.0", "input/output error"},
    {75, "4.3.0", "temporary failure"},
    {76, "5.5.0", "remote error in protocol"},
    {77, "5.7.0", "permission denied"},
    {78, "5.3.5", "local configuration error"},
    {99, "2.0.0", "delivered to command"},
    {100, "5.3.0", "command failed for good"},
    {111, "4.3.0", "command failed for now"},
    {112, "5.3.0", "command failed for good"},
    {127, "4.3.0", "command not found"},
});

std::string reply_of(std::string_view status, std::string_view words) {
  const std::string_view code = status.front() == '2' ? "250 " : status.front() == '5' ? "550 " : "451 ";
  return std::string(code).append(status).append(" ").append(words);
}

Delivery delivery_of(char status_class) { return status_class == '2' ? Delivery::Accepted : status_class == '5' ? Delivery::Rejected : Delivery::Deferred; }

std::string first_line(std::string_view output) {
  while (!output.empty() && (text::is_space(output.front()) || output.front() == '\n' || output.front() == '\r')) output.remove_prefix(1);
  auto line = output.substr(0, output.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return text::printable(text::trim(line), kOutputOctets);
}

}  // namespace

Result result_of(const chain::CommandEnd& end, std::string_view command) {
  const std::string said = first_line(end.output.empty() ? end.errors : end.output);
  if (end.signal) {
    const std::string words = std::string(command) + " was killed by signal " + std::to_string(*end.signal);
    return {Delivery::Deferred, reply_of("4.3.0", said.empty() ? words : words + ": " + said)};
  }
  const int code = end.code.value_or(-1);
  const auto row = std::ranges::find(kRows, code, &Row::code);
  const std::string_view status = row != kRows.end() ? row->status : "4.3.0";
  if (status.front() == '2') return {Delivery::Accepted, reply_of(status, std::string(row->meaning) + " " + std::string(command))};
  // "5.7.1 no" of the command itself, as of Postfix's pipe(8).
  if (const auto own = mail::refusal_of(said); !own.empty() && !text::is_digit(said.size() > 1 ? said[1] : '0')) return {delivery_of(own.front()), own};
  std::string words = row != kRows.end() ? std::string(row->meaning) : "command ended with exit code " + std::to_string(code);
  if (!said.empty()) words += ": " + said;
  return {delivery_of(status.front()), reply_of(status, words)};
}

Result timed_out(std::string_view command, std::uint64_t seconds) {
  return {Delivery::Deferred, reply_of("4.3.0", std::string(command) + " took longer than " + std::to_string(seconds) + " s and was killed")};
}

}  // namespace pipe_delivery
