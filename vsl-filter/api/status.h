// Statuses: what rules evaluate to (vsl.md 2.4, 3.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vsl-filter/lang/host_class.h"
#include "vsl-filter/transaction/reply.h"
#include "vsl-filter/transaction/transaction.h"

namespace rules {

enum class StatusKind : std::uint8_t { Next, Accept, Faccept, Deny, Info, Quarantine, Delegated, DelegationResult, Packet };

struct Status {
  StatusKind kind = StatusKind::Next;
  std::optional<Reply> reply;
  std::string detail;  // Quarantine: its name; Packet: the secret

  friend bool operator==(const Status&, const Status&) = default;
};

// "next", "accept", ...
std::string_view name_of(StatusKind kind);
// Whether later stages are skipped (2.4).
bool finishes(StatusKind kind);

// How a transaction keeps it, and back.
Skip skip_of(const Status& status);
Status status_of(const Skip& skip);

extern const vsl::HostClass kStatusClass;
const Status* status_in(const vsl::Value& value);
vsl::Value value_of(vsl::Heap& heap, Status status);

// A "reply argument": a code, or a text that is one; else "parameter must be a code, not X".
vsl::Expected<Reply> reply_argument(const vsl::Value& value);

}  // namespace rules
