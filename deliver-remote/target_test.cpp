#include "deliver-remote/target.h"

#include <doctest/doctest.h>

#include <vector>

using remote::Target;

TEST_CASE("target: names, hosts and addresses") {
  struct Row {
    std::string_view text;
    Target::Kind kind;
    std::string_view name;
    std::uint16_t port;
    std::string_view address;
  };
  using Kind = Target::Kind;
  for (const auto& row : std::vector<Row>{
           {"example.org", Kind::Domain, "example.org", 25, ""},
           {"example.org.", Kind::Domain, "example.org", 25, ""},
           {"example.org:2525", Kind::Domain, "example.org", 2525, ""},
           {"b\xC3\xBC" "cher.example:26", Kind::Domain, "xn--bcher-kva.example", 26, ""},
           {"[mail.example.org]", Kind::Host, "mail.example.org", 25, ""},
           {"[mail.example.org]:587", Kind::Host, "mail.example.org", 587, ""},
           {"192.0.2.1", Kind::Address, "192.0.2.1", 25, "192.0.2.1:25"},
           {"192.0.2.1:2525", Kind::Address, "192.0.2.1", 2525, "192.0.2.1:2525"},
           {"[192.0.2.1]", Kind::Address, "192.0.2.1", 25, "192.0.2.1:25"},
           {"[192.0.2.1]:2525", Kind::Address, "192.0.2.1", 2525, "192.0.2.1:2525"},
           {"[IPv6:2001:db8::1]", Kind::Address, "2001:db8::1", 25, "[2001:db8::1]:25"},
           {"[2001:db8::1]:2525", Kind::Address, "2001:db8::1", 2525, "[2001:db8::1]:2525"},
           {"2001:db8::1", Kind::Address, "2001:db8::1", 25, "[2001:db8::1]:25"},
           {"unix:/run/lmtp", Kind::Address, "unix:/run/lmtp", 25, "unix:/run/lmtp"},
       }) {
    CAPTURE(row.text);
    const auto target = Target::parse(row.text, 25);
    REQUIRE(target);
    CHECK(target->kind == row.kind);
    CHECK(target->name == row.name);
    CHECK(target->port == row.port);
    CHECK((target->address.is_empty() ? "" : target->address.text()) == row.address);
  }
}

TEST_CASE("target: what is none") {
  for (const auto* text : {"", ".", ":25", "[]", "[192.0.2.1", "[192.0.2.1]25", "example.org:", "example.org:0", "example.org:65536", "example.org:25x", "a b",
                           "a@b", "[a@b]", "a/b", "unix:", "\xE9.example", "[192.0.2.1]:25:25", "2001:db8::zz"}) {
    CAPTURE(text);
    const auto target = Target::parse(text, 25);
    CHECK_FALSE(target);
  }
}
