#include "queue-run/requests.h"

#include <array>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/queue/control.h"
#include "queue-run/requests_many.h"

namespace run {
namespace {

constexpr std::size_t kMostAges = 100;

using Words = std::vector<std::string>;
using Reply = std::function<void(base::Result<std::string>)>;

base::Result<queue::Id> id_of(const std::string& word) {
  const auto id = queue::Id::parse(word);
  if (!id) return base::fail(base::Fault::Permanent, "'" + word + "' is not the id of a message");
  return *id;
}

Runner::Answer without_text(Reply reply) {
  return [reply = std::move(reply)](const base::Result<void>& done) {
    if (done) {
      reply(std::string());
    } else {
      reply(std::unexpected(done.error()));
    }
  };
}

void move(Runner& runner, const Words& words, Reply reply) {
  const auto id = id_of(words[1]);
  const auto place = queue::Place::parse(words[2]);
  if (!id) return reply(std::unexpected(id.error()));
  if (!place) return reply(base::fail(base::Fault::Permanent, "'" + words[2] + "' is not a folder for messages"));
  runner.move(*id, *place, without_text(std::move(reply)));
}

void remove(Runner& runner, const Words& words, Reply reply) {
  const auto id = id_of(words[1]);
  if (!id) return reply(std::unexpected(id.error()));
  runner.remove(*id, without_text(std::move(reply)));
}

void retry(Runner& runner, const Words& words, Reply reply) {
  if (words[1] == "all") return reply(std::to_string(runner.retry_all()));
  const auto id = id_of(words[1]);
  if (!id) return reply(std::unexpected(id.error()));
  without_text(std::move(reply))(runner.retry(*id));
}

void retry_domain(Runner& runner, const Words& words, Reply reply) {
  if (words[1] != "domain") return reply(base::fail(base::Fault::Permanent, "expected: retry domain NAME"));
  runner.retry_domain(words[2], [reply = std::move(reply)](const base::Result<std::size_t>& count) {
    if (count) {
      reply(std::to_string(*count));
    } else {
      reply(std::unexpected(count.error()));
    }
  });
}

void summary(Runner& runner, const Words& words, Reply reply) {
  std::vector<std::chrono::seconds> limits;
  for (std::string_view rest = words[1]; !rest.empty();) {
    const auto [word, behind] = base::text::split_once(rest, ',');
    const auto limit = base::text::parse_number<std::uint32_t>(word);
    if (!limit || limits.size() == kMostAges || (!limits.empty() && limits.back().count() >= *limit))
      return reply(base::fail(base::Fault::Permanent, "expected: summary SECONDS,SECONDS,... that grow"));
    limits.emplace_back(*limit);
    rest = behind;
  }
  reply(runner.summary(limits));
}

void status(Runner& runner, const Words&, Reply reply) { reply(runner.status()); }

void uncataloged(Runner& runner, const Words&, Reply reply) { reply(runner.uncataloged()); }

void move_each(net::Loop& loop, Runner& runner, const Words& words, Reply reply) {
  const auto place = queue::Place::parse(words.back());
  if (!place) return reply(base::fail(base::Fault::Permanent, "'" + words.back() + "' is not a folder for messages"));
  change_each(loop, runner, std::span(words).subspan(1, words.size() - 2), *place, std::move(reply));
}

void forgive(Runner& runner, const Words& words, const Reply& reply) {
  runner.forgive(std::span(words).subspan(1));
  reply(std::string());
}

// The end of a chain of rules: message, envelope and context of the call are what they have made of ID.
void replace(Runner& runner, const chain::Invocation& invocation, Reply reply) {
  const auto id = id_of(invocation.arguments[1]);
  if (!id) return reply(std::unexpected(id.error()));
  without_text(std::move(reply))(runner.replace(*id, invocation.call));
}

// A content filter gives ID back.
void bring_back(Runner& runner, const chain::Invocation& invocation, Reply reply) {
  const auto id = id_of(invocation.arguments[1]);
  if (!id) return reply(std::unexpected(id.error()));
  runner.bring_back(*id, invocation.call, without_text(std::move(reply)));
}

struct Command {
  std::string_view name;
  std::size_t words;  // with the name
  void (*run)(Runner&, const Words&, Reply);
};
constexpr auto kCommands = std::to_array<Command>({
    {"move", 3, move},
    {"remove", 2, remove},
    {"retry", 2, retry},
    {"retry", 3, retry_domain},
    {"status", 1, status},
    {"summary", 2, summary},
    {"uncataloged", 1, uncataloged},
});

void serve(net::Loop& loop, Runner& runner, chain::PendingCall pending) {
  const auto call = std::make_shared<chain::PendingCall>(std::move(pending));
  const Reply reply = [call](const base::Result<std::string>& text) {
    if (text) {
      call->answer(chain::Answer::taken(*text));
    } else {
      call->answer(chain::Answer::as_reported(text.error().fault, text.error().cause));
    }
  };
  const auto& words = call->invocation.arguments;
  if (words.size() == 2 && words[0] == "replace") return replace(runner, call->invocation, reply);
  if (words.size() == 2 && words[0] == "back") return bring_back(runner, call->invocation, reply);
  if (words.size() > 3 && words[0] == "move") return move_each(loop, runner, words, reply);
  if (words.size() > 2 && words[0] == "remove") return change_each(loop, runner, std::span(words).subspan(1), std::nullopt, reply);
  if (!words.empty() && words[0] == "forgive") return forgive(runner, words, reply);
  for (const auto& command : kCommands)
    if (!words.empty() && words[0] == command.name && words.size() == command.words) return command.run(runner, words, reply);
  reply(base::fail(base::Fault::Permanent, "unknown request; expected: back ID, forgive [ADDRESS...], move ID... FOLDER, remove ID..., replace ID, retry ID, retry all, retry domain NAME, status, summary SECONDS,..., uncataloged"));
}

}  // namespace

Requests::Requests(net::Loop& loop, Runner& runner)
    : runner_(runner), server_(loop, {.connections = 100, .calls_at_once = 1000, .frame_octets = 64 << 20}, [this, &loop](chain::PendingCall call) {
        serve(loop, runner_, std::move(call));
      }) {}

base::Result<void> Requests::listen(const queue::Spool& spool) { return server_.listen(spool.path() + "/" + std::string(queue::kControlSocket)); }

}  // namespace run
