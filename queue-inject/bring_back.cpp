#include "queue-inject/bring_back.h"

#include <memory>
#include <utility>

#include "lib/base/exits.h"
#include "lib/base/log.h"
#include "lib/queue/control.h"
#include "lib/queue/replacement.h"

using base::Result;

namespace {

constexpr std::string_view kProgram = "queue-inject";
constexpr std::uint64_t kTimeLimit = 30'000;  // of queue-run and its disk

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

chain::Call call_for(const Accepted& accepted) {
  chain::Call call;
  call.message = accepted.message;
  call.context = accepted.item.context;
  return call;
}

chain::Answer answer_of(std::string_view program, const Accepted& accepted, const Result<void>& done) {
  if (done) return chain::Answer::taken("250 2.0.0 Ok: back as " + accepted.returned->id);
  (void)base::report(program, done.error());
  if (done.error().fault == base::Fault::Permanent) return chain::Answer::as_reported(base::Fault::Permanent, done.error().cause);
  return chain::Answer::as_reported(base::Fault::Temporary, "451 4.3.0 the message it belongs to cannot be had just now");
}

}  // namespace

chain::Answer bring_back(std::string_view program, queue::Spool& spool, const Accepted& accepted) {
  const auto id = queue::Id::parse(accepted.returned->id);
  if (!id) return answer_of(program, accepted, not_waiting());
  auto done = queue::Control(spool).bring_back(*id, call_for(accepted));
  if (!done && done.error().error_number == ECONNREFUSED) done = bring_back_here(spool, *id, accepted);
  return answer_of(program, accepted, done);
}

Returns::Returns(net::Loop& loop, queue::Spool& spool)
    : loop_(loop), spool_(spool), control_("unix:" + spool.path() + "/" + std::string(queue::kControlSocket)), caller_(loop, {.timeout_milliseconds = kTimeLimit}) {}

void Returns::bring_back(Accepted accepted, Done done) {
  const auto id = queue::Id::parse(accepted.returned->id);
  if (!id) return done(answer_of(kProgram, accepted, not_waiting()));
  const auto shared = std::make_shared<Accepted>(std::move(accepted));
  caller_.call({control_, "back", std::string(id->text())}, call_for(*shared), [this, shared, done = std::move(done)](chain::Outcome outcome) mutable {
    if (outcome.is_unavailable) return in_thread(std::move(*shared), std::move(done));
    const auto answer = queue::answer_in(std::move(outcome));
    done(answer_of(kProgram, *shared, answer ? Result<void>() : std::unexpected(answer.error())));
  });
}

void Returns::in_thread(Accepted accepted, Done done) {
  struct Job {
    Accepted accepted;
    Done done;
    chain::Answer answer = {};
  };
  const auto job = std::make_shared<Job>(Job{std::move(accepted), std::move(done)});
  net::run_in_thread(loop_, [this, job] { job->answer = ::bring_back(kProgram, spool_, job->accepted); }, [job] { job->done(std::move(job->answer)); });
}
