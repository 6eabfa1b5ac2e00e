#include "lib/chain/message_call.h"

#include <algorithm>
#include <array>

namespace chain {
namespace {

constexpr std::size_t kMaxReportOctets = 65536;

struct MeaningRow {
  int exit_code;
  std::string_view meaning;
};
// qmail-queue(8) and qmail.c of notqmail: the codes of the interface. Which class each is in says base::outcome_of().
constexpr auto kMeanings = std::to_array<MeaningRow>({
    {11, "address too long"},
    {31, "refused for good"},
    {51, "out of memory"},
    {52, "timeout"},
    {53, "write error or disk full"},
    {54, "unable to read the message or envelope"},
    {55, "unable to read a configuration file"},
    {56, "unable to make a network connection"},
    {61, "problem with the home directory of the queue"},
    {62, "problem with the queue directory"},
    {63, "problem with a queue file"},
    {64, "problem with a queue file"},
    {65, "problem with a queue file"},
    {66, "problem with a queue file"},
    {71, "refused for now"},
    {72, "timeout of a network connection"},
    {73, "network connection rejected"},
    {74, "network communication failed"},
    {81, "internal bug"},
    {82, "see the report"},
    {91, "envelope format error"},
});
static_assert(std::ranges::is_sorted(kMeanings, {}, &MeaningRow::exit_code), "searched by bisection");

// Nullptr, or what is wrong with the report of a program that ended with this code.
const char* mistake_in(std::string_view report, base::Outcome said) {
  if (report.size() > kMaxReportOctets) return "its report is longer than 64 KB";
  if (report.find('\0') != std::string_view::npos) return "its report has NUL in it";
  if (report.empty()) return said == base::Outcome::AsReported ? "exit code 82 without a report" : nullptr;
  const char letter = report.front();
  if (letter != 'K' && letter != 'Z' && letter != 'D') return "its report does not begin with K, Z or D";
  if (said == base::Outcome::AsReported && letter == 'K') return "exit code 82, but its report says K";
  if (said == base::Outcome::Taken && letter != 'K') return "exit code 0, but its report says Z or D";
  return nullptr;
}

std::string_view without_last_line_end(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

std::string describe(int exit_code) {
  const auto meaning = meaning_of(exit_code);
  std::string text = "exit code " + std::to_string(exit_code);
  if (!meaning.empty()) text += " (" + std::string(meaning) + ")";
  return text;
}

}  // namespace

Link first_link(WordsView words) {
  const auto dashes = std::ranges::find(words, "--");
  const auto length = static_cast<std::size_t>(dashes - words.begin());
  Link link{words.first(length), {}};
  if (length == words.size()) return link;
  link.rest = words.subspan(length + 1);
  if (link.rest.empty()) link.program = {};  // a "--" with nothing behind it
  return link;
}

Answer Answer::taken(std::string text) {
  Answer answer;
  answer.report = "K" + std::move(text);
  return answer;
}

Answer Answer::as_reported(base::Fault fault, std::string text) {
  Answer answer;
  answer.exit_code = base::kExitAsReported;
  answer.report = (fault == base::Fault::Permanent ? "D" : "Z") + std::move(text);
  return answer;
}

Answer Answer::exit(int code) {
  Answer answer;
  answer.exit_code = code;
  return answer;
}

Answer Answer::pass() {
  Answer answer;
  answer.passes = true;
  return answer;
}

std::string_view meaning_of(int exit_code) {
  const auto row = std::ranges::lower_bound(kMeanings, exit_code, {}, &MeaningRow::exit_code);
  return row != kMeanings.end() && row->exit_code == exit_code ? row->meaning : std::string_view();
}

Outcome read_outcome(int exit_code, std::string report) {
  using Class = Outcome::Class;
  const auto said = base::outcome_of(exit_code);
  Outcome outcome;
  outcome.exit_code = exit_code;
  outcome.report = std::move(report);
  if (const char* mistake = mistake_in(outcome.report, said)) {
    outcome.cause = mistake;
    return outcome;
  }
  switch (said) {
    case base::Outcome::Taken: outcome.result = Class::Taken; break;
    case base::Outcome::Permanent: outcome.result = Class::Permanent; break;
    case base::Outcome::Temporary: outcome.result = Class::Temporary; break;
    case base::Outcome::AsReported: outcome.result = outcome.report.front() == 'D' ? Class::Permanent : Class::Temporary; break;
  }
  if (said == base::Outcome::Temporary || said == base::Outcome::Permanent) outcome.cause = describe(exit_code);
  const bool is_said_for_client = said == base::Outcome::Taken || said == base::Outcome::AsReported;
  if (is_said_for_client && !outcome.report.empty()) outcome.reply = without_last_line_end(std::string_view(outcome.report).substr(1));
  return outcome;
}

}  // namespace chain
