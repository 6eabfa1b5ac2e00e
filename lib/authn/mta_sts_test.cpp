#include "lib/authn/mta_sts.h"

#include <doctest/doctest.h>

using namespace authn::sts;
using Texts = std::vector<std::string>;

namespace {
// The example of RFC 8461 section 3.2.
constexpr std::string_view kExample = "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800\n";
}  // namespace

TEST_CASE("mta-sts: the record and its id") {
  CHECK(find_id(Texts{"v=STSv1; id=20160831085700Z;"}) == "20160831085700Z");
  CHECK(find_id(Texts{"v=spf1 -all", "v=STSv1;id=1"}) == "1");
  CHECK(find_id(Texts{"v=STSv1 ; x-1=y ; id=1 ;"}) == "1");
  CHECK(find_id(Texts{"v=STSv1; id=1; id=2;"}) == "1");
  for (const auto* bad : {"", "v=STSv1", "v=STSv1;", "v=STSv2; id=1;", "v=stsv1; id=1;", " v=STSv1; id=1;", "v=STSv1; id=;", "v=STSv1; id=a b;", "v=STSv1; id=1;; x=y", "v=STSv1; id=a-b;",
                          "v=STSv1; id=123456789012345678901234567890123;", "v=STSv1; ID=1;", "v=STSv1; id=1; junk"}) {
    INFO(bad);
    CHECK_FALSE(find_id(Texts{bad}));
  }
  CHECK_FALSE(find_id(Texts{"v=STSv1; id=1;", "v=STSv1; id=1;"}));
  CHECK_FALSE(find_id(Texts{}));
}

TEST_CASE("mta-sts: the policy") {
  const auto policy = parse_policy(kExample);
  REQUIRE(policy);
  CHECK(policy->mode == Mode::Enforce);
  CHECK(policy->max_age_seconds == 604800);
  CHECK(policy->mx == Texts{"mail.example.com", "*.example.net", "backupmx.example.com"});
  const auto other_ends = parse_policy("version:STSv1\r\nmax_age:1\r\nmode:\ttesting \r\nmx:A.example\r\nmode: none\r\nnew-key: h\xC3\xA9\r\n");
  REQUIRE(other_ends);
  CHECK(other_ends->mode == Mode::Testing);
  CHECK(other_ends->mx == Texts{"a.example"});
  CHECK(parse_policy("version: STSv1\nmode: none\nmax_age: 0")->mx.empty());
  CHECK(parse_policy("version: STSv1\nmode: none\nmax_age: 9999999999")->max_age_seconds == Policy::kLongestSeconds);
  struct Row {
    const char *text, *error;
  };
  for (const auto& [text, error] : {Row{"", "no line 'version: STSv1'"}, Row{"version: STSv2\nmode: none\nmax_age: 1", "no line 'version: STSv1'"},
                                    Row{"version: STSv1\nmax_age: 1\nmx: a", "no mode; expected: enforce, testing or none"}, Row{"version: STSv1\nmode: on\nmax_age: 1\nmx: a", "no mode; expected: enforce, testing or none"},
                                    Row{"version: STSv1\nmode: enforce\nmx: a", "no max_age; expected: a number of seconds"}, Row{"version: STSv1\nmode: enforce\nmx: a\nmax_age: -1", "no max_age; expected: a number of seconds"},
                                    Row{"version: STSv1\nmode: enforce\nmx: a\nmax_age: 12345678901", "no max_age; expected: a number of seconds"},
                                    Row{"version: STSv1\nmode: enforce\nmax_age: 1", "no mx"}, Row{"version: STSv1\nmode: enforce\nmax_age: 1\nmx: *", "mx: '*'; expected: a domain, or *. and a domain"},
                                    Row{"version: STSv1\nmode: enforce\nmax_age: 1\nmx: a.*.b", "mx: 'a.*.b'; expected: a domain, or *. and a domain"},
                                    Row{"<html>", "'<html>' is no line of a policy"}}) {
    INFO(text);
    const auto wrong = parse_policy(text);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error() == error);
  }
}

TEST_CASE("mta-sts: which hosts a policy takes") {
  const auto policy = parse_policy(kExample);
  for (const auto* host : {"mail.example.com", "MAIL.example.com", "mail.example.com.", "mx.example.net", "backupmx.example.com"}) CHECK(policy->takes(host));
  for (const auto* host : {"example.com", "x.mail.example.com", "example.net", "a.b.example.net", ".example.net", ""}) CHECK_FALSE(policy->takes(host));
}
