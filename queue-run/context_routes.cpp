#include "queue-run/context_routes.h"

#include <optional>

#include "lib/base/text.h"
#include "lib/chain/context.h"
#include "lib/chain/transfer.h"

namespace run {
namespace {

using chain::TransferMethod;
using What = RuledRoute::What;

// Whether some transfer_method is there that is not Deliver, as smtpd writes it for everyone.
bool speaks_of_transports(std::string_view context) {
  constexpr std::string_view kName = "\"transfer_method\"", kPlain = ":\"Deliver\"";
  for (auto at = context.find(kName); at != std::string_view::npos; at = context.find(kName, at)) {
    at += kName.size();
    if (!context.substr(at).starts_with(kPlain)) return true;
  }
  return false;
}

// What is no HOST could be taken for an option, or for that of another transport.
RuledRoute named(std::string transport, std::string host) {
  if (host.empty() || host.starts_with('-')) return {What::Waits, {}, "451 4.3.5 the target for the transport " + transport + " cannot be read"};
  return {What::Named, std::move(host), {}, {}, std::move(transport)};
}

std::optional<RuledRoute> route_of(const chain::Context::Recipient& recipient) {
  if (recipient.transfer_method.empty()) return std::nullopt;
  const auto method = chain::transfer_method_of(recipient.transfer_method);
  if (!method) return RuledRoute{What::Waits, {}, "451 4.3.5 no transport is called " + base::text::printable(recipient.transfer_method, 40)};
  switch (*method) {
    case TransferMethod::Deliver: return std::nullopt;
    case TransferMethod::None: return RuledRoute{What::Nothing, {}, {}};
    case TransferMethod::Expanded: return RuledRoute{recipient.target == "list" ? What::List : What::Alias, {}, {}};
    case TransferMethod::Maildir: return RuledRoute{What::Local, {}, {}};
    case TransferMethod::Mbox: return RuledRoute{What::Named, {}, {}, {}, "mbox"};
    case TransferMethod::Lmtp: return named("lmtp", recipient.target);
    case TransferMethod::Pipe: return named("pipe", recipient.target.empty() ? "" : "|" + recipient.target);
    case TransferMethod::File: return named("mbox", recipient.target.starts_with('/') ? recipient.target : "");
    case TransferMethod::Program: return RuledRoute{What::Named, {}, {}, {}, recipient.target};
    case TransferMethod::Forward: break;
  }
  const auto target = chain::ForwardTarget::parse(recipient.target);
  if (!target) return RuledRoute{What::Waits, {}, "451 4.3.5 the target of the forward cannot be read"};
  // A transport that knows no URLs must not take it for a host: in the clear or without the log-in it must not go.
  if (!target->is_plain()) return RuledRoute{What::Forward, target->public_text(), {}, target->password};
  return RuledRoute{What::Forward, target->delivery_host(), {}};
}

}  // namespace

RuledRoutes ruled_routes(std::string_view context) {
  RuledRoutes routes;
  if (!speaks_of_transports(context)) return routes;
  const auto parsed = chain::Context::parse(context);
  if (!parsed) return routes;
  // A quarantine takes its message out of delivery for all recipients (quarantine() of rules). One that is here in spite of that was
  // released by an operator, who wants it delivered.
  const bool is_released = chain::folder_in(*parsed).starts_with("quarantine/") || parsed->has("released.quarantine");
  for (const auto& recipient : parsed->recipients()) {
    auto route = route_of(recipient);
    if (!route || (is_released && route->what == What::Nothing)) continue;
    routes.insert_or_assign(recipient.address, std::move(*route));
  }
  return routes;
}

}  // namespace run
