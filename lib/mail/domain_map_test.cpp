#include "lib/mail/domain_map.h"

#include <doctest/doctest.h>

TEST_CASE("of the entries that match a domain the most specific one counts") {
  mail::DomainMap<std::string> map;
  CHECK(map.find("example.org") == nullptr);
  for (const auto* entry : {"example.org", ".Example.org", ".org", "*", ".lists.example.org", "[192.0.2.1]"}) CHECK(map.add(entry, entry));
  CHECK_FALSE(map.add("EXAMPLE.org.", "again"));
  struct Case {
    std::string_view domain, expected;
  };
  for (const auto& c : std::initializer_list<Case>{{"example.org", "example.org"},
                                                   {"EXAMPLE.ORG.", "example.org"},
                                                   {"mail.example.org", ".Example.org"},
                                                   {"lists.example.org", ".Example.org"},
                                                   {"a.b.lists.example.org", ".lists.example.org"},
                                                   {"badexample.org", ".org"},
                                                   {"example.net", "*"},
                                                   {"org", "*"},
                                                   {"[192.0.2.1]", "[192.0.2.1]"},
                                                   {"[192.0.2.2]", "*"}}) {
    CAPTURE(c.domain);
    const auto* found = map.find(c.domain);
    REQUIRE(found != nullptr);
    CHECK(*found == c.expected);
  }
  CHECK(map.find("") == nullptr);
  CHECK(map.find(".") == nullptr);
  CHECK(*map.find_for_all() == "*");
}

TEST_CASE("a value that is not wanted leaves the place to a less specific one") {
  mail::DomainMap<int> map;
  map.add("example.org", 1);
  map.add(".org", 2);
  map.add("*", 3);
  CHECK(*map.find("example.org", [](int value) { return value > 1; }) == 2);
  CHECK(*map.find("example.org", [](int value) { return value > 2; }) == 3);
  CHECK(map.find("example.org", [](int value) { return value > 3; }) == nullptr);
}
