// Does a message really come from the domain that its From names, and what does that domain want done when not? RFC 9989.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/authn/dmarc_record.h"
#include "lib/authn/look_up.h"
#include "lib/mail/message.h"

namespace authn::dmarc {

// The domains of the addresses in From, as A-labels in lower case, each once. The error says why there is none to evaluate:
// From is missing, there are two, it cannot be read, an address has no domain (sections 4.4, 5.3.1).
[[nodiscard]] std::expected<std::vector<std::string>, std::string> author_domains(const mail::Message& message);

// Section 4.10: records on the way from a domain up to the root. Remembers what it was told: one for a message.
class TreeWalk {
 public:
  explicit TreeWalk(const LookUp& look_up) : look_up_(look_up) {}

  struct Found {
    std::string domain;
    Record record;
  };
  struct Way {
    std::vector<Found> found;               // the longest name first
    std::optional<std::string> failed_at;   // this name could not be asked for; those above it were not
    std::string problem;
    // Section 4.10.2; nothing: it lies behind what failed.
    std::optional<std::string> organisation;
  };
  [[nodiscard]] const Way& walk(const std::string& name);
  // The names that a walk from there asks for, at most eight, without their "_dmarc.".
  [[nodiscard]] static std::vector<std::string> names(std::string_view domain);

 private:
  struct Asked {
    std::optional<Record> record;
    bool has_failed = false;
    std::string problem;
  };
  const Asked& ask(const std::string& domain);

  const LookUp& look_up_;
  std::map<std::string, Asked> asked_;
  std::map<std::string, Way> ways_;
};

enum class Result : std::uint8_t { None, Pass, Fail, TempError, PermError };
[[nodiscard]] std::string_view word(Result result);

// Something that SPF or DKIM found.
struct Identifier {
  enum class State : std::uint8_t { NoPass, Pass, Unknown };  // Unknown: a temporary error
  State state = State::NoPass;
  std::string domain;  // of the reverse-path (of HELO when that is null), of d=
};

struct Question {
  std::string author_domain;
  Identifier spf;
  std::vector<Identifier> dkim;
};

struct Outcome {
  Result result = Result::None;
  std::string reason;                 // of TempError and PermError, and why there is None
  std::string author_domain;
  std::string policy_domain;          // where the record stands; "" when there is none
  std::optional<Record> record;
  bool is_spf_aligned = false;        // and passed
  bool is_dkim_aligned = false;
  Policy published = Policy::None;    // what the record says for this domain: p, sp or np
  Policy policy = Policy::None;       // of a Fail, what the owner wants: one step less under t=y
  [[nodiscard]] bool was_lowered() const { return result == Result::Fail && policy != published; }
};

// Section 5.3 from its second step on.
[[nodiscard]] Outcome evaluate(const Question& question, const LookUp& look_up);

}  // namespace authn::dmarc
