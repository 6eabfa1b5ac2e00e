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

TEST_CASE("route: sections go before local domains and the relay host, the one for all behind the former") {
  Router::Table table{.local_domains = domains({"local.test", ".local.test"}), .relay_host = "relay.test"};
  const auto lists = static_cast<Transport>(2);
  table.ways.add("partner.test", {"partner.test", true, Transport::Remote, "[192.0.2.1]", ""});
  table.ways.add(".local.test", {".local.test", true, lists, "", ""});
  table.ways.add("here.local.test", {"here.local.test", true, Transport::Local, "", ""});
  table.ways.add("direct.test", {"direct.test", true, Transport::Remote, "", ""});
  table.ways.add("gone.test", {"gone.test", true, Transport::Remote, "", "550 5.1.2 gone"});
  table.ways.add("tls.partner.test", {"tls.partner.test", false, Transport::Remote, "", ""});
  const Router without_all(table);
  check(without_all, {
                         {"me@Partner.test", Transport::Remote, "[192.0.2.1]"},
                         {"me@a.partner.test", Transport::Remote, "relay.test"},
                         {"me@local.test", Transport::Local, "local.test"},
                         {"me@a.local.test", lists, "a.local.test"},
                         {"me@here.local.test", Transport::Local, "here.local.test"},
                         {"me@direct.test", Transport::Remote, "direct.test"},
                         {"me@tls.partner.test", Transport::Remote, "relay.test"},
                         {"postmaster", Transport::Local, ""},
                     });
  CHECK(without_all.route("me@gone.test").refusal == "550 5.1.2 gone");
  CHECK(without_all.route("me@tls.partner.test").section == "tls.partner.test");

  table.ways.add("*", {"*", true, lists, "", ""});
  table.ways.add(".partner.test", {".partner.test", false, Transport::Remote, "", ""});
  table.transports = {{"local"}, {"remote"}, {"lists", "unix:/run/lists", 1}};
  check(Router(table), {
                           {"me@local.test", Transport::Local, "local.test"},
                           {"me@a.partner.test", lists, "unix:/run/lists"},
                           {"me@far.test", lists, "unix:/run/lists"},
                           {"me@a.local.test", lists, "unix:/run/lists"},
                           {"me@partner.test", Transport::Remote, "[192.0.2.1]"},
                       });
}

TEST_CASE("route: recipients of two sections are in two calls, also to one host; a transport has a limit of its own") {
  Router::Table table{.local_domains = {}, .relay_host = "relay.test", .recipients_per_call = 3};
  table.ways.add("a.test", {"a.test", true, Transport::Remote, "smart.test", ""});
  table.ways.add("b.test", {"b.test", true, Transport::Remote, "smart.test", ""});
  table.ways.add("c.test", {"c.test", true, static_cast<Transport>(2), "smart.test", ""});
  table.transports = {{"local"}, {"remote"}, {"lists", "", 1}};
  const auto all = batches(Router(table), {"1@a.test", "2@b.test", "3@a.test", "4@c.test", "5@c.test", "6@x.test", "7@y.test"});
  REQUIRE(all.size() == 5);
  CHECK(all[0].recipients == std::vector<std::uint32_t>{0, 2});
  CHECK(all[1].recipients == std::vector<std::uint32_t>{1});
  CHECK(all[2].recipients == std::vector<std::uint32_t>{3});
  CHECK(all[3].recipients == std::vector<std::uint32_t>{4});
  CHECK(all[4].recipients == std::vector<std::uint32_t>{5, 6});
}

TEST_CASE("route: rules name a transport") {
  Router::Table table{.local_domains = {}, .relay_host = "relay.test"};
  table.transports = {{"local"}, {"remote"}, {"pipe"}, {"box", "unix:/run/box"}};
  const Router router(table);
  using What = run::RuledRoute::What;
  const run::RuledRoutes ruled = {{"a@One.test", {What::Named, "|cmd", {}, {}, "pipe"}}, {"b@one.test", {What::Named, {}, {}, {}, "box"}}, {"c@one.test", {What::Named, {}, {}, {}, "pipe"}}, {"d@one.test", {What::Named, {}, {}, {}, "none"}}};
  CHECK(router.route("a@One.test", ruled).host == "|cmd");
  CHECK(router.route("a@One.test", ruled).transport == static_cast<Transport>(2));
  CHECK(router.route("b@one.test", ruled).host == "unix:/run/box");
  CHECK(router.route("c@one.test", ruled).host == "one.test");
  CHECK(router.route("d@one.test", ruled).refusal == "451 4.3.5 no transport is called none");
}

TEST_CASE("route: a forward by URL waits where the remote transport would take it for a host") {
  Router::Table table{.local_domains = {}, .relay_host = ""};
  table.transports = {{"local"}, {"remote"}};
  using What = run::RuledRoute::What;
  const run::RuledRoutes ruled = {{"a@one.test", {What::Forward, "smtp://me@far.test?tls=required", {}, "password"}}, {"b@one.test", {What::Forward, "[192.0.2.1]", {}}}};
  CHECK(Router(table).route("a@one.test", ruled).host == "smtp://me@far.test?tls=required");
  table.transports[1].takes_urls = false;
  CHECK(Router(table).route("a@one.test", ruled).refusal.starts_with("451 4.3.5"));
  CHECK(Router(table).route("b@one.test", ruled).host == "[192.0.2.1]");
}
