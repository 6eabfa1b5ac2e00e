#include "queue-run/transports.h"

#include <algorithm>

#include "lib/base/settings_testing.h"

namespace {

using base::Settings;
using base::testing::set;

std::string error_of(std::initializer_list<std::array<std::string_view, 3>> rows) {
  Settings settings;
  for (const auto& [section, key, value] : rows) set(settings, section, key, value);
  const auto table = run::transports_of(settings);
  if (!table) {
    CHECK(table.error().fault == base::Fault::Config);
    return table.error().cause;
  }
  std::vector<run::TransportSettings> transports;
  for (const auto& row : *table) transports.push_back(row.settings);
  const auto ways = run::ways_of(settings, transports);
  REQUIRE_FALSE(ways);
  CHECK(ways.error().fault == base::Fault::Config);
  return ways.error().cause;
}

}  // namespace

TEST_CASE("transports: local and remote first, then those of sections") {
  Settings settings;
  set(settings, "queue", "processes", "10");
  set(settings, "transport \"lists\"", "program", "deliver-pipe --all");
  set(settings, "transport \"lists\"", "recipients_per_call", "1");
  set(settings, "transport \"dovecot\"", "program", "unix:/run/vsmtp/lmtp");
  set(settings, "transport \"dovecot\"", "host", "unix:/run/dovecot/lmtp");
  set(settings, "transport \"dovecot\"", "concurrency", "30");
  set(settings, "transport \"dovecot\"", "destination_concurrency", "25");
  const auto rows = run::transports_of(settings);
  REQUIRE(rows);
  REQUIRE(rows->size() >= 4);
  CHECK((*rows)[run::index_of(run::Transport::Local)].settings.name == "local");
  CHECK((*rows)[run::index_of(run::Transport::Remote)].settings.name == "remote");
  const auto& dovecot = (*rows)[2];
  CHECK(dovecot.settings.name == "dovecot");
  CHECK(dovecot.settings.limits.calls == 30);
  CHECK(dovecot.settings.limits.calls_per_destination == 25);
  CHECK(dovecot.of_route.host == "unix:/run/dovecot/lmtp");
  const auto& lists = (*rows)[3];
  CHECK(lists.settings.program == chain::Words{"deliver-pipe", "--all"});
  CHECK(lists.settings.limits.calls == 10);  // queue.processes
  CHECK(lists.of_route.recipients_per_call == 1);
  REQUIRE(rows->size() == 7);
  CHECK((*rows)[4].settings.program == chain::Words{"deliver-remote", "--protocol", "lmtp"});
  CHECK((*rows)[5].settings.program == chain::Words{"deliver-maildir", "--mbox"});
  CHECK((*rows)[6].of_route.name == "pipe");
  set(settings, "transport \"pipe\"", "program", "my-pipe");
  const auto with_own = run::transports_of(settings);
  CHECK(with_own->size() == 7);
  CHECK(std::ranges::count(*with_own, std::string("pipe"), [](const auto& row) { return row.settings.name; }) == 1);
}

TEST_CASE("transports: a way names one of them") {
  Settings settings;
  set(settings, "transport \"lists\"", "program", "deliver-pipe");
  set(settings, "relay \"lists.test\"", "transport", "lists");
  set(settings, "relay \"here.test\"", "transport", "local");
  set(settings, "relay \"there.test\"", "host", "there");
  const auto ways = run::ways_of(settings, {{"local", {}, {}}, {"remote", {}, {}}, {"lists", {}, {}}});
  REQUIRE(ways);
  CHECK(ways->find("lists.test")->transport == static_cast<run::Transport>(2));
  CHECK(ways->find("here.test")->transport == run::Transport::Local);
  CHECK(ways->find("there.test")->transport == run::Transport::Remote);
}

TEST_CASE("transports: whether the remote one takes URLs") {
  for (const auto& [value, takes] : {std::pair("yes", true), {"no", false}}) {
    Settings settings;
    set(settings, "queue", "remote_transport_urls", value);
    CHECK((*run::transports_of(settings))[1].of_route.takes_urls == takes);
  }
  CHECK((*run::transports_of(Settings()))[1].of_route.takes_urls);
}

TEST_CASE("transports: of those of sections deliver-remote takes URLs") {
  for (const auto& [program, takes] : {std::pair("deliver-remote --protocol lmtp", true), {"/usr/sbin/deliver-remote", true}, {"/opt/my-deliver-remote", false}, {"unix:/run/lmtp", false}}) {
    Settings settings;
    set(settings, "transport \"lmtp\"", "program", program);
    CHECK((*run::transports_of(settings))[2].of_route.takes_urls == takes);
  }
  CHECK((*run::transports_of(Settings()))[2].of_route.takes_urls);
}

TEST_CASE("transports: mistakes") {
  CHECK(error_of({{"transport \"x\"", "host", "y"}}).contains("transport \"x\".program: expected: one program"));
  CHECK(error_of({{"transport \"x\"", "program", "a -- b"}}).contains("expected: one program"));
  CHECK(error_of({{"transport \"x\"", "program", "a"}, {"transport \"x\"", "concurrency", "0"}}).contains("transport \"x\".concurrency: 0; expected: at least 1"));
  CHECK(error_of({{"transport \"x y\"", "program", "a"}}).contains("expected: a name of at most 64 letters"));
  CHECK(error_of({{"transport \"remote\"", "program", "a"}}).contains("this one is queue.remote_transport"));
  CHECK(error_of({{"transport \"x\"", "program", "a"}, {"transport \"x\"", "host", "--config=y"}}).contains("host begins with a dash"));
  CHECK(error_of({{"relay \"d.test\"", "transport", "nobody"}}).contains("[relay \"d.test\"] transport = 'nobody'; expected: one of local remote"));
  CHECK(error_of({{"queue", "local_concurrency", "0"}}).contains("queue.local_concurrency: 0"));
}
