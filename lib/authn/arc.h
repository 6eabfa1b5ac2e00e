// ARC: what each host on the way found out about a message, sealed in a chain. RFC 8617. On its way to historic; here as long as
// others send it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/authn/dkim.h"

namespace authn::arc {

enum class Result : std::uint8_t { None, Pass, Fail, TempError };  // TempError: DNS did not say; "fail" in cv= and in a header
[[nodiscard]] std::string_view word(Result result);                // "none", "pass", "fail"

inline constexpr unsigned kMostInstances = 50;  // section 4.2.1

// One instance: three fields with the same i=.
struct Set {
  unsigned instance = 0;
  std::string domain;                  // d= of its seal
  std::string selector;
  std::string authentication_results;  // behind its i=
};

struct Outcome {
  Result result = Result::None;
  std::string reason;        // of Fail and TempError
  std::vector<Set> sets;     // of a chain whose structure is sound, i=1 first
  unsigned oldest_pass = 0;  // the lowest i= whose message signature still holds; 0: it is the first one (section 5.2)
  unsigned instances = 0;    // the highest i= that was found
  bool is_given_up = false;  // the newest seal itself says cv=fail
};

// Section 5.2. The limits on keys are DKIM's.
[[nodiscard]] Outcome verify(const mail::Message& message, const LookUp& look_up, const dkim::VerifyOptions& options = {});

struct SealOptions {
  std::string domain = {};
  std::string selector = {};
  std::string authentication_results = {};  // what we found, as behind "Authentication-Results:"
  std::vector<std::string> headers = {};    // of the message signature; empty: those of dkim::sign()
  std::uint64_t now = 0;
};
// Section 5.1: the three fields of the next instance, each with its name and CRLF, in the order in which they are to stand above
// the message. `chain`: what verify() said of this message. Nothing where the chain is full or was given up: who broke a chain, or
// saw it first, seals that; those behind leave it (section 5.1.2).
[[nodiscard]] base::Result<std::optional<std::string>> seal(const mail::Message& message, const Outcome& chain, const PrivateKey& key, const SealOptions& options);

}  // namespace authn::arc
