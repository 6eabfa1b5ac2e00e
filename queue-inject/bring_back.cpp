#include "queue-inject/bring_back.h"

#include "lib/base/exits.h"
#include "lib/base/log.h"
#include "lib/queue/control.h"
#include "lib/queue/replacement.h"

using base::Result;

namespace {

std::unexpected<base::Error> not_waiting() { return std::unexpected(base::Error{base::Fault::Permanent, "500 Delegation failed to get old context", ENOENT}); }

Result<void> bring_back_here(queue::Spool& spool, const queue::Id& id, const Accepted& accepted) {
  const auto lock = spool.lock("queue-run");  // so that none begins meanwhile
  if (!lock) return std::unexpected(lock.error());
  const queue::Place place{queue::State::Delegated, {}};
  auto waiting = spool.take(place, id);
  if (!waiting && waiting.error().error_number == ENOENT) return not_waiting();
  if (!waiting) return std::unexpected(base::Error{base::Fault::Temporary, waiting.error().cause});
  const auto delegation = chain::delegation_in(waiting->item.context);
  if (!delegation) return not_waiting();
  if (const auto checked = chain::check_return(*delegation, *accepted.returned); !checked) return checked;
  queue::Replacement replacement;
  replacement.item = std::move(waiting->item);
  replacement.item.context = queue::one_line(chain::context_when_back(replacement.item.context));
  replacement.item.message_octets = accepted.message.size();
  replacement.message = accepted.message;
  replacement.from = replacement.to = place;
  replacement.modified = base::wall_now();
  replacement.events.push_back({base::wall_now(), queue::EventKind::Back, std::nullopt, accepted.returned->stage, {}, accepted.returned->directive});
  queue::write_replacements(spool, std::span(&replacement, 1));
  return replacement.end;
}

}  // namespace

chain::Answer bring_back(std::string_view program, queue::Spool& spool, const Accepted& accepted) {
  const auto id = queue::Id::parse(accepted.returned->id);
  auto done = Result<void>(not_waiting());
  if (id) {
    chain::Call call;
    call.message = accepted.message;
    call.context = accepted.item.context;
    done = queue::Control(spool).bring_back(*id, std::move(call));
    if (!done && done.error().error_number == ECONNREFUSED) done = bring_back_here(spool, *id, accepted);
  }
  if (done) return chain::Answer::taken("250 2.0.0 Ok: back as " + id->string());
  (void)base::report(program, done.error());
  if (done.error().fault == base::Fault::Permanent) return chain::Answer::as_reported(base::Fault::Permanent, done.error().cause);
  return chain::Answer::as_reported(base::Fault::Temporary, "451 4.3.0 the message it belongs to cannot be had just now");
}
