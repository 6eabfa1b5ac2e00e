#include "queue-run/delegation.h"

#include <doctest/doctest.h>

#include <vector>

using namespace std::chrono_literals;
using queue::Event;
using Kind = queue::EventKind;

namespace {

const base::WallTime kNow = *base::parse_rfc3339("2026-11-22T12:00:00Z");
Event event(Kind kind, base::WallTime::duration ago, std::string destination = {}, std::string text = {}) {
  return {kNow - ago, kind, std::nullopt, std::move(destination), {}, std::move(text)};
}
chain::Delegation returned(std::string stage, std::string directive) {
  chain::Delegation delegation;
  delegation.stage = std::move(stage);
  delegation.directive = std::move(directive);
  return delegation;
}

}  // namespace

TEST_CASE("queue-run: a message is lost when its filter has had it for too long") {
  const run::DelegationSettings settings{1h, run::Lost::Again};
  const auto is_lost = [&](std::vector<Event> events) { return run::is_lost(events, settings, kNow); };
  CHECK_FALSE(is_lost({}));
  CHECK_FALSE(is_lost({event(Kind::Delegated, 2h)}));
  CHECK_FALSE(is_lost({event(Kind::Delegated, 2h), event(Kind::Handed, 59min)}));
  CHECK(is_lost({event(Kind::Delegated, 2h), event(Kind::Handed, 1h)}));
  CHECK(is_lost({event(Kind::Handed, 1h), event(Kind::Note, 1min)}));
  CHECK_FALSE(is_lost({event(Kind::Handed, 2h), event(Kind::Back, 2h)}));
  // Rules have delegated it once more; or the filter did not take it the second time.
  CHECK_FALSE(is_lost({event(Kind::Handed, 2h), event(Kind::Delegated, 2h)}));
  CHECK_FALSE(is_lost({event(Kind::Handed, 2h), event(Kind::Deferred, 1h)}));
  CHECK(is_lost({event(Kind::Handed, 5h), event(Kind::Deferred, 4h), event(Kind::Handed, 3h)}));
}

TEST_CASE("queue-run: a message that is back for the second time is known") {
  for (const std::string name : {"scan", "with blanks", "back\\slash", "é"}) {
    CAPTURE(name);
    const auto first = run::event_of_return(returned("postq", name));
    const auto line = queue::to_line(first);
    const auto events = queue::parse_events(line);
    REQUIRE(events.size() == 1);
    CHECK(run::was_back(events, returned("postq", name)));
    CHECK_FALSE(run::was_back(events, returned("delivery", name)));
    CHECK_FALSE(run::was_back(events, returned("postq", name + "2")));
  }
  CHECK_FALSE(run::was_back({}, returned("postq", "scan")));
}

TEST_CASE("queue-run: a filter has the message when it takes it for anybody") {
  chain::DeliveryReport report;
  report.recipients = {{chain::Delivery::Rejected, "550 no"}, {chain::Delivery::Accepted, "250 ok"}};
  report.overall = chain::Outcome::Class::Taken;
  CHECK(run::is_handed(report));
  report.overall = chain::Outcome::Class::Temporary;
  CHECK_FALSE(run::is_handed(report));
  report.overall = chain::Outcome::Class::Taken;
  report.recipients.pop_back();
  CHECK_FALSE(run::is_handed(report));
}

TEST_CASE("queue-run: what becomes of lost messages, as the setting says it") {
  CHECK(run::lost_of("again") == run::Lost::Again);
  CHECK(run::lost_of("drop") == run::Lost::Drop);
  CHECK_FALSE(run::lost_of("lost"));
}
