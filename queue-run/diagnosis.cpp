#include "queue-run/diagnosis.h"

#include <algorithm>
#include <array>
#include <optional>

#include "lib/base/text.h"
#include "queue-run/results.h"

namespace run {
namespace {

namespace text = base::text;

// Progress files have line ends as printable() writes them.
std::string with_line_ends(std::string_view words) {
  std::string lines;
  while (!words.empty()) {
    if (text::consume(words, "\\x0a")) {
      lines += '\n';
    } else if (!text::consume(words, "\\x0d")) {
      lines += words.front();
      words.remove_prefix(1);
    }
  }
  return lines;
}

struct Said {
  std::string_view host;  // "mx.example.org[192.0.2.1]:25"
  std::string_view words;
};

// "HOST said at STAGE: WORDS" or, of our own about a host, "HOST: WORDS", as deliver-remote(8) writes them. Behind HOST may stand by what it
// was verified: " (DANE-EE)".
std::optional<Said> parse_said(std::string_view line) {
  const auto end = line.find_first_of(" ");
  const auto host = line.substr(0, end);
  if (end == std::string_view::npos || host.empty()) return std::nullopt;
  auto rest = line.substr(end + 1);
  if (rest.starts_with('(') && host.contains('[') && !host.ends_with(':')) {
    const auto close = rest.find(')');
    if (close == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(close + 1);
    if (text::consume(rest, ": ")) return Said{host, rest};
    if (!text::consume(rest, " ")) return std::nullopt;
  }
  if (text::consume(rest, "said at ")) {
    const auto colon = rest.find(": ");
    if (colon == std::string_view::npos) return std::nullopt;
    return Said{host, rest.substr(colon + 2)};
  }
  if (!host.ends_with(':') || host.find('[') == std::string_view::npos) return std::nullopt;
  return Said{host.substr(0, host.size() - 1), rest};
}

// The last host that has a word in it, and all that follows.
Said last_said(std::string_view lines) {
  Said last{{}, lines};
  for (std::size_t at = 0; at < lines.size();) {
    const auto end = std::min(lines.find('\n', at), lines.size());
    if (const auto said = parse_said(lines.substr(at, end - at))) {
      const auto begin = static_cast<std::size_t>(said->words.data() - lines.data());
      last = {said->host, lines.substr(begin)};
    }
    at = end + 1;
  }
  return last;
}

// "mx.example.org[192.0.2.1]:25" -> "mx.example.org"; without a name, "[192.0.2.1]".
std::string mta_name(std::string_view host) {
  const auto bracket = host.find('[');
  if (bracket == std::string_view::npos) return std::string(host);
  if (bracket > 0) return std::string(host.substr(0, bracket));
  const auto end = host.find(']');
  return std::string(host.substr(0, end == std::string_view::npos ? end : end + 1));
}

bool is_status(std::string_view word) {
  const auto parts = text::split(word, '.');
  return parts.size() == 3 && parts[0].size() == 1 && std::ranges::all_of(parts, [](std::string_view part) {
    return !part.empty() && part.size() <= 3 && std::ranges::all_of(part, text::is_digit);
  });
}

// A failure that is one because time has run out keeps the status of what went wrong: RFC 3463 section 3.5, X.4.7.
bool is_allowed(char status_class, Outcome outcome, bool has_expired) {
  return status_class == static_cast<char>(outcome) || (outcome == Outcome::Failed && has_expired && status_class == '4');
}

struct Explanation {
  std::string_view detail;  // without the class
  std::string_view words;
};
constexpr auto kExplanations = std::to_array<Explanation>({
    {"1.1", "There is no mailbox of that name there. Is the address spelt right?"},
    {"1.2", "There is no mail domain of that name. Is what stands behind the @ right?"},
    {"1.3", "The address cannot be used in mail. Is it spelt right?"},
    {"1.6", "The mailbox has moved away."},
    {"1.10", "That domain says that it takes no mail."},
    {"2.1", "The mailbox is switched off."},
    {"2.2", "The mailbox is full. The recipient has to make room; try again later."},
    {"2.3", "The message is too large for that mailbox."},
    {"3.4", "The message is too large for the recipient's mail system."},
    {"4.1", "The recipient's mail system did not answer."},
    {"4.2", "The connection to the recipient's mail system broke."},
    {"4.3", "The directory that says where mail for this domain goes did not answer."},
    {"4.4", "No way to the recipient's mail system could be found."},
    {"4.6", "The message went round in a circle: the mail systems on its way are set up wrongly."},
    {"4.7", "The time for its delivery has run out."},
    {"5.3", "There were too many recipients at once for that mail system."},
    {"6.7", "The recipient's mail system does not know addresses with other letters than a to z."},
    {"7.1", "The recipient's mail system does not want this message."},
    {"7.30", "The message was to go encrypted only, and the recipient's mail system cannot do that."},
});

}  // namespace

Diagnosis diagnose(std::string_view octets, Outcome outcome) {
  bool has_expired = text::consume(octets, kGivenUp);
  text::consume(octets, kNotTried);
  const std::string lines = with_line_ends(octets);
  const Said said = last_said(lines);

  Diagnosis diagnosis;
  if (!said.host.empty()) diagnosis.remote_mta = mta_name(said.host);
  diagnosis.reply = said.words;
  std::ranges::replace(diagnosis.reply, '\n', ' ');
  std::string_view rest = diagnosis.reply;
  const auto code = text::consume_digits(rest, 3);
  diagnosis.is_smtp = code && *code >= 200 && *code < 600 && (rest.empty() || rest.front() == ' ');
  const auto word = diagnosis.is_smtp && !rest.empty() ? text::split_once(rest.substr(1), ' ').first : std::string_view();
  if (is_status(word) && is_allowed(word.front(), outcome, has_expired)) {
    diagnosis.status = word;
  } else if (diagnosis.is_smtp && is_allowed(diagnosis.reply.front(), outcome, has_expired)) {
    diagnosis.status = std::string(1, diagnosis.reply.front()) + ".0.0";
  } else {
    diagnosis.status = has_expired ? "4.4.7" : std::string(1, static_cast<char>(outcome)) + ".0.0";
  }
  return diagnosis;
}

std::string_view explanation_of(std::string_view status) {
  const auto detail = status.substr(std::min<std::size_t>(2, status.size()));
  const auto known = std::ranges::find(kExplanations, detail, &Explanation::detail);
  return known == kExplanations.end() ? std::string_view() : known->words;
}

}  // namespace run
