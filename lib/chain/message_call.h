// The message call: qmail-queue's interface, extended (DESIGN.md 2.1, vsmtp-chain(7)), and the delivery call
// (qmail-remote's, 2.3) which shares its frame when the program is resident.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/blob.h"
#include "lib/base/exits.h"
#include "lib/base/result.h"

namespace chain {

// A chain as it stands on a command line behind the first "--": {"mime-check", "--mark", "X", "--", "unix:/run/q.sock"}.
// The first program is words[0] with its arguments up to the next "--"; the rest is what that program execs.
using Words = std::vector<std::string>;
using WordsView = std::span<const std::string>;

// The first program of a chain with its arguments, and what follows its "--".
struct Link {
  WordsView program;  // empty: the chain is malformed, a program's name is missing
  WordsView rest;
};
[[nodiscard]] Link first_link(WordsView words);

// "unix:SOCKET" in the place of a program: a resident one.
[[nodiscard]] constexpr bool is_resident(std::string_view program) { return program.starts_with("unix:"); }

enum class Kind : std::uint8_t {
  Message = 0,   // descriptors 0, 1, 3, 6
  Delivery = 1,  // arguments HOST SENDER RECIPIENT..., descriptor 0; report on descriptor 1
  Policy = 2,    // the session question (policy.h): text in `envelope`, reply in the report
};

// What a caller hands to a program.
struct Call {
  Kind kind = Kind::Message;
  Words environment;     // NAME=value, only what the interface names; exec'd programs get it over the caller's own
  base::Blob message;    // descriptor 0
  std::string envelope;  // descriptor 1, as envelope.h writes it; empty for Kind::Delivery
  std::string context;   // descriptor 3: JSON, empty when there is none
};

// What a program is called with: a Call and its own arguments.
struct Invocation {
  Call call;
  Words arguments;  // for this call only; what a resident program was started with is not here
  Words next;       // the rest of the chain, behind "--"; empty at its end
};

// How a program ends a call.
struct Answer {
  int exit_code = 0;
  std::string report;  // descriptor 6, or 1 of a delivery call

  // A filter's "exec the rest of the chain", with what it changed.
  bool passes = false;
  std::optional<base::Blob> message;
  std::optional<std::string> envelope;
  std::optional<std::string> context;

  static Answer taken(std::string text);                      // exit 0, "K" + text
  static Answer as_reported(base::Fault fault, std::string text);  // exit 82, "Z" or "D" + text
  static Answer exit(int code);                               // exit `code`, no report
  static Answer pass();
};

// A program as a function: what main() hands to serve_once() or serve_resident(). It may be called from several threads
// at once when resident with more than one.
using Handler = std::function<Answer(Invocation&)>;

// ---- the program's side -------------------------------------------------------------------------------------------

// One message call on descriptors 0, 1, 3, 6. When the handler passes, execs the next program (or calls it, when it is
// unix:SOCKET) and does not return on success. Returns the exit code. With nothing to pass to: Fault::Usage.
int serve_once(std::string_view program, Words arguments, Words next, std::uint64_t message_limit_octets, const Handler& handler);

// ---- the caller's side --------------------------------------------------------------------------------------------

// How a call ended, already read: exit code and report checked against each other.
struct Outcome {
  enum class Class { Taken, Temporary, Permanent };
  Class result = Class::Temporary;
  // What the program said for the client: the reply text without its first letter, lines separated by LF, as it came
  // (not yet folded or cleaned for a wire). Empty: the caller's own text for this class.
  std::string reply;
  // For the log when something went wrong: "unix:/run/q.sock: connect: No such file", "filter killed by signal 11".
  std::string cause;
  // The raw report, for delivery calls.
  std::string report;
  int exit_code = 0;
  // The program could not be started, or its socket not be connected: certainly nothing was tried. Temporary.
  bool is_unavailable = false;
  // Of Caller::Limits::takes_passes: the last program passed the message on, with what the chain has changed of it.
  std::shared_ptr<const Answer> passed = nullptr;
};

// What an exit code of the message call means, for logs: "write error or disk full"; "" when it has no meaning.
[[nodiscard]] std::string_view meaning_of(int exit_code);

// The table of vsmtp-chain(7): exit code, report -> outcome. A report that is longer than 64 KB, has no letter K, Z or D
// in front, holds NUL, or contradicts the exit code (82 without Z or D) is garbage: Temporary.
[[nodiscard]] Outcome read_outcome(int exit_code, std::string report);

}  // namespace chain
