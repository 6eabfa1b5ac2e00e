// The delivery call: qmail-remote's interface. `PROGRAM HOST SENDER RECIPIENT...`, the message on descriptor 0, reports
// on descriptor 1. DESIGN.md 2.3, vsmtp-chain(7). No I/O, except for serve_delivery().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/chain/message_call.h"

namespace chain {

struct DeliveryCall {
  std::string host;
  std::string sender;                   // empty: the null reverse-path
  std::vector<std::string> recipients;  // never empty
};

// HOST SENDER RECIPIENT...; fewer is Fault::Usage.
[[nodiscard]] base::Result<DeliveryCall> parse_delivery_call(const Words& arguments);
[[nodiscard]] Words to_arguments(const DeliveryCall& call);

// What became of one recipient; the letter is what the report says.
enum class Delivery : char { Accepted = 'r', Rejected = 'h', Deferred = 's' };

// How far an accepted recipient's message has come, for who owes the sender a notification of success (RFC 3461). Only a
// caller that has given the call a context is told more than 'r'.
enum class Reach : char {
  Unsaid = 'r',   // whoever took it: by the nature of the transport
  Mailbox = 'm',  // it is where it shall be
  Relayed = 'l',  // a host took it that knows nothing of notifications
  Promised = 'n'  // a host took it that notifies the sender itself
};

struct DeliveryReport {
  struct Recipient {
    Delivery delivery = Delivery::Deferred;
    std::string text;  // "example.org said: 550 5.1.1 no such user"; lines separated by LF
    Reach reach = Reach::Unsaid;  // when Accepted
  };
  std::vector<Recipient> recipients;  // in the order of the call, one for each

  // Of the message, for the recipients that were accepted: K all went well, Z try again later, D refused for good.
  // A recipient is delivered when it is Accepted and `overall` is Taken (final()).
  Outcome::Class overall = Outcome::Class::Temporary;
  std::string text;

  // Nothing was said about any recipient, as when the connection failed. Who has more mail for that destination then
  // knows that it would fare the same; a host that defers each recipient is another matter.
  bool is_overall_only = false;

  // What finally holds for a recipient: Rejected and Deferred as they are, Accepted as `overall` decides.
  [[nodiscard]] Delivery final(std::size_t recipient) const;
  // The text that explains it.
  [[nodiscard]] const std::string& final_text(std::size_t recipient) const;

  // The same end for every recipient: the connection failed, the message is refused (these two are overall only), all is
  // delivered.
  static DeliveryReport for_all(std::size_t recipients, Outcome::Class result, std::string_view text);
};

// As qmail-remote(8) writes it: r, h or s, text, NUL for each recipient; K, Z or D, text, NUL. NULs in texts become blanks.
[[nodiscard]] std::string to_octets(const DeliveryReport& report);

// Strict, but never without a result: a report that is unknown, too short or contradicts itself is Deferred for each
// recipient of which it does not say anything sound, and the text says what is wrong. An overall report alone, as
// qmail-remote writes it when it does not get as far as the recipients, holds for all of them.
[[nodiscard]] DeliveryReport parse_delivery_report(std::string_view octets, std::size_t recipients);

// The same from the end of a call with Kind::Delivery: one that did not end well is Deferred for all, with its cause.
[[nodiscard]] DeliveryReport read_delivery(const Outcome& outcome, std::size_t recipients);

// An Answer that carries the report (exit 0, as qmail-remote does).
[[nodiscard]] Answer to_answer(const DeliveryReport& report);

// One-shot: one delivery call with `arguments` and the message on descriptor 0; the report goes to descriptor 1.
// Returns the exit code: 0, also when nothing could be delivered; the report says so.
int serve_delivery(std::string_view program, Words arguments, std::uint64_t message_limit_octets, const Handler& handler);

}  // namespace chain
