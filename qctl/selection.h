// Which messages a command means: what the options say, the same for looking and for changing.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/command_line.h"
#include "qctl/entry.h"

namespace qctl {

// `pattern` is the text, or has * for any number of octets and ? for one. Case is ignored.
bool matches_pattern(std::string_view pattern, std::string_view text);

// All criteria that are given must hold; of a criterion that is given several times, one.
struct Selection {
  std::vector<std::string> queues;      // "quarantine" is all of them, and behind "quarantine/" may be a pattern
  std::vector<std::string> senders;     // patterns; "<>" is the null reverse-path
  std::vector<std::string> recipients;  // patterns
  std::vector<std::string> domains;     // patterns for the domains of recipients
  std::optional<std::chrono::milliseconds> older, newer;
  std::optional<std::uint64_t> larger, smaller;  // octets
  std::vector<std::string> reasons;     // patterns that the last reply has somewhere in it
  std::vector<std::string> rules;       // patterns for the rule that has set the message aside
  std::optional<std::uint64_t> attempts;  // at least so many that did not deliver
  // A field of the header with `pattern` somewhere in its value, encoded words decoded.
  struct Header {
    std::string name, pattern;
  };
  std::vector<Header> headers;

  // Fault::Usage unless each names a queue, or is "quarantine".
  [[nodiscard]] static base::Result<void> check_queues(const std::vector<std::string>& queues);
  // The options of this command line that choose messages.
  [[nodiscard]] static base::Result<Selection> of(const base::CommandLine& command_line);

  [[nodiscard]] bool has_criteria() const;
  [[nodiscard]] bool takes(const queue::Place& place) const;
  // Whether it can be taken, as far as can be said without reading it.
  [[nodiscard]] bool may_take(const queue::Listed& listed, base::WallTime now) const;
  [[nodiscard]] bool may_take(const mail::Envelope& envelope) const;  // whatever became of its recipients
  [[nodiscard]] bool may_take(const queue::Brief& brief, base::WallTime now) const;
  [[nodiscard]] bool takes(const Entry& entry, base::WallTime now) const;
  // Whether what the catalog says of a message is all that is asked for.
  [[nodiscard]] bool is_settled_by_brief() const { return rules.empty() && headers.empty(); }
  // The rest of the question, for those that the envelope alone does not rule out.
  [[nodiscard]] bool wants_header() const { return !headers.empty(); }
  [[nodiscard]] bool takes_header(std::string_view message) const;

 private:
  [[nodiscard]] bool takes_recipients(const std::vector<std::string>& addresses) const;
  [[nodiscard]] bool takes_age(base::WallTime::duration age) const;
  [[nodiscard]] bool takes_rule(const Entry& entry) const;
};

}  // namespace qctl
