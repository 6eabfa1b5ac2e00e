// Delegation over SMTP (vsl(7)): a message goes to a content filter with a field that says where its rules go on, and comes back on the
// receiver of that service. What the waiting message says of it stands in its context, as "delegation".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/blob.h"
#include "lib/base/result.h"

namespace chain {

inline constexpr std::string_view kDelegationField = "X-VSMTP-DELEGATION";

// What the field says.
struct DelegationMark {
  std::string stage, directive, id;

  // X-VSMTP-DELEGATION: sent; stage=postq; directive="scan"; id="..."
  [[nodiscard]] std::string field() const;  // with CRLF
  // Of what stands behind the colon; it may be folded. Nothing: one of the three is missing, or is empty.
  [[nodiscard]] static std::optional<DelegationMark> parse(std::string_view body);
  friend bool operator==(const DelegationMark&, const DelegationMark&) = default;
};

// The message with the field in front, and without any such field that it had.
[[nodiscard]] base::Result<base::Blob> with_delegation_field(const base::Blob& message, const DelegationMark& mark);

struct Delegation {
  enum class State : std::uint8_t {
    Waiting,   // of a message of the queue: it is to be handed to the service, or the service has it
    Back,      // ... the service has given it back: its rules go on
    Returned,  // of a message that comes in: it is the one of the queue that `id` names
  };
  State state = State::Waiting;
  std::string stage, directive;
  std::string service;   // its name, for people
  std::string address;   // where it goes: "127.0.0.1:10026", "scanner.test:10026", "unix:/path"
  std::string protocol;  // "smtp", "lmtp"
  std::string receiver;  // where it comes back: "127.0.0.1:10025"
  std::uint64_t timeout_seconds = 60;  // of one command
  std::string id;        // of Returned

  friend bool operator==(const Delegation&, const Delegation&) = default;
};

// Of a context, without a tree for those that have none, which are nearly all.
[[nodiscard]] std::optional<Delegation> delegation_in(std::string_view context);
void append_delegation(std::string& out, const Delegation& delegation);  // as an object of JSON

// What `stored`, the context of a waiting message, becomes when it is back.
[[nodiscard]] std::string context_when_back(std::string_view stored);

// Whether `returned`, which came in, is the message that waits so; else why not, as it is told to who has brought it:
// Fault::Permanent.
[[nodiscard]] base::Result<void> check_return(const Delegation& waiting, const Delegation& returned);

// HOST of the delivery call that hands a message over: without TLS, and without a log-in that is for others.
[[nodiscard]] std::string delivery_host(const Delegation& delegation);

}  // namespace chain
