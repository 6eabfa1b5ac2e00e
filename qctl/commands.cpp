#include "qctl/commands.h"

#include <array>

namespace qctl {
namespace {
using Words = std::string_view;

constexpr auto kLooking = std::to_array<Words>({"json", "queue", "sender", "recipient", "domain", "older", "newer", "larger", "smaller"});
constexpr auto kCounting = std::to_array<Words>(
    {"json", "queue", "sender", "recipient", "domain", "older", "newer", "larger", "smaller", "by", "rows", "empty"});
constexpr auto kOne = std::to_array<Words>({"json"});
constexpr auto kChanging = std::to_array<Words>(
    {"json", "queue", "sender", "recipient", "domain", "older", "newer", "larger", "smaller", "all", "dry-run"});
constexpr auto kRemoving = std::to_array<Words>(
    {"json", "queue", "sender", "recipient", "domain", "older", "newer", "larger", "smaller", "all", "dry-run", "yes"});

constexpr auto kCommands = std::to_array<Command>({
    {"status", "[QUEUE...]", "messages, octets and ages of each queue; what qctl alone does", kCounting, status},
    {"list", "[QUEUE...]", "one line a message", kLooking, list},
    {"show", "ID...", "envelope, context and history of a message", kOne, show},
    {"cat", "ID...", "the message itself, as it came", {}, cat},
    {"move", "ID...|SELECTION QUEUE", "put messages into another queue", kChanging, move},
    {"hold", "ID...|SELECTION", "keep messages from being delivered", kChanging, hold},
    {"release", "ID...|SELECTION", "give held, quarantined or dead messages back", kChanging, release},
    {"retry", "ID...|SELECTION", "try deferred messages now", kChanging, retry},
    {"remove", "ID...|SELECTION", "forget messages for good; asks first", kRemoving, remove},
    {"check", "", "look for foreign and half-written files", kOne, check},
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
