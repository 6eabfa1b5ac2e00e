#include "smtpd/shield.h"

#include <doctest/doctest.h>

using smtpd::Deed;
using smtpd::Shield;

namespace {
std::shared_ptr<Shield> shield(std::initializer_list<std::pair<const char*, const char*>> given) {
  base::Settings settings;
  REQUIRE(settings.set(*base::find_setting("shield.rows"), "256"));
  for (const auto& [name, value] : given) REQUIRE(settings.set(*base::find_setting(name), value));
  auto made = Shield::from(settings, std::nullopt);
  REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().cause));
  return *made;
}
net::Address address(const char* ip) { return *net::Address::from_ip(ip, 1234); }
}  // namespace

TEST_CASE("shield: connections at, and beyond the limit, of an address and of its network") {
  const auto own = shield({{"shield.connection_rate", "3"}, {"shield.network_factor", "2"}});
  for (int i = 0; i < 3; ++i) CHECK(own->turns_away(address("192.0.2.1")).empty());
  CHECK(own->turns_away(address("192.0.2.1")) == "too many connections in a time from 192.0.2.1");
  CHECK(own->turns_away(address("192.0.2.2")).empty());
  CHECK(own->turns_away(address("192.0.2.3")).empty());
  CHECK(own->turns_away(address("192.0.2.4")) == "too many connections in a time from 192.0.2.0/24");
  CHECK(own->turns_away(address("198.51.100.1")).empty());
  for (int i = 0; i < 10; ++i) CHECK(own->turns_away(address("127.0.0.1")).empty());  // exempt
  CHECK(own->turns_away(net::Address()).empty());
}

TEST_CASE("shield: without limits nobody is stopped") {
  const auto own = shield({{"shield.error_rate", "0"}, {"shield.failed_log_in_rate", "0"}});
  for (int i = 0; i < 1000; ++i) {
    own->note(address("192.0.2.1"), Deed::Error, 10);
    own->note(address("192.0.2.1"), Deed::FailedLogIn, 10);
    CHECK(own->puts_off(address("192.0.2.1"), Deed::Recipient).empty());
    CHECK(own->turns_away(address("192.0.2.1")).empty());
  }
}

TEST_CASE("shield: messages, their octets and recipients are put off") {
  const auto own = shield({{"shield.message_rate", "2"}, {"shield.recipient_rate", "3"}, {"shield.octet_rate", "1k"}, {"shield.network_factor", "0"}});
  const auto client = address("2001:db8::1");
  CHECK(own->puts_off(client, Deed::Message).empty());
  own->note(client, Deed::Octets, 1024);
  CHECK(own->puts_off(client, Deed::Message).empty());
  own->note(client, Deed::Octets, 1);
  CHECK(own->puts_off(client, Deed::Message) == "too many octets in a time from 2001:db8::1");
  for (int i = 0; i < 3; ++i) CHECK(own->puts_off(client, Deed::Recipient).empty());
  CHECK(own->puts_off(client, Deed::Recipient) == "too many recipients in a time from 2001:db8::1");
  CHECK(own->puts_off(address("2001:db8::2"), Deed::Recipient).empty());
}

TEST_CASE("shield: who makes too many errors or fails to log in too often is banned, with its network only when that does") {
  for (const auto& [setting, deed] : {std::pair("shield.error_rate", Deed::Error), std::pair("shield.failed_log_in_rate", Deed::FailedLogIn)}) {
    const auto own = shield({{setting, "5"}, {"shield.network_factor", "2"}, {"shield.ban_time", "1h"}});
    own->note(address("192.0.2.1"), deed, 5);
    CHECK(own->turns_away(address("192.0.2.1")).empty());
    own->note(address("192.0.2.1"), deed, 1);
    CHECK(own->turns_away(address("192.0.2.1")) == "banned");
    CHECK(own->turns_away(address("192.0.2.2")).empty());
    own->note(address("192.0.2.2"), deed, 5);
    CHECK(own->turns_away(address("192.0.2.77")) == "banned");
    CHECK(own->turns_away(address("198.51.100.1")).empty());
  }
  const auto harmless = shield({{"shield.error_rate", "5"}, {"shield.ban_time", "0"}});
  harmless->note(address("192.0.2.1"), Deed::Error, 1000);
  CHECK(harmless->turns_away(address("192.0.2.1")).empty());
}

TEST_CASE("shield: failed log-ins are counted for longer, and a network of IPv6 is one who tries") {
  const auto own = shield({{"auth.failure_address_max", "3"}, {"auth.failure_address_time", "1h"}, {"shield.period", "1ms"}});
  for (int i = 0; i < 2; ++i) own->note(address("192.0.2.1"), Deed::FailedLogIn, 1);
  CHECK_FALSE(own->forbids_log_in(address("192.0.2.1")));
  own->note(address("192.0.2.1"), Deed::FailedLogIn, 1);
  CHECK(own->forbids_log_in(address("192.0.2.1")));
  CHECK_FALSE(own->forbids_log_in(address("192.0.2.2")));
  for (const char* ip : {"2001:db8::1", "2001:db8::2", "2001:db8::3"}) own->note(address(ip), Deed::FailedLogIn, 1);
  CHECK(own->forbids_log_in(address("2001:db8::4")));
  CHECK_FALSE(own->forbids_log_in(address("2001:db8:0:1::4")));
  own->note(address("127.0.0.1"), Deed::FailedLogIn, 100);
  CHECK_FALSE(own->forbids_log_in(address("127.0.0.1")));
  const auto patient = shield({{"auth.failure_address_max", "0"}});
  patient->note(address("192.0.2.1"), Deed::FailedLogIn, 59);
  CHECK_FALSE(patient->forbids_log_in(address("192.0.2.1")));
}

TEST_CASE("shield: who makes errors is answered later with each of them, in whatever session") {
  const auto own = shield({{"shield.tarpit_error_count", "3"}, {"shield.tarpit_delay", "2s"}, {"shield.tarpit_delay_max", "8s"}, {"shield.period", "1h"}});
  const auto client = address("2001:db8::1");
  own->note(client, Deed::Error, 2);
  CHECK(own->suspicion(client) == 0);
  own->note(client, Deed::Error, 1);
  CHECK(own->suspicion(client) == 1);  // the next one
  own->note(client, Deed::Error, 2);
  CHECK(own->suspicion(client) == 3);
  CHECK(own->suspicion(address("2001:db8::2")) == 3);
  CHECK(own->suspicion(address("2001:db8:0:1::2")) == 0);
  CHECK(own->suspicion(address("127.0.0.1")) == 0);
  CHECK(own->delay_of(1, 5000) == 5000);
  CHECK(own->delay_of(2, 5000) == 7000);
  CHECK(own->delay_of(3, 5000) == 8000);
  CHECK(own->delay_of(1000, 5000) == 8000);
  CHECK(own->delay_of(2, 10'000) == 10'000);  // what is set for the first one is not less for others
}

TEST_CASE("shield: a bad network is an error that names the setting") {
  base::Settings settings;
  REQUIRE(settings.set(*base::find_setting("shield.exempt"), "192.0.2.0/24 nonsense"));
  const auto made = Shield::from(settings, std::nullopt);
  REQUIRE_FALSE(made);
  CHECK(made.error().cause.starts_with("shield.exempt: "));
}
