#include <algorithm>
#include <array>
#include <ctime>
#include <unordered_map>

#include "lib/authn/dkim.h"
#include "lib/base/text.h"

namespace authn::dkim {

namespace text = base::text;
using net::dns::Status;

namespace {

constexpr std::array<std::string_view, 7> kWords = {"none", "pass", "fail", "policy", "neutral", "temperror", "permerror"};
constexpr std::string_view kField = "DKIM-Signature";

Verdict no_pass(Result result, std::string reason, const Signature* signature = nullptr) {
  Verdict verdict;
  verdict.result = result;
  verdict.reason = std::move(reason);
  if (signature != nullptr) verdict.signature = *signature;
  return verdict;
}

std::uint64_t now_of(const VerifyOptions& options) { return options.now != 0 ? options.now : static_cast<std::uint64_t>(std::time(nullptr)); }

// Section 6.1.1: what needs no key.
std::optional<Verdict> check_times(const Signature& signature, const VerifyOptions& options) {
  if (!signature.has_expired(now_of(options), options.expiry_tolerance_seconds)) return std::nullopt;
  return no_pass(Result::Fail, "the signature has expired", &signature);
}

// Section 6.1.2.
std::optional<Verdict> check_keys(const Signature& signature, const Keys& keys) {
  switch (keys.status) {
    case Status::Temporary:
    case Status::Bogus: return no_pass(Result::TempError, keys.problem, &signature);
    case Status::NoData:
    case Status::NoName: return no_pass(Result::PermError, "no key at " + signature.key_name(), &signature);
    case Status::Found: break;
  }
  if (keys.records.empty()) return no_pass(Result::PermError, "the key at " + signature.key_name() + ": " + keys.problem, &signature);
  return std::nullopt;
}

bool is_same_or_better(Result a, Result b) {
  constexpr std::array<int, 7> kRank = {0, 6, 3, 5, 2, 4, 1};  // by Result
  return kRank[static_cast<std::size_t>(a)] >= kRank[static_cast<std::size_t>(b)];
}

// Section 6.1.2 leaves open which of several records is the key: each is tried.
Verdict check_each(const Signature& signature, const BodyHash& body, const Sha256& header, const Keys& keys, const VerifyOptions& options) {
  std::optional<Verdict> found;
  for (const auto& key : keys.records) {
    auto verdict = check(signature, body, header, key, options);
    if (!found || !is_same_or_better(found->result, verdict.result)) found = std::move(verdict);
    if (found->result == Result::Pass) break;
  }
  return *found;
}

BodyHash wanted_body(const Signature& signature) {
  BodyHash wanted;
  wanted.how = signature.body_form;
  wanted.length = signature.body_length;
  return wanted;
}

}  // namespace

std::string_view word(Result result) { return kWords[static_cast<std::size_t>(result)]; }

Result best(std::span<const Verdict> verdicts) {
  Result best = Result::None;
  for (const auto& verdict : verdicts)
    if (!is_same_or_better(best, verdict.result)) best = verdict.result;
  return best;
}

std::string_view field_text(const mail::Message& message, const mail::Field& field) {
  const char* end = field.body.data() + field.body.size();
  const char* begin = message.octets().data() + field.offset;
  return {begin, static_cast<std::size_t>(end - begin)};
}

Sha256 hash_header(const mail::Message& message, std::span<const std::string> headers, std::string_view signature_field, Canonicalization how) {
  // Where the next field of a name is to be looked for, from the end of the header.
  const auto fields = message.fields(message.root());
  std::unordered_map<std::string, std::vector<std::size_t>> places;  // of each name, in their order; eaten from the back
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (!fields[i].name.empty()) places[text::to_lower(fields[i].name)].push_back(i);
  std::string canonical;
  for (const auto& name : headers) {
    const auto found = places.find(text::to_lower(name));
    if (found == places.end() || found->second.empty()) continue;  // stands for nothing
    append_field(canonical, field_text(message, fields[found->second.back()]), how);
    found->second.pop_back();
  }
  append_field(canonical, without_signature(signature_field), how);
  canonical.resize(canonical.size() - 2);  // its own field goes in without its CRLF
  return sha256(canonical);
}

Keys look_up_keys(const Signature& signature, const LookUp& look_up) {
  const auto answer = look_up(signature.key_name(), net::dns::Type::Txt);
  Keys keys{.status = answer.status, .problem = answer.problem, .records = {}};
  for (const auto& text : answer.texts()) {
    auto record = parse_key(text);
    if (record) {
      keys.records.push_back(std::move(*record));
    } else {
      keys.problem = record.error();
    }
  }
  return keys;
}

Verdict check(const Signature& signature, const BodyHash& body, const Sha256& header, const KeyRecord& record, const VerifyOptions& options) {
  const auto permanent = [&](std::string reason) {
    auto verdict = no_pass(Result::PermError, std::move(reason), &signature);
    verdict.is_testing = record.is_testing;
    return verdict;
  };
  if (record.octets.empty()) return permanent("the key is revoked");
  if (record.type != signature.key_type) return permanent("the key is of another type than a=");
  const auto identity_domain = text::split_once(signature.identity, '@').second;
  if (record.is_strict && signature.has_identity && identity_domain != signature.domain) return permanent("the key is for " + signature.domain + " itself, not for i=" + signature.identity);
  const auto key = PublicKey::parse(record.type, record.octets);
  if (!key) return permanent("the key: " + key.error());
  if (record.type == KeyType::Rsa && (key->bits() < options.rsa_bits_min || key->bits() > options.rsa_bits_max)) {
    auto verdict = permanent("a key of " + std::to_string(key->bits()) + " bits; expected: " + std::to_string(options.rsa_bits_min) + " to " + std::to_string(options.rsa_bits_max));
    verdict.result = Result::Policy;
    verdict.key_bits = key->bits();
    return verdict;
  }

  Verdict verdict;
  verdict.signature = signature;
  verdict.is_testing = record.is_testing;
  verdict.key_bits = key->bits();
  const auto fail = [&](std::string reason) {
    verdict.result = Result::Fail;
    verdict.reason = std::move(reason);
    return verdict;
  };
  if (signature.body_length && *signature.body_length > body.canonical_octets) return fail("l= is more than the body has");
  if (!std::ranges::equal(body.digest, signature.body_hash, [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); })) return fail("the body was changed");
  if (!key->verifies(header, signature.signature)) return fail("the header or the signature was changed");
  verdict.unsigned_octets = signature.body_length ? body.canonical_octets - *signature.body_length : 0;
  verdict.result = Result::Pass;
  if (verdict.unsigned_octets > 0 && !options.may_leave_body_unsigned) {
    verdict.result = Result::Policy;
    verdict.reason = std::to_string(verdict.unsigned_octets) + " octets of the body are not signed";
  }
  return verdict;
}

Verdict verify_with(const mail::Message& message, const mail::Field& field, const Signature& signature, const Keys& keys, const VerifyOptions& options) {
  if (auto verdict = check_times(signature, options)) return *verdict;
  if (auto verdict = check_keys(signature, keys)) return *verdict;
  auto body = wanted_body(signature);
  hash_body(message.body(message.root()), {&body, 1});
  return check_each(signature, body, hash_header(message, signature.headers, field_text(message, field), signature.header_form), keys, options);
}

std::vector<Verdict> verify(const mail::Message& message, const LookUp& look_up, const VerifyOptions& options) {
  struct Pending {
    std::size_t verdict;
    const mail::Field* field;
    Keys keys;
  };
  std::vector<Verdict> verdicts;
  std::vector<Pending> pending;
  std::vector<BodyHash> bodies;
  for (const auto& field : message.fields(message.root())) {
    if (!text::equal_ignoring_case(field.name, kField)) continue;
    if (verdicts.size() == options.signatures) break;
    auto& verdict = verdicts.emplace_back();
    auto signature = parse(field.body);
    if (!signature) {
      verdict = no_pass(Result::PermError, signature.error());
      continue;
    }
    if (auto expired = check_times(*signature, options)) {
      verdict = std::move(*expired);
      continue;
    }
    auto keys = look_up_keys(*signature, look_up);
    if (auto missing = check_keys(*signature, keys)) {
      verdict = std::move(*missing);
      continue;
    }
    bodies.push_back(wanted_body(*signature));
    verdict.signature = std::move(*signature);
    pending.push_back({verdicts.size() - 1, &field, std::move(keys)});
  }
  if (pending.empty()) return verdicts;
  hash_body(message.body(message.root()), bodies);
  for (std::size_t i = 0; i < pending.size(); ++i) {
    const Signature signature = *verdicts[pending[i].verdict].signature;
    const auto header = hash_header(message, signature.headers, field_text(message, *pending[i].field), signature.header_form);
    verdicts[pending[i].verdict] = check_each(signature, bodies[i], header, pending[i].keys, options);
  }
  return verdicts;
}

}  // namespace authn::dkim
