#include "qctl/commands.h"

#include <algorithm>
#include <array>

namespace qctl {
namespace {
using Words = std::string_view;

template <std::size_t One, std::size_t Other>
constexpr auto operator+(const std::array<Words, One>& one, const std::array<Words, Other>& other) {
  std::array<Words, One + Other> both;
  std::ranges::copy(other, std::ranges::copy(one, both.begin()).out);
  return both;
}

constexpr auto kOne = std::to_array<Words>({"json"});
constexpr auto kRepairing = kOne + std::to_array<Words>({"dry-run", "yes"});
constexpr auto kLooking = kOne + std::to_array<Words>({"queue", "quarantine", "sender", "recipient", "domain", "older", "newer", "larger", "smaller", "reason", "rule",
                                                       "attempts", "subject", "header"});
constexpr auto kWatching = kOne + std::to_array<Words>({"interval"});
constexpr auto kReporting = std::to_array<Words>({"html", "title"});
constexpr auto kExporting = kLooking + std::to_array<Words>({"all", "format", "directory"});
constexpr auto kImporting = kOne + std::to_array<Words>({"from", "to", "queue", "dry-run"});
constexpr auto kKeyMaking = kOne + std::to_array<Words>({"directory", "ed25519", "bits"});
constexpr auto kCounting = kLooking + std::to_array<Words>({"by", "rows", "empty"});
constexpr auto kChanging = kLooking + std::to_array<Words>({"all", "dry-run"});
constexpr auto kRemoving = kChanging + std::to_array<Words>({"yes"});

constexpr auto kCommands = std::to_array<Command>({
    {"status", "[QUEUE...]", "messages, octets and ages of each queue; what qctl alone does", kCounting, status},
    {"top", "", "the spool and its queue-run, live on a terminal", kWatching, top},
    {"report", "--html FILE [LOG...]", "a page with plots of what log lines tell, and of the spool", kReporting, report},
    {"metrics", "", "the queues in OpenMetrics text", {}, metrics},
    {"list", "[QUEUE...]", "one line a message", kLooking, list},
    {"show", "ID...", "envelope, context and history of a message", kOne, show},
    {"why", "ID...", "why a message waits, and what was tried", kOne, why},
    {"context", "ID...", "the context of a message, as JSON", kOne, context},
    {"cat", "ID...", "the message itself, as it came", {}, cat},
    {"move", "ID...|SELECTION QUEUE", "put messages into another queue", kChanging, move},
    {"hold", "ID...|SELECTION", "keep messages from being delivered", kChanging, hold},
    {"release", "ID...|SELECTION", "give held, quarantined or dead messages back", kChanging, release},
    {"retry", "ID...|SELECTION", "try deferred messages now", kChanging, retry},
    {"remove", "ID...|SELECTION", "forget messages for good; asks first", kRemoving, remove},
    {"quarantine", "[list [NAME...]] | show ID... | release|delete ID...|SELECTION | forward ADDRESS ID...|SELECTION | expire [NAME...]",
     "messages that rules have set aside, with rule and reason; what becomes of them", kRemoving, quarantine},
    {"export", "ID...|SELECTION", "messages as JSON lines, as an mbox, or as they came", kExporting, export_messages},
    {"import", "[FILE...]", "messages that export wrote, or of an mbox or a file", kImporting, import_messages},
    {"check", "", "look for foreign and half-written files, here and in the log", kOne, check},
    {"repair", "", "put right what check finds, without losing a message; asks first", kRepairing, repair},
    {"dkim-key", "DOMAIN SELECTOR", "make a key that signs mail, and say what DNS has to hold", kKeyMaking, nullptr, dkim_key},
    {"shield", "[unban ADDRESS...]", "clients and networks that smtpd counts or has banned; let them in again", kOne, nullptr, shield},
});
}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  for (const auto& command : kCommands)
    if (command.name == name) return &command;
  return nullptr;
}

}  // namespace qctl
