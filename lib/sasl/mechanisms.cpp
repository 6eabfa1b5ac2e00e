#include "lib/sasl/mechanisms.h"

#include <array>

#include "lib/base/text.h"
#include "lib/sasl/crypto.h"

namespace sasl {
namespace {

constexpr auto kMechanisms = std::to_array<Mechanism>({
    // name                what it asks             in clear  bound  by certificate
    {"PLAIN",              Question::Kind::Password, true,  false, false, start_plain},               // RFC 4616
    {"LOGIN",              Question::Kind::Password, true,  false, false, start_login},               // draft-murchison-sasl-login
    {"CRAM-MD5",           Question::Kind::Digest,   false, false, false, start_cram_md5},            // RFC 2195
    {"SCRAM-SHA-256",      Question::Kind::Keys,     false, false, false, start_scram_sha_256},       // RFC 5802, RFC 7677
    {"SCRAM-SHA-256-PLUS", Question::Kind::Keys,     false, true,  false, start_scram_sha_256_plus},
    {"XOAUTH2",            Question::Kind::Token,    true,  false, false, start_xoauth2},             // developers.google.com/gmail/imap/xoauth2-protocol
    {"OAUTHBEARER",        Question::Kind::Token,    true,  false, false, start_oauthbearer},         // RFC 7628
    {"EXTERNAL",           Question::Kind::Identity, false, false, true,  start_external},            // RFC 4422 appendix A
    {"ANONYMOUS",          Question::Kind::Trace,    false, false, false, start_anonymous},           // RFC 4505
});

}  // namespace

std::span<const Mechanism> all_mechanisms() { return kMechanisms; }

const Mechanism* find_mechanism(std::string_view name) {
  for (const auto& mechanism : kMechanisms)
    if (base::text::equal_ignoring_case(mechanism.name, name)) return &mechanism;
  return nullptr;
}

Question::~Question() { wipe(secret); }

Move Exchange::take_keys(ScramKeys) { return {}; }

Move Exchange::ask(Question::Kind kind) {
  question_.kind = kind;
  return {Move::Kind::Ask};
}

}  // namespace sasl
