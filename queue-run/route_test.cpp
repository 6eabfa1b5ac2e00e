#include "queue-run/route.h"

#include <doctest/doctest.h>

#include <numeric>

using run::Router;
using run::Transport;

namespace {

mail::DomainList domains(std::vector<std::string> entries) { return mail::DomainList(entries); }

struct Row {
  std::string_view recipient;
  Transport transport;
  std::string_view host;
};

void check(const Router& router, std::initializer_list<Row> rows) {
  for (const auto& row : rows) {
    CAPTURE(row.recipient);
    const auto route = router.route(row.recipient);
    CHECK(route.transport == row.transport);
    CHECK(route.host == row.host);
  }
}

std::vector<run::Batch> batches(const Router& router, const std::vector<std::string>& recipients) {
  std::vector<std::uint32_t> pending(recipients.size());
  std::iota(pending.begin(), pending.end(), 0);
  return router.batches(recipients, pending);
}

}  // namespace

TEST_CASE("route: local domains are local, all else goes to its own domain") {
  const Router router({.local_domains = domains({"Example.org", ".sub.example.net"}), .relay_host = ""});
  check(router, {
                    {"me@example.org", Transport::Local, "example.org"},
                    {"me@EXAMPLE.ORG", Transport::Local, "example.org"},
                    {"me@example.org.", Transport::Local, "example.org"},
                    {"me@a.example.org", Transport::Remote, "a.example.org"},
                    {"me@notexample.org", Transport::Remote, "notexample.org"},
                    {"me@x.sub.example.net", Transport::Local, "x.sub.example.net"},
                    {"me@y.x.sub.example.net", Transport::Local, "y.x.sub.example.net"},
                    {"me@sub.example.net", Transport::Remote, "sub.example.net"},
                    {"\"odd@example.org\"@example.com", Transport::Remote, "example.com"},
                    {"me@[192.0.2.1]", Transport::Remote, "[192.0.2.1]"},
                    {"postmaster", Transport::Local, ""},
                });
}

TEST_CASE("route: '*' makes every domain local") {
  check(Router({.local_domains = domains({"*"}), .relay_host = "relay.example.net"}), {{"me@example.com", Transport::Local, "example.com"}});
}

TEST_CASE("route: a relay host takes all that is not local") {
  check(Router({.local_domains = domains({"example.org"}), .relay_host = "[127.0.0.1]:2525"}), {
                                                                                         {"me@example.org", Transport::Local, "example.org"},
                                                                                         {"you@example.com", Transport::Remote, "[127.0.0.1]:2525"},
                                                                                     });
}

TEST_CASE("route: recipients at one destination go in one call") {
  const Router router({.local_domains = domains({"local.test"}), .relay_host = ""});
  const auto all = batches(router, {"a@one.test", "b@two.test", "c@ONE.test", "d@local.test", "e@local.test"});
  REQUIRE(all.size() == 3);
  CHECK(all[0].route.host == "one.test");
  CHECK(all[0].recipients == std::vector<std::uint32_t>{0, 2});
  CHECK(all[1].recipients == std::vector<std::uint32_t>{1});
  CHECK(all[2].route.transport == Transport::Local);
  CHECK(all[2].recipients == std::vector<std::uint32_t>{3, 4});
}

TEST_CASE("route: with a relay host the domains do not matter") {
  CHECK(batches(Router({.local_domains = {}, .relay_host = "relay.test"}), {"a@one.test", "b@two.test"}).size() == 1);
}

TEST_CASE("route: a call has no more recipients than recipients_per_call") {
  const Router router({.local_domains = {}, .relay_host = "", .recipients_per_call = 3});
  const auto sizes = [&](std::size_t recipients) {
    std::vector<std::size_t> found;
    for (const auto& batch : batches(router, std::vector<std::string>(recipients, "a@one.test"))) found.push_back(batch.recipients.size());
    return found;
  };
  CHECK(sizes(2) == std::vector<std::size_t>{2});
  CHECK(sizes(3) == std::vector<std::size_t>{3});
  CHECK(sizes(4) == std::vector<std::size_t>{3, 1});
  CHECK(sizes(7) == std::vector<std::size_t>{3, 3, 1});
}

TEST_CASE("route: only pending recipients") {
  const Router router({.local_domains = {}, .relay_host = ""});
  const std::vector<std::string> recipients = {"a@one.test", "b@one.test", "c@one.test"};
  const std::vector<std::uint32_t> pending = {0, 2};
  const auto all = router.batches(recipients, pending);
  REQUIRE(all.size() == 1);
  CHECK(all[0].recipients == pending);
}

TEST_CASE("route: what rules said wins over domains and relay host") {
  const Router router({.local_domains = domains({"local.test"}), .relay_host = "relay.test"});
  const std::vector<std::string> recipients = {"a@One.test", "b@local.test", "c@local.test", "d@two.test"};
  const std::vector<std::uint32_t> pending = {0, 1, 2, 3};
  using What = run::RuledRoute::What;
  const auto all = router.batches(recipients, pending, {{"a@One.test", {What::Local, {}, {}}}, {"b@local.test", {What::Forward, "[192.0.2.1]:26", {}}}});
  REQUIRE(all.size() == 4);
  CHECK(all[0].route.transport == Transport::Local);
  CHECK(all[0].route.host == "one.test");
  CHECK(all[1].route.transport == Transport::Remote);
  CHECK(all[1].route.host == "[192.0.2.1]:26");
  CHECK(all[2].route.host == "local.test");
  CHECK(all[3].route.host == "relay.test");
}
