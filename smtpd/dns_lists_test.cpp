#include "smtpd/dns_lists.h"

#include <doctest/doctest.h>

using smtpd::DnsLists;

namespace {
DnsLists lists(std::vector<std::string> words, int threshold = 1) {
  auto parsed = DnsLists::parse(words, threshold);
  REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : parsed.error().cause));
  return *parsed;
}
using Answers = std::vector<std::vector<std::string>>;
net::Address address(const char* ip) { return *net::Address::from_ip(ip, 25); }
}  // namespace

TEST_CASE("dnsbl: names of addresses, IPv6 by nibbles") {
  CHECK(DnsLists::name_of(address("192.0.2.99"), "zen.example") == "99.2.0.192.zen.example");
  CHECK(DnsLists::name_of(address("::ffff:192.0.2.99"), "zen.example") == "99.2.0.192.zen.example");
  // RFC 5782 section 2.4
  CHECK(DnsLists::name_of(address("2001:db8:1:2:3:4:567:89ab"), "ugly.example.com") ==
        "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example.com");
}

TEST_CASE("dnsbl: filters and weights as postscreen has them") {
  const auto own = lists({"zen.example=127.0.0.[2..11]*3,", "zen.example=127.0.0.4*2,b.example", "good.example=127.0.[0..255].[1;3]*-4"}, 3);
  CHECK(own.zones() == std::vector<std::string>{"zen.example", "b.example", "good.example"});
  struct Row {
    Answers answers;
    int score;
    std::vector<std::string> names;
    std::string worst;
  };
  for (const auto& row : {Row{{{}, {}, {}}, 0, {}, ""},
                          Row{{{"127.0.0.2"}, {}, {}}, 3, {"zen.example"}, "zen.example"},
                          Row{{{"127.0.0.2", "127.0.0.3"}, {}, {}}, 3, {"zen.example"}, "zen.example"},  // a filter counts once
                          Row{{{"127.0.0.11"}, {}, {}}, 3, {"zen.example"}, "zen.example"},
                          Row{{{"127.0.0.12"}, {}, {}}, 0, {}, ""},
                          Row{{{"127.0.0.1"}, {}, {}}, 0, {}, ""},
                          Row{{{"127.0.0.4"}, {}, {}}, 5, {"zen.example"}, "zen.example"},
                          Row{{{}, {"127.0.0.77"}, {}}, 1, {"b.example"}, "b.example"},
                          Row{{{"127.0.0.4"}, {"127.0.0.2"}, {"127.0.9.3"}}, 2, {"zen.example", "b.example", "good.example"}, "zen.example"},
                          Row{{{}, {}, {"127.0.9.2"}}, 0, {}, ""},
                          Row{{{}, {}, {"127.0.9.1"}}, -4, {"good.example"}, ""}}) {
    const auto findings = own.judge(row.answers);
    CHECK(findings.score == row.score);
    CHECK(findings.lists == row.names);
    CHECK(findings.worst == row.worst);
    CHECK(own.is_listed(findings) == (row.score >= 3));
  }
}

TEST_CASE("dnsbl: a dead list that answers with anything, and one that will not be asked so, list nobody") {
  const auto own = lists({"dead.example"});
  CHECK(own.judge(Answers{{"203.0.113.7"}}).score == 0);
  CHECK(own.judge(Answers{{"127.255.255.254"}}).score == 0);
  CHECK(own.judge(Answers{{"nonsense"}}).score == 0);
  CHECK(own.judge(Answers{{"127.9.9.9"}}).score == 1);
  CHECK(lists({"dead.example=127.255.255.[1..255]"}).judge(Answers{{"127.255.255.254"}}).score == 0);
}

TEST_CASE("dnsbl: what is wrong is an error that shows it") {
  for (const char* text : {"=127.0.0.2", "*2", "zen.example*", "zen.example*x", "zen.example*2000", "zen.example=127.0.0", "zen.example=127.0.0.2.3", "zen.example=127.0.0.[2..1]",
                           "zen.example=127.0.0.[2", "zen.example=127.0.0.256", "zen.example=127.0.0.[]", "zen.example=127.0.0.2..4", "zen..example", ".example",
                           "zen.example=127.0.0.[1;]", "zen.example=a.b.c.d"}) {
    const auto parsed = DnsLists::parse({text});
    CAPTURE(text);
    CHECK_FALSE(parsed.has_value());
  }
  CHECK(DnsLists::parse({"", ","})->zones().empty());
  CHECK(lists({"Zen.Example."}).zones().front() == "zen.example");
}

TEST_CASE("dnsbl: the refusal names the list and quotes it, whatever it says") {
  CHECK(DnsLists::refusal({.score = 3, .lists = {"zen.example"}, .worst = "zen.example", .text = "https://zen.example/?ip=192.0.2.1"}, "192.0.2.1") ==
        "554 5.7.1 Service unavailable; client [192.0.2.1] blocked using zen.example; https://zen.example/?ip=192.0.2.1");
  const auto long_one = DnsLists::refusal({.worst = "zen.example", .text = std::string(5000, 'x') + "\r\n250 ok"}, "192.0.2.1");
  CHECK(long_one.size() < 450);
  CHECK(DnsLists::refusal({.worst = "zen.example", .text = "a\r\n250 b"}, "192.0.2.1").find('\n') == std::string::npos);
}
