// A message and its session in the words of the message call: environment, envelope, context (DESIGN.md 2.1, vsmtp-chain(7)),
// and the Received field.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/chain/message_call.h"
#include "lib/net/tls.h"
#include "lib/smtp/server_session.h"
#include "smtpd/client_facts.h"
#include "smtpd/peer.h"
#include "smtpd/policy_rounds.h"

namespace smtpd {

// Borrowed for one call of the functions below. The session has a transaction.
struct CallFacts {
  std::string_view server_name;
  const net::tls::Facts* tls;  // nullptr: in clear
  const Peer& peer;
  const smtp::ServerSession& session;
  std::string_view id;  // of the message
  base::WallTime connected, received;
  bool may_relay = false;
  const PolicyRounds* policy = nullptr;  // what policies have asked for; nullptr: nobody is asked
};

void append_trace(std::string& out, const CallFacts& facts);
std::string envelope_of(const CallFacts& facts);
// UCSPI's names, qmail-spp's and ucspi-ssl's.
chain::Words environment_of(const CallFacts& facts);
// The canonical JSON of a message's context, with `body`, `smtputf8` and `size` beside it.
std::string context_of(const CallFacts& facts, const ClientFacts& client);

}  // namespace smtpd
