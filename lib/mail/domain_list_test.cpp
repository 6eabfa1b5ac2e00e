#include "lib/mail/domain_list.h"

#include <doctest/doctest.h>

#include <vector>

TEST_CASE("a domain is found as itself, below a leading dot, or by the star") {
  struct Case {
    std::vector<std::string> entries;
    std::string_view domain;
    bool expected;
  };
  const Case cases[] = {
      {{"example.org"}, "example.org", true},
      {{"Example.ORG"}, "eXample.org", true},
      {{"example.org"}, "example.org.", true},
      {{"example.org."}, "example.org", true},
      {{"example.org"}, "mail.example.org", false},
      {{"example.org"}, "badexample.org", false},
      {{".example.org"}, "mail.example.org", true},
      {{".example.org"}, "a.b.example.org", true},
      {{".example.org"}, "example.org", false},
      {{".example.org"}, "badexample.org", false},
      {{"a.example", "b.example"}, "b.example", true},
      {{"*"}, "anything.example", true},
      {{"*"}, "", false},
      {{"*"}, ".", false},
      {{}, "example.org", false},
      {{"."}, "example.org", false},
      {{"[192.0.2.1]"}, "[192.0.2.1]", true},
  };
  for (const auto& c : cases) {
    CAPTURE(c.domain);
    CHECK(mail::DomainList(c.entries).contains(c.domain) == c.expected);
  }
  CHECK(mail::DomainList().is_empty());
  CHECK_FALSE(mail::DomainList(std::vector<std::string>{"*"}).is_empty());
}
