// What happened to a message, as text and as JSON.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lib/mail/envelope.h"
#include "lib/queue/progress.h"
#include "qctl/output.h"

namespace qctl {

[[nodiscard]] std::string_view word_of(queue::EventKind kind);  // "deferred"
[[nodiscard]] std::string kind_text(queue::EventKind kind, const Output& out);  // the same in its colour
// The recipient of an event as the envelope has it; "" when it is about the whole message.
[[nodiscard]] std::string recipient_of(const queue::Event& event, const mail::Envelope& envelope);
// "deferred <a@example.org> mx.example.org: 451 4.7.1 later", safe to print.
[[nodiscard]] std::string event_text(const queue::Event& event, const mail::Envelope& envelope, const Output& out);
// "2026-11-21T20:15:00.123456Z (2h05m ago)"
[[nodiscard]] std::string ago(base::WallTime then, base::WallTime now);
// [{"time":...,"what":...,"recipient":...,"destination":...,"text":...},...]
[[nodiscard]] std::string history_json(std::span<const queue::Event> events, const mail::Envelope& envelope);

}  // namespace qctl
