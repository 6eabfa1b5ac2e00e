// Calls of both kinds become jobs, and what became of the jobs an answer. DESIGN.md 2.1 and 2.3.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "deliver-remote/deliverer.h"
#include "lib/chain/delivery_call.h"
#include "lib/chain/message_call.h"

namespace remote {

// Takes a call and answers it: `done` is called once, later or from inside this. `deliverer` is borrowed until then.
using Answered = std::function<void(chain::Answer)>;
void take_call(Deliverer& deliverer, const chain::Invocation& invocation, Answered done);

// ---- the pure parts

// There is at least one outcome. `tells_reach`: the caller has asked for notifications, and so knows the letters for it.
[[nodiscard]] chain::DeliveryReport report_of(const std::vector<Outcome>& outcomes, bool tells_reach = false);

// The worst outcome answers for the whole message, in the server's own words.
[[nodiscard]] chain::Answer answer_of(const Outcome& outcome);

// Recipients that go to the same destination.
struct Group {
  std::string host;
  std::vector<std::string> recipients;
};
// Both are given domains in lower case; recipients of one group are of the same section too.
using OfDomain = std::function<std::string(std::string_view)>;
[[nodiscard]] std::vector<Group> group_by_host(const std::vector<std::string>& recipients, const OfDomain& host_of, const OfDomain& section_of = {});
// In lower case.
[[nodiscard]] std::string domain_of(std::string_view recipient);

}  // namespace remote
