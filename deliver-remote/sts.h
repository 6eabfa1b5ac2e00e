// Asks for the MTA-STS policy of a destination: mta-sts(8), by the session question.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "deliver-remote/tls_needs.h"
#include "lib/authn/mta_sts.h"
#include "lib/chain/policy_client.h"

namespace remote {

struct StsPolicy {
  authn::sts::Mode mode = authn::sts::Mode::None;
  std::vector<std::string> mx;
  std::string failure, problem;  // the domain says that it has a policy, which could not be had

  // What is asked of the hosts of the destination, should it be asked.
  [[nodiscard]] TlsDemand demand() const { return {TlsLevel::Verify, {}, "MTA-STS", true, mx}; }
};
// An answer that cannot be understood is an error.
[[nodiscard]] base::Result<StsPolicy> read_sts(const chain::PolicyAttributes& answer);

class StsClient {
 public:
  // `program`: as remote.mta_sts has it.
  StsClient(net::Loop& loop, chain::Words program) : program_(std::move(program)), client_(loop, {}) {}

  using Done = std::function<void(base::Result<StsPolicy>)>;
  // `done` is called later from the loop.
  std::uint64_t ask(const std::string& domain, Done done);
  void cancel(std::uint64_t question) { client_.cancel(question); }

 private:
  chain::Words program_;
  chain::PolicyClient client_;
};

}  // namespace remote
