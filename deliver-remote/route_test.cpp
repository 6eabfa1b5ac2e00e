#include "deliver-remote/route.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "tests/smtp_suites.h"

using namespace remote;
using net::dns::Answer;
using net::dns::Status;
using Class = Verdict::Class;

namespace {

const Choose kFirst = [](std::size_t) { return std::size_t{0}; };
const Choose kLast = [](std::size_t bound) { return bound - 1; };  // keeps the order
const std::vector<std::string> kNobody;

std::string wire_name(std::string_view name) {
  std::string wire;
  for (std::size_t at = 0; at < name.size() && name != ".";) {
    const auto end = std::min(name.find('.', at), name.size());
    wire += static_cast<char>(end - at);
    wire += name.substr(at, end - at);
    at = end + 1;
  }
  return wire + '\0';
}

Answer status(Status value) {
  Answer answer;
  answer.status = value;
  answer.problem = value == Status::Temporary || value == Status::Bogus ? "MX example.org: SERVFAIL" : "";
  return answer;
}

Answer mx_of(const std::vector<std::pair<int, std::string>>& hosts) {
  auto answer = status(hosts.empty() ? Status::NoData : Status::Found);
  for (const auto& [preference, host] : hosts)
    answer.records.push_back(std::string{static_cast<char>(preference >> 8), static_cast<char>(preference)} + wire_name(host));
  return answer;
}

Answer addresses(const std::vector<std::string>& ips) {
  auto answer = status(ips.empty() ? Status::NoData : Status::Found);
  for (const auto& ip : ips) {
    const auto address = net::Address::from_ip(ip, 25);
    REQUIRE(address);
    const auto* octets = reinterpret_cast<const char*>(address->system());
    answer.records.emplace_back(ip.find(':') == std::string::npos ? std::string(octets + 4, 4) : std::string(octets + 8, 16));
  }
  return answer;
}

std::string joined(const std::expected<std::vector<net::dns::Mx>, Verdict>& hosts) {
  if (!hosts) return hosts.error().reply.words();
  std::string text;
  for (const auto& host : *hosts) text += (text.empty() ? "" : " ") + host.host;
  return text;
}

std::string joined(const std::expected<std::vector<Candidate>, Verdict>& candidates) {
  if (!candidates) return candidates.error().reply.words();
  std::string text;
  for (const auto& candidate : *candidates) text += (text.empty() ? "" : " ") + candidate.text();
  return text;
}

}  // namespace

TEST_CASE("route: hosts by preference") {
  struct Row {
    std::vector<std::pair<int, std::string>> mx;
    std::vector<std::string> own;
    std::string hosts;
  };
  for (const auto& row : std::vector<Row>{
           {{{20, "b.example"}, {10, "a.example"}, {1000, "d.example"}, {300, "c.example"}}, {}, "a.example b.example c.example d.example"},
           {{}, {}, "example.org"},
           {{{0, "."}}, {}, "556 5.1.10 example.org accepts no mail (null MX)"},
           {{{10, "."}}, {}, "556 5.1.10 example.org accepts no mail (null MX)"},
           {{{0, "."}, {10, "mx.example.net"}}, {}, "mx.example.net"},
           {{{0, "."}, {1, "."}}, {}, "550 5.4.4 no MX record of example.org names a host"},
           {{{10, "other.example"}, {20, "ME.example"}, {30, "last.example"}}, {"me.example"}, "other.example"},
           {{{10, "other.example"}, {20, "me.example"}, {20, "equal.example"}}, {"me.example"}, "other.example"},
           {{{10, "me.example"}}, {"me.example"}, "554 5.4.6 mail for example.org loops back: its best mail exchanger me.example is this host"},
           {{{10, "me.example"}, {10, "equal.example"}}, {"me.example"}, "554 5.4.6 mail for example.org loops back: its best mail exchanger me.example is this host"},
           {{}, {"Example.org"}, "554 5.4.6 mail for example.org loops back: its best mail exchanger example.org is this host"},
           {{{10, "a.example"}, {20, "A.example"}, {30, "b.example"}}, {}, "a.example b.example"},
       }) {
    CAPTURE(row.hosts);
    CHECK(joined(choose_hosts("example.org", mx_of(row.mx), row.own, kLast)) == row.hosts);
  }
  CHECK(joined(choose_hosts("example.org", status(Status::NoName), kNobody, kLast)) == "550 5.1.2 no such domain: example.org");
  CHECK(joined(choose_hosts("example.org", status(Status::Temporary), kNobody, kLast)) == "451 4.4.3 DNS: MX example.org: SERVFAIL");
  CHECK(joined(choose_hosts("example.org", status(Status::Bogus), kNobody, kLast)) == "451 4.7.5 DNSSEC: MX example.org: SERVFAIL");
}

TEST_CASE("route: equal preferences are in random order, and stay before worse ones") {
  const auto mx = mx_of({{20, "d.example"}, {10, "a.example"}, {10, "b.example"}, {10, "c.example"}});
  CHECK(joined(choose_hosts("example.org", mx, kNobody, kLast)) == "a.example b.example c.example d.example");
  CHECK(joined(choose_hosts("example.org", mx, kNobody, kFirst)) == "b.example c.example a.example d.example");
  std::map<std::string, int> seen;
  for (int i = 0; i < 6000; ++i) ++seen[joined(choose_hosts("example.org", mx, kNobody, choose_at_random))];
  CHECK(seen.size() == 6);
  for (const auto& [order, count] : seen) {
    CAPTURE(order);
    CHECK(order.ends_with(" d.example"));
    CHECK(count > 800);
    CHECK(count < 1200);
  }
}

TEST_CASE("route: addresses of the hosts") {
  const std::vector<Host> hosts{{"a.example", addresses({"192.0.2.1", "192.0.2.2"}), addresses({"2001:db8::1"})},
                                {"b.example", addresses({"192.0.2.3"}), status(Status::Temporary)},
                                {"c.example", status(Status::NoName), status(Status::NoName)}};
  CHECK(joined(choose_addresses("example.org", hosts, {25, 10}, kLast)) ==
        "a.example[2001:db8::1]:25 a.example[192.0.2.1]:25 a.example[192.0.2.2]:25 b.example[192.0.2.3]:25");
  CHECK(joined(choose_addresses("example.org", hosts, {26, 2}, kLast)) == "a.example[2001:db8::1]:26 a.example[192.0.2.1]:26");
  CHECK(joined(choose_addresses("example.org", hosts, {26, 2}, kFirst)) == "a.example[2001:db8::1]:26 a.example[192.0.2.2]:26");

  const std::vector<Host> gone{{"c.example", status(Status::NoName), status(Status::NoData)}, {"d.example", status(Status::NoData), status(Status::NoData)}};
  CHECK(joined(choose_addresses("example.org", gone, {25, 10}, kLast)) == "550 5.4.4 no mail exchanger of example.org has an address: c.example, d.example");
  const std::vector<Host> itself{{"example.org", status(Status::NoData), status(Status::NoData)}};
  CHECK(joined(choose_addresses("example.org", itself, {25, 10}, kLast)) == "550 5.1.2 example.org has no address");
  const std::vector<Host> silent{{"c.example", status(Status::NoName), status(Status::NoData)}, {"d.example", status(Status::NoData), status(Status::Temporary)}};
  CHECK(joined(choose_addresses("example.org", silent, {25, 10}, kLast)) == "451 4.4.3 DNS: MX example.org: SERVFAIL");
}

TEST_CASE("route: addresses of one kind before the other, where that is wanted") {
  const std::vector<Host> hosts{{"a.example", addresses({"192.0.2.1", "192.0.2.2"}), addresses({"2001:db8::1"})}, {"b.example", addresses({"192.0.2.3"}), addresses({"2001:db8::3"})}};
  CHECK(joined(choose_addresses("example.org", hosts, {25, 10, AddressFamily::PreferIpv4}, kLast)) ==
        "a.example[192.0.2.1]:25 a.example[192.0.2.2]:25 a.example[2001:db8::1]:25 b.example[192.0.2.3]:25 b.example[2001:db8::3]:25");
  CHECK(joined(choose_addresses("example.org", hosts, {25, 10, AddressFamily::PreferIpv6}, kLast)) ==
        "a.example[2001:db8::1]:25 a.example[192.0.2.1]:25 a.example[192.0.2.2]:25 b.example[2001:db8::3]:25 b.example[192.0.2.3]:25");
}

TEST_CASE("route: a host that turns out to be this one ends the list, as one of its name does") {
  const AddressRules rules{25, 10, AddressFamily::Any, [](const net::Address& address) { return address.ip() == "192.0.2.2"; }};
  const auto none = addresses({});
  std::vector<Host> hosts{{"a.example", addresses({"192.0.2.1"}), none, 10}, {"b.example", addresses({"192.0.2.2"}), none, 20}, {"c.example", addresses({"192.0.2.3"}), none, 20}, {"d.example", addresses({"192.0.2.4"}), none, 30}};
  CHECK(joined(choose_addresses("example.org", hosts, rules, kLast)) == "a.example[192.0.2.1]:25");
  hosts.erase(hosts.begin());
  CHECK(joined(choose_addresses("example.org", hosts, rules, kLast)) == "554 5.4.6 mail for example.org loops back: its best mail exchanger b.example is this host");
}

TEST_CASE("route: the public cases") {
  const auto suite = testdata::smtp_suite("null-mx.json");
  for (const auto& row : suite["cases"]) {
    const auto id = row["id"].get<std::string>();
    CAPTURE(id);
    Answer answer = status(Status::NoName);
    if (row.value("rcode", "") == "SERVFAIL") answer = status(Status::Temporary);
    if (row.contains("mx")) answer = mx_of(row["mx"].get<std::vector<std::pair<int, std::string>>>());
    const std::vector<std::string> own{row.value("self", "nobody.example")};
    const auto hosts = choose_hosts("example.org", answer, own, kLast);
    if (!hosts) {
      const bool is_temporary = row["deliver"].get<std::string>().starts_with("temporary");
      CHECK(hosts.error().result == (is_temporary ? Class::Temporary : Class::Permanent));
    }
    if (id == "null-mx") CHECK(joined(hosts).starts_with("556 5.1.10 "));
    if (id == "null-mx-with-others") CHECK(joined(hosts) == "mx.example.net");
    if (id == "no-mx-a") CHECK(joined(hosts) == "example.org");
    if (id == "mx-order") CHECK(joined(hosts) == "a.example c.example b.example");
    if (id == "self-in-list") CHECK(joined(hosts) == "other.example");
    if (id == "self-best") CHECK(joined(hosts).starts_with("554 5.4.6 "));
    if (id == "no-mx-no-a" || id == "mx-all-unresolvable") {
      REQUIRE(hosts);
      const std::vector<Host> nothing{{hosts->front().host, status(Status::NoName), status(Status::NoName)}};
      CHECK(choose_addresses("example.org", nothing, {25, 5}, kLast).error().result == Class::Permanent);
    }
  }
}
