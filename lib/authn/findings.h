// What was found out about one message by all methods, in plain words: what rules see, what is handed from one stage to the next,
// what Authentication-Results says.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/authn/arc.h"
#include "lib/authn/authentication_results.h"
#include "lib/authn/dkim.h"
#include "lib/authn/dmarc.h"
#include "lib/authn/reverse_names.h"
#include "lib/authn/spf.h"

namespace authn {

struct SpfFinding {
  spf::Query query;
  spf::Outcome outcome;
  // Whom it was about: HELO's name when the reverse-path is null.
  [[nodiscard]] bool is_of_helo() const { return query.identity == spf::Identity::Helo || query.sender.empty(); }
  [[nodiscard]] std::string domain() const;
};

struct DkimFinding {
  dkim::Result result = dkim::Result::Neutral;
  std::string reason;
  std::string domain, identity, selector, algorithm;  // "" of a signature that could not be read
  std::string signature;                              // how its b= begins, RFC 6008
  bool is_testing = false;
};
[[nodiscard]] std::vector<DkimFinding> findings_of(std::span<const dkim::Verdict> verdicts);
// Of a message as a whole: the best one. What passes with a key for tests is as good as no signature (RFC 6376 section 3.6.1).
[[nodiscard]] dkim::Result result_of(std::span<const DkimFinding> signatures);
// The one that speaks for the message: the first that passed; nullptr: none did.
[[nodiscard]] const DkimFinding* passing(std::span<const DkimFinding> signatures);

struct DmarcFinding {
  dmarc::Result result = dmarc::Result::None;
  std::string reason;
  std::string author_domain, policy_domain;
  dmarc::Policy policy = dmarc::Policy::None;  // what the owner wants done with a message that fails, and with this one if it does
  bool is_spf_aligned = false, is_dkim_aligned = false, was_lowered = false;
};

struct ArcFinding {
  arc::Result result = arc::Result::None;
  std::string reason;
  unsigned instances = 0, oldest_pass = 0;
  std::vector<std::string> sealers;  // d= of each seal, i=1 first
};

struct Findings {
  std::optional<SpfFinding> spf;
  std::optional<SpfFinding> spf_helo;
  std::optional<iprev::Outcome> iprev;
  std::string client_ip;  // of iprev
  std::optional<std::vector<DkimFinding>> dkim;
  std::optional<DmarcFinding> dmarc;
  std::optional<ArcFinding> arc;
};

// Of the domain in From, by what SPF and DKIM have found; they must have been asked. A message with several domains there is judged
// by the worst of them.
[[nodiscard]] DmarcFinding evaluate_dmarc(const mail::Message& message, const Findings& findings, const LookUp& look_up);
[[nodiscard]] ArcFinding finding_of(const arc::Outcome& outcome);

// For Authentication-Results: a line a method, DKIM's one a signature.
[[nodiscard]] std::vector<MethodResult> method_results(const Findings& findings);

// The members of a message that these methods look at, without its MIME parts: much cheaper than a whole index.
[[nodiscard]] mail::Message index_for_authentication(std::string_view octets);

// ---- as JSON, for state that outlives a process; the reader takes what a later version or a script wrote, too

[[nodiscard]] std::string to_json(const SpfFinding& finding);
[[nodiscard]] std::string to_json(std::span<const DkimFinding> signatures);
[[nodiscard]] std::string to_json(const DmarcFinding& finding);
[[nodiscard]] std::string to_json(const ArcFinding& finding);
[[nodiscard]] std::string to_json(const iprev::Outcome& outcome, std::string_view client_ip);
// {"spf": ..., "dkim": ..., ...}: what there is.
[[nodiscard]] std::string to_json(const Findings& findings);

// `json` is what to_json() wrote of the method "spf", "spf_helo", "dkim", "dmarc", "arc", "iprev"; others are left alone.
void read_finding(Findings& findings, std::string_view method, std::string_view json);

}  // namespace authn
