#include "queue-inject/replace.h"

#include "lib/base/exits.h"
#include "lib/chain/envelope.h"
#include "lib/queue/control.h"
#include "lib/queue/replacement.h"
#include "queue-inject/exit_codes.h"
#include "queue-inject/file_store.h"

using base::Result;

namespace {

chain::Call call_of(const Accepted& accepted, const chain::Invocation& invocation) {
  chain::Call call;
  call.message = accepted.message;
  call.envelope = chain::to_octets(accepted.item.envelope);
  call.context = invocation.call.context;
  return call;
}

Result<void> replace_here(queue::Spool& spool, const queue::Id& id, Accepted accepted, bool has_context) {
  const auto lock = spool.lock("queue-run");  // so that none begins meanwhile
  if (!lock) return std::unexpected(lock.error());
  const auto entry = spool.find(id);
  if (!entry) return std::unexpected(entry.error());
  if (!*entry) return std::unexpected(base::Error{base::Fault::Permanent, "no message " + id.string() + " in a file of its own; queue-run has those of the log", ENOENT});
  const auto old = spool.take((*entry)->place, id);
  if (!old) return std::unexpected(old.error());
  queue::Replacement replacement;
  replacement.item = std::move(accepted.item);
  replacement.item.id = id;
  replacement.item.arrived = old->item.arrived;
  if (!has_context) replacement.item.context = old->item.context;
  replacement.message = std::move(accepted.message);
  replacement.from = (*entry)->place;
  replacement.to = accepted.place.state == queue::State::Working ? queue::Place{queue::State::Deliver, {}} : accepted.place;
  replacement.modified = accepted.modified;
  queue::write_replacements(spool, std::span(&replacement, 1));
  if (!replacement.end) return replacement.end;
  spool.must_sync(*replacement.from);
  return spool.sync();
}

}  // namespace

chain::Answer replace_message(std::string_view program, const ReplaceAt& where, const queue::Id& id, const IntakeRules& rules, const chain::Invocation& invocation) {
  auto accepted = take_in(invocation, rules);
  if (!accepted) {
    (void)base::report(program, {base::Fault::Temporary, accepted.error().cause});
    return accepted.error().answer;
  }
  auto call = call_of(*accepted, invocation);
  Result<void> done;
  if (!where.socket.empty()) {
    done = queue::replace_through(where.socket, id, std::move(call));
  } else {
    auto spool = open_spool(where.spool);
    if (!spool) {
      (void)base::report(program, spool.error().error);
      return chain::Answer::exit(exit_code_of(spool.error().step, spool.error().error));
    }
    done = queue::Control(*spool).replace(id, std::move(call));
    if (!done && done.error().error_number == ECONNREFUSED) done = replace_here(*spool, id, std::move(*accepted), !invocation.call.context.empty());
  }
  if (done) return chain::Answer::taken("250 2.0.0 Ok: replaced " + id.string());
  (void)base::report(program, done.error());
  return chain::Answer::exit(base::exit_row(base::Fault::Temporary).in_chain);
}
