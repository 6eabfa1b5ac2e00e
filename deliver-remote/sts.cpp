#include "deliver-remote/sts.h"

#include <utility>

namespace remote {

base::Result<StsPolicy> read_sts(const chain::PolicyAttributes& answer) {
  const auto* const action = chain::find(answer, "action");
  const auto mode = action != nullptr ? authn::sts::read_mode(*action) : std::nullopt;
  if (!mode) return base::fail(base::Fault::Temporary, "MTA-STS: the answer has no action; expected: none, testing or enforce");
  StsPolicy policy;
  policy.mode = *mode;
  for (const auto& [name, value] : answer) {
    if (name == "mx") policy.mx.emplace_back(value);
    if (name == "failure") policy.failure = value;
    if (name == "problem") policy.problem = value;
  }
  if (policy.mx.empty() && *mode != authn::sts::Mode::None) return base::fail(base::Fault::Temporary, "MTA-STS: the answer has no mx");
  return policy;
}

std::uint64_t StsClient::ask(const std::string& domain, Done done) {
  std::string question;
  chain::append_policy(question, "request", "mta_sts");
  chain::append_policy(question, "domain", domain);
  question += '\n';
  return client_.ask(program_, std::move(question), [done = std::move(done)](base::Result<chain::PolicyAttributes> answer) {
    if (!answer) return done(base::fail_within("MTA-STS", answer.error()));
    done(read_sts(*answer));
  });
}

}  // namespace remote
