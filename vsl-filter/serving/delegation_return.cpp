#include "vsl-filter/serving/delegation_return.h"

#include <algorithm>

#include "lib/queue/id.h"

namespace rules {
namespace {

bool has_delegate(const RuleSet& rules, Stage stage, std::string_view name) {
  return std::ranges::any_of(rules.directives(stage), [&](const Directive& one) { return one.kind == DirectiveKind::Delegate && one.name == name; });
}

}  // namespace

std::expected<void, std::string> take_return(const RuleSet& rules, const SmtpService& service, Session& session) {
  if (!service.takes_from(session.connection.client_ip)) return std::unexpected("554 5.7.1 Client host rejected: messages come back from content filters here");
  Transaction& transaction = *session.transaction();
  HeaderList& header = transaction.message->header();
  const auto bodies = header.bodies(chain::kDelegationField);
  const auto mark = bodies.empty() ? std::nullopt : chain::DelegationMark::parse(bodies.front());
  if (!mark) return std::unexpected("500 Delegation header not found");
  const auto stage = stage_of(mark->stage);
  if (!stage || has_client(*stage)) return std::unexpected("500 Delegation stage not matching");
  if (!has_delegate(rules, *stage, mark->directive)) return std::unexpected("500 Delegation directive not found");
  if (!queue::Id::parse(mark->id)) return std::unexpected("500 Delegation failed to get old context");
  chain::Delegation returned;
  returned.state = chain::Delegation::State::Returned;
  returned.stage = mark->stage;
  returned.directive = mark->directive;
  returned.id = mark->id;
  returned.receiver = service.receiver();
  while (header.remove(chain::kDelegationField)) {}
  transaction.delegation = std::move(returned);
  session.set_skip(Stage::Preq, {.kind = Skip::Kind::DelegationResult, .code = {}, .reply = {}, .name = {}});
  return {};
}

}  // namespace rules
