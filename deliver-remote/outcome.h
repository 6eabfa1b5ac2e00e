// What became of a recipient, and in whose words.
#pragma once

#include <string>
#include <string_view>

#include "lib/chain/delivery_call.h"
#include "lib/smtp/client_session.h"

namespace remote {

using smtp::Verdict;

struct Outcome {
  Verdict verdict = {};
  std::string host = {};    // who decided: "mx.example.org[192.0.2.1]:25"; empty: nobody had been asked
  std::string before = {};  // texts of the addresses that were tried in vain before, a line each
  chain::Reach reach = chain::Reach::Unsaid;  // of one that is accepted
  bool is_of_destination = false;  // nobody was asked about this recipient: any other would have fared the same

  // For the postmaster, a line or several: "mx.example.org[192.0.2.1]:25 said at RCPT: 550 5.1.1 no such user". What the
  // server said is made printable.
  [[nodiscard]] std::string text() const;
  // For the client of a message call: the server's own words, "550 5.1.1 no such user", with a code that agrees with the verdict.
  [[nodiscard]] std::string reply() const;
};

// A verdict of ours before or beside any session.
Verdict our_verdict(Verdict::Class result, int code, std::string_view status, std::string text);

// Of two outcomes for the same call the one to answer with: accepted < temporary < permanent.
bool is_worse(const Outcome& a, const Outcome& b);

}  // namespace remote
