#include "lib/broker/address.h"

#include <doctest/doctest.h>

using broker::parse_address;

TEST_CASE("broker: an address has hosts, user, password and vhost") {
  const auto address = parse_address("amqp://mail:p%40ss%2Fw%25@one.example,two.example:5673,[2001:db8::1]:5674/%2Fmail");
  REQUIRE(address);
  REQUIRE(address->hosts.size() == 3);
  CHECK(address->hosts[0].name == "one.example");
  CHECK(address->hosts[0].port == 5672);
  CHECK(address->hosts[1].port == 5673);
  CHECK(address->hosts[2].name == "2001:db8::1");
  CHECK(address->hosts[2].port == 5674);
  CHECK(address->user == "mail");
  CHECK(address->password == "p@ss/w%");
  CHECK(address->vhost == "/mail");
  CHECK(address->text() == "amqp://mail@one.example:5672,two.example:5673,[2001:db8::1]:5674/mail");
}

TEST_CASE("broker: what an address leaves out is what RabbitMQ has when it is new") {
  for (const char* text : {"amqp://localhost", "amqp://localhost/", "amqp://localhost:5672"}) {
    const auto address = parse_address(text);
    REQUIRE(address);
    CHECK(address->user == "guest");
    CHECK(address->password == "guest");
    CHECK_FALSE(address->has_password);
    CHECK(address->vhost == "/");
  }
}

TEST_CASE("broker: a bad address is refused, and the error does not repeat a password") {
  for (const char* text : {"amqp:/x", "amqp://", "amqp://u:topsecret@", "amqp://u:topsecret@host:0", "amqp://u:topsecret@host:65536", "amqp://u:topsecret@[::1",
                           "amqp://u:topsecret@[::1]x", "amqp://u:topsecret@host/a/b", "amqp://u:topsecret%zz@host", "amqp://u:topsecret%4@host", "amqp://u:topsecret@host?x=1",
                           "amqp://:topsecret@host", "amqp://u:topsecret%00@host", "amqp://u:topsecret@a,,b", "amqps://u:topsecret@host"}) {
    CAPTURE(text);
    const auto address = parse_address(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().fault == base::Fault::Config);
    CHECK(address.error().cause.find("topsecret") == std::string::npos);
  }
  CHECK(broker::is_address("amqp://x"));
  CHECK(broker::is_address("amqps://x"));
  CHECK_FALSE(broker::is_address("/var/spool/amqp:"));
}
