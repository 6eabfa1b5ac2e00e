// queue-inject as a person or a script calls it: recipients as arguments, a message as text on standard input.
#pragma once

#include <array>
#include <string_view>

#include "lib/base/command_line.h"
#include "lib/chain/message_call.h"
#include "queue-inject/intake.h"

inline constexpr auto kByHandOptions = std::to_array<base::OptionRow>({
    {"from,f", "ADDRESS", "sender; <> is the null reverse-path [you]"},
    {"full-name,F", "NAME", "your name, for a From field that is added"},
    {"read-recipients,t", "", "take recipients from To, Cc and Bcc too"},
    {"to", "ADDRESS", "a recipient, like an argument"},
    {"dot", "", "a line with only a dot ends the message"},
    {"verbose,v", "", "print the reply to the message"},
});

// Whether the command line is of this form.
bool is_by_hand(const base::CommandLine& line);

// Reads, completes and hands over the message: to the chain of the command line if there is one, else to `inject`. Returns
// the exit code, of sysexits(3).
int run_by_hand(std::string_view program, const base::CommandLine& line, const IntakeRules& rules, const chain::Handler& inject);
