// The mechanisms that a server may offer.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "lib/sasl/exchange.h"

namespace sasl {

struct Mechanism {
  std::string_view name;
  Question::Kind asks;      // what it needs of a verifier
  bool shows_secret;        // who listens learns what is worth a log-in: to be used under TLS only
  bool binds_channel;       // needs one of Facts::bindings
  bool uses_identity;       // needs Facts::identity
  std::unique_ptr<Exchange> (*start)(const Facts& facts);
};

std::span<const Mechanism> all_mechanisms();
// Names are compared without case, as clients write them. nullptr: nobody knows it.
const Mechanism* find_mechanism(std::string_view name);

// Each in a file of its own.
std::unique_ptr<Exchange> start_plain(const Facts& facts);
std::unique_ptr<Exchange> start_login(const Facts& facts);
std::unique_ptr<Exchange> start_cram_md5(const Facts& facts);
std::unique_ptr<Exchange> start_scram_sha_256(const Facts& facts);
std::unique_ptr<Exchange> start_scram_sha_256_plus(const Facts& facts);
std::unique_ptr<Exchange> start_xoauth2(const Facts& facts);
std::unique_ptr<Exchange> start_oauthbearer(const Facts& facts);
std::unique_ptr<Exchange> start_external(const Facts& facts);
std::unique_ptr<Exchange> start_anonymous(const Facts& facts);

}  // namespace sasl
