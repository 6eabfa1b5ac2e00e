// What a transport said about a recipient, taken apart for a notification (RFC 3464 section 2.3). No I/O.
#pragma once

#include <string>
#include <string_view>

namespace run {

struct Diagnosis {
  std::string status;      // RFC 3463, of a class that `outcome` allows
  std::string remote_mta;  // "mx.example.org", "[192.0.2.1]"; "" when no host has said anything
  std::string reply;       // its words, or the transport's, on one line; as they came, controls are written as \xNN
  bool is_smtp = false;    // `reply` begins with a reply code
};

enum class Outcome : char { Succeeded = '2', Delayed = '4', Failed = '5' };

// `text` is an Event's or a Result's: "mx.example.org[192.0.2.1]:25 said at RCPT: 550 5.1.1 no such user", of several lines the
// last host's; "550 5.1.1 no such user"; or what a transport of somebody else says.
[[nodiscard]] Diagnosis diagnose(std::string_view text, Outcome outcome);

// For people who do not read status codes: "There is no mailbox of that name."; "" when nothing better is known than the reply.
[[nodiscard]] std::string_view explanation_of(std::string_view status);

}  // namespace run
