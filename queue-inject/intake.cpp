#include "queue-inject/intake.h"

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/chain/context.h"
#include "lib/chain/envelope.h"
#include "lib/mail/line_ends.h"
#include "lib/mail/received.h"
#include "queue-inject/exit_codes.h"

using base::Fault;
using base::Result;

namespace {

Refused refuse(Step step, base::Error error) { return {chain::Answer::exit(exit_code_of(step, error)), std::move(error.cause)}; }
Refused refuse(Step step, std::string cause) { return refuse(step, base::Error{Fault::Permanent, std::move(cause)}); }
Refused refuse_for_good(std::string reply, std::string cause) {
  return {chain::Answer::as_reported(Fault::Permanent, std::move(reply)), std::move(cause)};
}

Result<queue::Place> place_by_arguments(const chain::Words& arguments, queue::Place place) {
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    if (i + 1 == arguments.size()) return base::fail(Fault::Usage, "argument " + arguments[i] + ": expected: --queue STATE or --quarantine NAME");
    auto given = parse_place_option(arguments[i], arguments[i + 1]);
    if (!given) return given;
    place = std::move(*given);
  }
  return place;
}

// The rules of a filter set a message aside by its context.
Result<queue::Place> place_by_context(const std::string& json, queue::Place place) {
  const auto context = chain::Context::parse(json);
  if (!context) return std::unexpected(context.error());
  const std::string folder = chain::folder_in(*context);
  if (folder.empty()) return place;
  auto wanted = queue::Place::parse(folder);
  if (!wanted) return base::fail(Fault::Usage, "context: no folder of the spool is called " + base::text::printable(folder));
  return std::move(*wanted);
}

// When rules have put the message off, the time of its first attempt.
std::optional<base::WallTime> first_attempt(const std::string& json) {
  const auto context = chain::Context::parse(json);
  const auto until = context ? context->text("put_off.until") : std::nullopt;
  return until ? base::parse_rfc3339(*until) : std::nullopt;
}

std::optional<Refused> check_addresses(const mail::Envelope& envelope, std::uint64_t limit) {
  const auto check = [limit](const std::string& address) -> std::optional<Refused> {
    if (address.size() > limit) return refuse(Step::AddressLength, "address of " + std::to_string(address.size()) + " octets: " + base::text::printable(address, 60));
    if (!queue::is_storable_address(address)) return refuse(Step::Envelope, "address with a line end: " + base::text::printable(address, 60));
    return std::nullopt;
  };
  if (envelope.recipients.empty()) return refuse(Step::Envelope, "no recipient");
  if (auto bad = check(envelope.reverse_path)) return bad;
  for (const auto& recipient : envelope.recipients)
    if (auto bad = check(recipient)) return bad;
  return std::nullopt;
}

// The message as it goes into the spool.
std::expected<base::Blob, Refused> check_message(const base::Blob& message, const IntakeRules& rules) {
  if (message.size() > rules.message_octets) {
    return std::unexpected(refuse_for_good("552 5.3.4 message of more than " + std::to_string(rules.message_octets) + " octets",
                                           "message of " + std::to_string(message.size()) + " octets"));
  }
  const auto view = message.view();
  if (!view) return std::unexpected(refuse(Step::Write, view.error()));
  if (mail::count_received(view->octets(), rules.hops + 1) > rules.hops)
    return std::unexpected(refuse_for_good("554 5.4.6 too many hops", "more than " + std::to_string(rules.hops) + " Received fields: a loop"));
  if (!mail::needs_crlf(view->octets(), mail::LineEnds::AsFirstLine)) return message;
  auto changed = mail::with_crlf(view->octets(), rules.memory);
  if (!changed) return std::unexpected(refuse(Step::Write, changed.error()));
  return std::move(*changed);
}

}  // namespace

IntakeRules IntakeRules::from(const base::Settings& settings) {
  return {settings.octets("queue.message_limit"), settings.count("queue.hop_limit"), settings.octets("queue.address_limit"), {}, {}};
}

Result<queue::Place> parse_place_option(std::string_view option, std::string_view value) {
  auto place = option == "--queue"        ? queue::Place::parse(value)
               : option == "--quarantine" ? queue::Place::parse("quarantine/" + std::string(value))
                                          : std::nullopt;
  if (!place) return base::fail(Fault::Usage, base::text::printable(option) + " " + base::text::printable(value) + ": expected: --queue STATE or --quarantine NAME");
  return std::move(*place);
}

std::expected<Accepted, Refused> take_in(const chain::Invocation& invocation, const IntakeRules& rules) {
  const chain::Call& call = invocation.call;
  Accepted accepted;
  auto envelope = chain::parse_envelope(call.envelope);
  if (!envelope) return std::unexpected(refuse(Step::Envelope, envelope.error().cause));
  accepted.item.envelope = std::move(*envelope);
  if (auto bad = check_addresses(accepted.item.envelope, rules.address_octets)) return std::unexpected(std::move(*bad));

  auto place = place_by_arguments(invocation.arguments, rules.place);
  if (!place) return std::unexpected(Refused{chain::Answer::exit(base::exit_row(Fault::Usage).in_chain), place.error().cause});
  if (!call.context.empty()) {
    place = place_by_context(call.context, std::move(*place));
    if (!place) return std::unexpected(refuse(Step::Envelope, place.error().cause));
    accepted.item.context = queue::one_line(call.context);
  }
  accepted.place = std::move(*place);
  accepted.returned = chain::delegation_in(call.context);
  if (accepted.returned && accepted.returned->state != chain::Delegation::State::Returned) accepted.returned.reset();
  if (accepted.place.state == queue::State::Deferred) accepted.modified = first_attempt(call.context);

  auto message = check_message(call.message, rules);
  if (!message) return std::unexpected(std::move(message.error()));
  accepted.message = std::move(*message);
  accepted.item.message_octets = accepted.message.size();
  accepted.item.arrived = base::wall_now();
  accepted.item.id = queue::Id::make(accepted.item.arrived);
  return accepted;
}

void Queued::log() const {
  if (!base::log::enabled(base::log::Level::Info)) return;
  base::log::write(base::log::Level::Info, "queued", ids_.before({{"from", reverse_path_}, {"recipients", recipients_}, {"size", octets_}}));
}

chain::Answer taken(const queue::Id& id) { return chain::Answer::taken("250 2.0.0 Ok: queued as " + id.string()); }
