// The exit codes of qmail-queue(8), by what was being done when it failed.
#pragma once

#include <array>
#include <string_view>

#include "lib/base/result.h"

enum class Step {
  AddressLength,
  Home,      // the spool is not there, or is no spool
  Spool,
  Lock,
  Draft,     // a file in tmp/
  Log,
  Publish,   // its name in a state's folder
  Write,
  Envelope,
};

struct ExitCodeRow {
  Step step;
  int code;
  std::string_view meaning;
};
inline constexpr auto kExitCodes = std::to_array<ExitCodeRow>({
    {Step::AddressLength, 11, "an address is too long"},
    {Step::Write,         53, "cannot write: disk full, I/O error, read-only file system"},
    {Step::Home,          61, "the spool is not there"},
    {Step::Spool,         62, "the spool is not as it should be"},
    {Step::Lock,          63, "another one serves this spool"},
    {Step::Draft,         64, "cannot make a file in tmp/"},
    {Step::Log,           65, "cannot use the log"},
    {Step::Publish,       66, "cannot give the message its name"},
    {Step::Envelope,      91, "envelope or context are malformed"},
});

// What the system says is more exact than the step: a full disk is 53 wherever it was met, no memory 51, a time limit 52.
int exit_code_of(Step step, const base::Error& error);
