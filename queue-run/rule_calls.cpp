#include "queue-run/rule_calls.h"

#include <algorithm>

#include "lib/chain/envelope.h"

namespace run {
namespace {

chain::Caller::Limits limits_of(const RulesSettings& settings) {
  chain::Caller::Limits limits;
  limits.timeout_milliseconds = settings.timeout_milliseconds;
  limits.processes = std::max<std::size_t>(1, settings.limits.calls);
  limits.takes_passes = true;
  return limits;
}

}  // namespace

bool has_program(const chain::Words& words) {
  for (chain::WordsView rest = words; !rest.empty();) {
    const auto link = chain::first_link(rest);
    if (link.program.empty()) return false;
    if (!chain::is_resident(link.program.front())) return true;
    rest = link.rest;
  }
  return false;
}

RuleCalls::RuleCalls(net::Loop& loop, RulesSettings settings)
    : settings_(std::move(settings)), needs_end_(has_program(settings_.chain)), caller_(loop, limits_of(settings_)) {}

std::uint64_t RuleCalls::call(const Message& message, const std::string& context, chain::Caller::Done done) {
  chain::Call call;
  call.message = message.octets;
  call.envelope = chain::to_octets(message.envelope);
  call.context = context;
  if (!needs_end_) return caller_.call(settings_.chain, std::move(call), std::move(done));
  auto words = settings_.chain;
  words.emplace_back("--");
  words.insert(words.end(), settings_.end.begin(), settings_.end.end());
  words.push_back(message.id.string());
  return caller_.call(words, std::move(call), std::move(done));
}

}  // namespace run
