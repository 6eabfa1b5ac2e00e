// A stage of a session in the words of the session question (Postfix's SMTPD_POLICY_README, vsmtp-chain(7)).
#pragma once

#include <string>
#include <string_view>

#include "lib/net/tls.h"
#include "lib/smtp/server_session.h"
#include "smtpd/client_facts.h"
#include "smtpd/peer.h"

namespace smtpd {

// Borrowed for one call.
struct QuestionFacts {
  std::string_view server_name;        // that the client was greeted with
  const Peer& peer;
  const net::tls::Facts* tls;          // nullptr: in clear
  const smtp::ServerSession& session;  // its stage() is asked about
  std::string_view instance;           // the same for all questions about one message
  std::string_view state;              // what the policy said last
  ClientFacts client;
};

// With its empty line.
std::string question_of(const QuestionFacts& facts);

}  // namespace smtpd
