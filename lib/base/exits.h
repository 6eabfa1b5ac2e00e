// Exit codes. Programs exit by this table; EXIT STATUS of each manual quotes it.
#pragma once

#include <array>
#include <string_view>

#include "lib/base/result.h"

namespace base {

struct ExitRow {
  Fault fault;
  int in_chain;             // as the end of a message call: qmail-queue(8)
  int by_hand;              // from a shell: sysexits(3)
  std::string_view status;  // RFC 3463
  std::string_view meaning;
};

inline constexpr auto kExits = std::to_array<ExitRow>({
    // fault              chain  by hand  RFC 3463  meaning
    {Fault::Temporary,    71,    75,      "4.3.0",  "try again later"},
    {Fault::Permanent,    31,    65,      "5.3.0",  "refused for good"},
    {Fault::Usage,        55,    64,      "4.3.5",  "wrong command line: the installation is at fault, mail waits"},
    {Fault::Config,       55,    78,      "4.3.5",  "configuration error"},
    {Fault::Bug,          81,    70,      "4.3.0",  "internal bug: mail is kept until it is repaired"},
});

constexpr const ExitRow& exit_row(Fault fault) {
  for (const auto& row : kExits)
    if (row.fault == fault) return row;
  return kExits.back();
}

// Exit code of a message call that says: read descriptor 6.
inline constexpr int kExitAsReported = 82;

enum class Outcome { Taken, AsReported, Permanent, Temporary };

// How a parent reads the end of a message call. An unknown code, or a program killed, keeps the mail.
constexpr Outcome outcome_of(int exit_code) {
  if (exit_code == 0) return Outcome::Taken;
  if (exit_code == kExitAsReported) return Outcome::AsReported;
  if (exit_code >= 11 && exit_code <= 40) return Outcome::Permanent;
  return Outcome::Temporary;
}

// "PROGRAM: fatal: CAUSE" on standard error; returns the exit code for a person or script.
int report(std::string_view program, const Error& error);
// The same, with the exit code for the end of a message call.
int report_in_chain(std::string_view program, const Error& error);

}  // namespace base
