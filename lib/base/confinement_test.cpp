#include "lib/base/confinement.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace {

base::Settings settings(std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
  base::Settings all;
  for (const auto& [name, value] : values) REQUIRE(all.set(*base::find_setting(name), value));
  return all;
}

}  // namespace

TEST_CASE("confinement: server.sandbox and an obstacle") {
  CHECK(base::is_confined(settings({}), ""));
  CHECK_FALSE(base::is_confined(settings({}), "it starts 'x'"));
  CHECK_FALSE(base::is_confined(settings({{"server.sandbox", "no"}}), ""));
  CHECK(base::is_confined(settings({{"server.sandbox", "yes"}}), ""));

  CHECK(base::check_confinement(settings({}), "it starts 'x'"));
  CHECK(base::check_confinement(settings({{"server.sandbox", "no"}}), "it starts 'x'"));
  const auto refused = base::check_confinement(settings({{"server.sandbox", "yes"}}), "it starts 'x'");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == base::Fault::Config);
  CHECK(refused.error().cause.find("it starts 'x'") != std::string::npos);
}

TEST_CASE("confinement: the folder of the log and those of the configuration can be written to") {
  const auto has = [](const std::vector<std::string>& list, std::string_view path) { return std::ranges::find(list, path) != list.end(); };
  base::Sandbox sandbox;
  base::add_common(sandbox, settings({{"log.destination", "/var/log/vsmtp/smtpd.log"}, {"server.sandbox_folders", "/srv/a /srv/b"}}));
  for (const auto* path : {"/var/log/vsmtp", "/srv/a", "/srv/b"}) CHECK(has(sandbox.writable, path));
  base::Sandbox other;
  base::add_common(other, settings({{"log.destination", "syslog"}}));
  CHECK(other.writable == std::vector<std::string>{"/dev/null"});
}
