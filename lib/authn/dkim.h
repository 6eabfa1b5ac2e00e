// DKIM: verifying and making signatures of a message, RFC 6376 with 8301, 8463 and 8616.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/authn/dkim_key.h"
#include "lib/authn/dkim_signature.h"
#include "lib/authn/look_up.h"
#include "lib/mail/message.h"

namespace authn::dkim {

// RFC 8601 section 2.7.1.
enum class Result : std::uint8_t { None, Pass, Fail, Policy, Neutral, TempError, PermError };
[[nodiscard]] std::string_view word(Result result);  // "permerror"

struct VerifyOptions {
  std::size_t signatures = 5;               // of a message that are looked at, from the top
  unsigned rsa_bits_min = 1024;             // RFC 8301 section 3.2
  unsigned rsa_bits_max = 8192;             // larger ones cost more than they are worth
  bool may_leave_body_unsigned = false;     // l= less than the body: else it is Policy
  std::uint64_t expiry_tolerance_seconds = 100;
  std::uint64_t now = 0;                    // seconds since 1970; 0: the clock's
};

// What became of one signature, in the order of the message.
struct Verdict {
  Result result = Result::Neutral;
  std::string reason;                    // why it is no Pass, for people and for "reason="
  std::optional<Signature> signature;    // nothing: it could not be read
  bool is_testing = false;               // its domain says t=y
  unsigned key_bits = 0;
  std::uint64_t unsigned_octets = 0;     // of the body, beyond l=
};

// Empty: there is no signature.
[[nodiscard]] std::vector<Verdict> verify(const mail::Message& message, const LookUp& look_up, const VerifyOptions& options = {});
// Of a message as a whole: the best of its signatures; None without any.
[[nodiscard]] Result best(std::span<const Verdict> verdicts);

// ---- in steps, for rules that go by themselves

// All keys at the signature's name, in DNS's order. Not Found: the status says why.
struct Keys {
  net::dns::Status status = net::dns::Status::Temporary;
  std::string problem;
  std::vector<KeyRecord> records;
};
[[nodiscard]] Keys look_up_keys(const Signature& signature, const LookUp& look_up);
// `field`: the signature's own, as it stands in the message.
[[nodiscard]] Verdict verify_with(const mail::Message& message, const mail::Field& field, const Signature& signature, const Keys& keys, const VerifyOptions& options = {});

// ---- what ARC does too

// The digest over the fields of `headers` (the last of a name first, one each time it is named; section 5.4.2) and the signature's
// own field without its b=.
[[nodiscard]] Sha256 hash_header(const mail::Message& message, std::span<const std::string> headers, std::string_view signature_field, Canonicalization how);
[[nodiscard]] std::string_view field_text(const mail::Message& message, const mail::Field& field);
// Of a body hash and a header hash, against one key.
[[nodiscard]] Verdict check(const Signature& signature, const BodyHash& body, const Sha256& header, const KeyRecord& key, const VerifyOptions& options);

// ---- making one

struct SignOptions {
  std::string domain = {};
  std::string selector = {};
  std::string identity = {};  // i=; "" leaves it out
  Canonicalization header_form = Canonicalization::Relaxed;
  Canonicalization body_form = Canonicalization::Relaxed;
  std::vector<std::string> headers = {};      // names to sign where the message has them; empty: those of RFC 6376 section 5.4.1
  // Named once more than the message has them, so that none can be added. Empty: From and what readers see, unless `headers` are given.
  std::vector<std::string> oversigned = {};
  std::uint64_t now = 0;                 // t=; 0: the clock's
  std::uint64_t lifetime_seconds = 0;    // x= is that later; 0: there is none
};
// The body of the field, folded with CRLF and a tab: what stands behind "DKIM-Signature:". Permanent where the message has no From.
[[nodiscard]] base::Result<std::string> sign(const mail::Message& message, const PrivateKey& key, const SignOptions& options);
// The same of an ARC-Message-Signature (RFC 8617 section 4.1.2).
[[nodiscard]] base::Result<std::string> sign_for_arc(const mail::Message& message, unsigned instance, const PrivateKey& key, const SignOptions& options);
// "v=1; a=..." folded as the fields above; the last one, b=, may be broken anywhere. `name` is of the field.
struct TagText {
  std::string name;
  std::string value;
};
[[nodiscard]] std::string folded_tags(std::string_view name, std::span<const TagText> tags, std::string_view signature);

}  // namespace authn::dkim
