// What is known of a client beside what it says: counts, what lists say, how it behaved. In the words of the session question and of the
// context (vsmtp-chain(7)).
#pragma once

#include <string>

#include "smtpd/dns_lists.h"
#include "smtpd/policy_attributes.h"
#include "smtpd/shield.h"

namespace smtpd {

// Borrowed for one call.
struct ClientFacts {
  const Standing& standing;
  const DnsListFindings* lists;  // nullptr: no list knows it, or none has been asked
  bool is_early_talker = false;
};

void append_client(const PolicyAttributes& put, const ClientFacts& facts);
// A JSON object.
[[nodiscard]] std::string json_of(const ClientFacts& facts);

}  // namespace smtpd
