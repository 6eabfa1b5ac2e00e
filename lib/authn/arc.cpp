#include "lib/authn/arc.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <expected>
#include <map>
#include <utility>

#include "lib/authn/tag_list.h"
#include "lib/base/base64.h"
#include "lib/base/text.h"

namespace authn::arc {

namespace text = base::text;

namespace {

constexpr std::string_view kResultsField = "ARC-Authentication-Results";
constexpr std::string_view kMessageField = "ARC-Message-Signature";
constexpr std::string_view kSealField = "ARC-Seal";
constexpr std::array kFields = {kResultsField, kMessageField, kSealField};  // in the order in which a seal covers them
enum Part : std::size_t { kResults, kMessage, kSeal };

using Wrong = std::optional<std::string>;
using Fields = std::array<const mail::Field*, 3>;  // of one instance, by Part

// i= of any of the three; nothing: there is none, or it is out of bounds.
std::optional<unsigned> instance_of(const mail::Field& field) {
  // The first tag of ARC-Authentication-Results; a tag list otherwise.
  std::string_view value;
  if (text::equal_ignoring_case(field.name, kResultsField)) {
    const auto [name, rest] = text::split_once(text::split_once(field.body, ';').first, '=');
    if (trim_folding(name) != "i") return std::nullopt;
    value = trim_folding(rest);
  } else {
    const auto tags = TagList::parse(field.body);
    const auto found = tags ? tags->get("i") : std::nullopt;
    if (!found) return std::nullopt;
    value = *found;
  }
  const auto instance = value.size() <= 2 ? text::parse_number<unsigned>(value) : std::nullopt;
  return instance && *instance >= 1 && *instance <= kMostInstances ? instance : std::nullopt;
}

struct Seal {
  dkim::Signature signature;  // of it only what a key needs
  std::string chain;          // cv=
};

// Section 4.1.3. What a message signature says in h= and bh= must not stand here.
std::expected<Seal, std::string> parse_seal(std::string_view body) {
  const auto tags = TagList::parse(body);
  if (!tags) return std::unexpected(tags.error());
  for (const auto* name : {"a", "b", "cv", "d", "s"})
    if (!tags->has(name)) return std::unexpected(std::string(name) + "= is missing");
  for (const auto* name : {"h", "bh"})
    if (tags->has(name)) return std::unexpected(std::string(name) + "= must not be there");
  // As a signature without fields and body it is read by the rules of DKIM.
  std::string as_signature = "h=none; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  for (const auto* name : {"a", "b", "d", "s", "t"})
    if (const auto value = tags->get(name)) as_signature.append("; ").append(name).append("=").append(*value);
  auto signature = dkim::parse(as_signature, dkim::Kind::ArcMessage);
  if (!signature) return std::unexpected(signature.error());
  return Seal{std::move(*signature), text::to_lower(*tags->get("cv"))};
}

// Section 5.1.1: all sets up to this one in the relaxed form, its own seal without b= and CRLF at the end.
Sha256 digest_of_seal(std::string covered, std::string_view seal) {
  append_field(covered, dkim::without_signature(seal), Canonicalization::Relaxed);
  covered.resize(covered.size() - 2);
  return sha256(covered);
}

class Chain {
 public:
  Chain(const mail::Message& message, const LookUp& look_up, const dkim::VerifyOptions& options) : message_(message), look_up_(look_up), options_(options) {}

  Outcome run() {
    if (auto wrong = collect()) return fail(std::move(*wrong));
    if (outcome_.instances == 0) return outcome_;
    if (auto wrong = read_seals()) return fail(std::move(*wrong));
    if (!check_messages() || !check_seals()) return outcome_;
    outcome_.result = Result::Pass;
    return outcome_;
  }

 private:
  Outcome fail(std::string reason) {
    outcome_.result = Result::Fail;
    outcome_.reason = std::move(reason);
    return outcome_;
  }

  // Step 3 A to C: from 1 on without a hole, each field once.
  Wrong collect() {
    for (const auto& field : message_.fields(message_.root())) {
      const auto part = std::ranges::find_if(kFields, [&](std::string_view name) { return text::equal_ignoring_case(field.name, name); });
      if (part == kFields.end()) continue;
      const auto instance = instance_of(field);
      if (!instance) return std::string(*part) + " without an i= from 1 to 50";
      outcome_.instances = std::max(outcome_.instances, *instance);
      auto& place = fields_[*instance][static_cast<std::size_t>(part - kFields.begin())];
      if (place != nullptr) return std::string(*part) + " i=" + std::to_string(*instance) + " stands there twice";
      place = &field;
    }
    for (unsigned i = 1; i <= outcome_.instances; ++i)
      for (std::size_t part = 0; part < kFields.size(); ++part)
        if (!fields_.contains(i) || fields_[i][part] == nullptr) return std::string(kFields[part]) + " i=" + std::to_string(i) + " is missing";
    return std::nullopt;
  }

  // Steps 2 and 3 D.
  Wrong read_seals() {
    const auto newest = parse_seal(fields_[outcome_.instances][kSeal]->body);
    outcome_.is_given_up = newest && newest->chain == "fail";
    for (unsigned i = 1; i <= outcome_.instances; ++i) {
      auto seal = parse_seal(fields_[i][kSeal]->body);
      if (!seal) return "the seal i=" + std::to_string(i) + ": " + seal.error();
      if (seal->chain != (i == 1 ? "none" : "pass")) return "the seal i=" + std::to_string(i) + " says cv=" + text::printable(seal->chain, 20);
      const std::string_view results = fields_[i][kResults]->body;
      const auto semicolon = results.find(';');
      outcome_.sets.push_back({.instance = i,
                               .domain = seal->signature.domain,
                               .selector = seal->signature.selector,
                               .authentication_results = std::string(semicolon == std::string_view::npos ? std::string_view() : trim_folding(results.substr(semicolon + 1)))});
      seals_.push_back(std::move(seal->signature));
    }
    return std::nullopt;
  }

  // One that has failed for good, or for want of an answer. True: it passes.
  bool take(const dkim::Verdict& verdict, const std::string& what) {
    if (verdict.result == dkim::Result::Pass) return true;
    outcome_.result = verdict.result == dkim::Result::TempError ? Result::TempError : Result::Fail;
    outcome_.reason = what + ": " + verdict.reason;
    return false;
  }

  // Step 4, and how far back the message is as it was.
  bool check_messages() {
    for (unsigned i = outcome_.instances; i >= 1; --i) {
      const mail::Field& field = *fields_[i][kMessage];
      const auto signature = dkim::parse(field.body, dkim::Kind::ArcMessage);
      dkim::Verdict verdict;
      if (signature) {
        auto options = options_;
        options.expiry_tolerance_seconds = 0;
        verdict = dkim::verify_with(message_, field, *signature, dkim::look_up_keys(*signature, look_up_), options);
      } else {
        verdict.result = dkim::Result::PermError;
        verdict.reason = signature.error();
      }
      if (i == outcome_.instances) {
        if (!take(verdict, "the message signature i=" + std::to_string(i))) return false;
      } else if (verdict.result != dkim::Result::Pass) {
        outcome_.oldest_pass = i + 1;
        return true;
      }
    }
    return true;
  }

  // Step 5: the newest first.
  bool check_seals() {
    for (unsigned i = outcome_.instances; i >= 1; --i) {
      const auto& signature = seals_[i - 1];
      const auto what = "the seal i=" + std::to_string(i);
      const auto keys = dkim::look_up_keys(signature, look_up_);
      dkim::Verdict verdict;
      if (keys.records.empty()) {
        const bool is_temporary = keys.status == net::dns::Status::Temporary || keys.status == net::dns::Status::Bogus;
        verdict.result = is_temporary ? dkim::Result::TempError : dkim::Result::PermError;
        verdict.reason = keys.problem.empty() ? "no key at " + signature.key_name() : keys.problem;
      } else {
        BodyHash no_body;
        hash_body({}, {&no_body, 1});
        auto plain = signature;
        plain.body_hash.assign(no_body.digest.begin(), no_body.digest.end());
        for (const auto& key : keys.records) {
          verdict = dkim::check(plain, no_body, seal_digest(i), key, options_);
          if (verdict.result == dkim::Result::Pass) break;
        }
      }
      if (!take(verdict, what)) return false;
    }
    return true;
  }

  Sha256 seal_digest(unsigned instance) {
    std::string covered;
    for (unsigned i = 1; i <= instance; ++i)
      for (const auto* field : fields_[i])
        if (field != fields_[instance][kSeal]) append_field(covered, dkim::field_text(message_, *field), Canonicalization::Relaxed);
    return digest_of_seal(std::move(covered), dkim::field_text(message_, *fields_[instance][kSeal]));
  }

  const mail::Message& message_;
  const LookUp& look_up_;
  const dkim::VerifyOptions& options_;
  std::map<unsigned, Fields> fields_;
  std::vector<dkim::Signature> seals_;
  Outcome outcome_;
};

}  // namespace

std::string_view word(Result result) {
  switch (result) {
    case Result::None: return "none";
    case Result::Pass: return "pass";
    default: return "fail";
  }
}

Outcome verify(const mail::Message& message, const LookUp& look_up, const dkim::VerifyOptions& options) { return Chain(message, look_up, options).run(); }

base::Result<std::optional<std::string>> seal(const mail::Message& message, const Outcome& chain, const PrivateKey& key, const SealOptions& options) {
  if (chain.instances >= kMostInstances || chain.is_given_up) return std::nullopt;
  if (chain.result == Result::TempError) return base::fail(base::Fault::Temporary, "the chain could not be checked: " + chain.reason);
  const unsigned instance = chain.instances + 1;
  const auto field = [](std::string_view name, std::string_view body) { return std::string(name) + ":" + std::string(body) + "\r\n"; };

  const std::string results = field(kResultsField, " i=" + std::to_string(instance) + "; " + std::string(trim_folding(options.authentication_results)));
  const dkim::SignOptions of_message{.domain = options.domain, .selector = options.selector, .headers = options.headers, .now = options.now};
  const auto signature = dkim::sign_for_arc(message, instance, key, of_message);
  if (!signature) return std::unexpected(signature.error());
  const std::string message_signature = field(kMessageField, *signature);

  const auto now = options.now != 0 ? options.now : static_cast<std::uint64_t>(std::time(nullptr));
  const std::vector<dkim::TagText> tags = {
      {"i", std::to_string(instance)}, {"a", key.type() == KeyType::Rsa ? "rsa-sha256" : "ed25519-sha256"}, {"t", std::to_string(now)},
      {"cv", std::string(word(chain.result))}, {"d", text::to_lower(options.domain)}, {"s", options.selector}};
  std::string covered;
  // Of a chain that failed only the own set is sealed.
  if (chain.result == Result::Pass)
    for (unsigned i = 1; i < instance; ++i)
      for (const auto name : kFields)
        for (const auto& each : message.fields(message.root()))
          if (text::equal_ignoring_case(each.name, name) && instance_of(each) == i) append_field(covered, dkim::field_text(message, each), Canonicalization::Relaxed);
  append_field(covered, results, Canonicalization::Relaxed);
  append_field(covered, message_signature, Canonicalization::Relaxed);
  const auto sealed = key.sign(digest_of_seal(std::move(covered), std::string(kSealField) + ":" + dkim::folded_tags(kSealField, tags, "")));
  if (!sealed) return std::unexpected(sealed.error());
  return field(kSealField, dkim::folded_tags(kSealField, tags, *sealed)) + message_signature + results;
}

}  // namespace authn::arc
