#include "queue-inject/broker_store.h"

#include "lib/base/exits.h"
#include "lib/base/log.h"
#include "lib/broker/link.h"
#include "lib/broker/steps.h"
#include "lib/chain/resident.h"
#include "lib/net/loop.h"

using base::Fault;
using base::Result;

namespace {

constexpr chain::ResidentServer::Limits kServerLimits{.connections = 1000, .calls_at_once = 1000, .frame_octets = 64 << 20};

std::unexpected<StoreFailure> failed(Step step, base::Error error) {
  error.fault = Fault::Temporary;  // an operator can mend all of it
  return std::unexpected(StoreFailure{step, std::move(error)});
}

broker::Parcel parcel_of(const Accepted& accepted) { return {accepted.item, accepted.message, {}, 0, accepted.modified}; }

std::string queue_of(const broker::Setup& setup, const Accepted& accepted) { return setup.making.queues.of(accepted.place, accepted.modified, base::wall_now()); }

}  // namespace

std::optional<Refused> check_for_broker(const broker::Setup& setup, const Accepted& message) {
  // What a filter gives back would have to be looked for among all that waits.
  if (const auto delegation = message.place.state == queue::State::Delegated ? chain::delegation_in(message.item.context) : std::nullopt)
    return Refused{chain::Answer::as_reported(Fault::Temporary, "451 4.3.5 this queue cannot delegate"), "rules delegate it to " + delegation->address + ", and of a spool on a broker no message can be delegated"};
  if (message.returned) return Refused{chain::Answer::as_reported(Fault::Permanent, "500 Delegation failed to get old context"), "it comes back from a content filter, and nothing on a broker is at one"};
  if (setup.making.queues.of(message.place).size() > broker::Queues::kMostNameOctets)
    return Refused{chain::Answer::as_reported(Fault::Temporary, "451 4.3.5 no such queue"), message.place.folder() + " is too long for the name of a queue on a broker"};
  const auto octets = queue::to_octets(message.item).size() + message.message.size();
  if (octets <= setup.message_octets) return std::nullopt;
  const auto limit = std::to_string(setup.message_octets);
  return Refused{chain::Answer::as_reported(Fault::Permanent, "552 5.3.4 message of more than " + limit + " octets"),
                 "message of " + std::to_string(octets) + " octets with its envelope; the broker takes " + limit};
}

Stored store_on_broker(const broker::Setup& setup, const Accepted& message) {
  auto connection = broker::Connection::open(setup.address, setup.connection);
  if (!connection) return failed(Step::Home, connection.error());
  const auto queue = queue_of(setup, message);
  auto ready = broker::ready_queue(*connection, setup.making, queue);
  if (ready) ready = connection->select_confirms();
  if (!ready) return failed(Step::Spool, ready.error());
  if (const auto published = broker::publish_and_wait(*connection, queue, parcel_of(message), setup.connection.timeout); !published) return failed(Step::Write, published.error());
  connection->close();
  return {};
}

base::Result<void> make_queues(const broker::Setup& setup) {
  auto connection = broker::Connection::open(setup.address, setup.connection);
  if (!connection) return std::unexpected(connection.error());
  for (const auto& queue : setup.making.queues.all_known())
    if (const auto made = broker::ready_queue(*connection, setup.making, queue); !made) return made;
  connection->close();
  return {};
}

int run_resident_on_broker(std::string_view program, const BrokerResidentSettings& settings) {
  net::Loop loop;
  bool was_up = true;
  const auto on_state = [&](bool is_up, const std::string& why) {
    if (is_up) base::log::info("connected to the broker", {{"host", why}});
    else if (was_up) base::log::error("no connection to the broker, mail is put off", {{"cause", why}});
    was_up = is_up;
  };
  std::optional<broker::Link> link;  // starts a thread, which is to be done from inside
  chain::ResidentServer server(loop, kServerLimits, [&](chain::PendingCall pending) {
    const auto call = std::make_shared<chain::PendingCall>(std::move(pending));
    auto accepted = take_in(call->invocation, settings.rules);
    auto refused = accepted ? check_for_broker(settings.setup, *accepted) : std::optional(std::move(accepted.error()));
    if (refused) {
      base::log::warning("refused", {{"code", refused->answer.exit_code}, {"cause", refused->cause}});
      return call->answer(std::move(refused->answer));
    }
    const auto id = accepted->item.id;
    const Queued queued(*accepted, accepted->item.context);
    link->publish(queue_of(settings.setup, *accepted), parcel_of(*accepted), [call, id, queued](const Result<void>& published) {
      if (published) {
        queued.log();
        return call->answer(taken(id));
      }
      base::log::write(base::log::Level::Error, "not queued", queued.ids().before({{"cause", published.error().cause}}));
      call->answer(chain::Answer::exit(exit_code_of(Step::Write, published.error())));
    });
  });
  if (const auto listening = server.listen(settings.socket, settings.socket_mode); !listening) return base::report(program, listening.error());
  if (const auto confined = settings.confine(); !confined) return base::report(program, confined.error());
  link.emplace(loop, broker::Link::Settings{settings.setup.address, settings.setup.connection, settings.setup.making, {}, {}}, broker::Link::Events{on_state, {}});
  chain::run_until_told(loop, server);
  return 0;
}
