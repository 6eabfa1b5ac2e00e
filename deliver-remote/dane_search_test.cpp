#include "deliver-remote/dane_search.h"

#include <doctest/doctest.h>

using namespace remote;
using net::dns::Answer;
using net::dns::Status;
using Names = std::vector<std::string>;
using namespace std::string_literals;

namespace {

Answer found(bool is_secure, std::string canonical_name = "mx.example.org") {
  Answer answer;
  answer.status = Status::Found;
  answer.is_secure = is_secure;
  answer.canonical_name = std::move(canonical_name);
  answer.records = {"\x7f\0\0\1"s};
  return answer;
}
Answer nothing(Status status = Status::NoData, bool is_secure = true) {
  Answer answer;
  answer.status = status;
  answer.is_secure = is_secure;
  answer.problem = status == Status::Temporary || status == Status::Bogus ? "TLSA x: SERVFAIL" : "";
  return answer;
}
Host host(Answer ipv4, Answer ipv6) { return {"mx.example.org", std::move(ipv4), std::move(ipv6)}; }
Answer tlsa(const Names& records, bool is_secure = true) {
  auto answer = found(is_secure, "");
  answer.records = records;
  return answer;
}

}  // namespace

TEST_CASE("dane: TLSA records are asked for where addresses are vouched for, by what the name stands for first") {
  CHECK(tlsa_bases(host(found(true), nothing())).names == Names{"mx.example.org"});
  CHECK(tlsa_bases(host(found(true, "MX.example.org"), nothing())).names == Names{"mx.example.org"});
  CHECK(tlsa_bases(host(found(true, "mx.example.net"), nothing())).names == Names{"mx.example.net", "mx.example.org"});
  CHECK(tlsa_bases(host(found(false), nothing())).names.empty());
  CHECK_FALSE(tlsa_bases(host(found(false), nothing())).is_alias_to_be_asked);
  CHECK(tlsa_bases(host(found(false, "mx.example.net"), nothing())).is_alias_to_be_asked);
  CHECK(tlsa_bases(host(found(true), found(false))).names.empty());
  CHECK(tlsa_bases(host(nothing(), nothing())).names.empty());
  CHECK(tlsa_name("mx.example.org", 25) == "_25._tcp.mx.example.org");
}

TEST_CASE("dane: what an answer about TLSA means") {
  const Names domain{"example.org", "mx.example.org"};
  const auto usable = "\3\1\1"s + std::string(32, 'x');
  const auto some = read_tlsa(tlsa({usable, "\1\1\1"s + std::string(32, 'x')}), "mx.example.org", domain);
  REQUIRE(some);
  CHECK(some->records.size() == 1);
  CHECK(some->names == Names{"mx.example.org", "example.org"});
  const auto none_usable = read_tlsa(tlsa({"\1\1\1"s + std::string(32, 'x')}), "mx.example.org", domain);
  REQUIRE(none_usable);
  CHECK(none_usable->records.empty());
  CHECK(none_usable->problem.empty());
  // Nobody vouches for them: as good as none.
  CHECK(read_tlsa(tlsa({usable}, false), "mx.example.org", domain) == nullptr);
  for (const auto status : {Status::NoData, Status::NoName}) CHECK(read_tlsa(nothing(status), "mx.example.org", domain) == nullptr);
  for (const auto status : {Status::Temporary, Status::Bogus}) {
    const auto unknown = read_tlsa(nothing(status, false), "mx.example.org", domain);
    REQUIRE(unknown);
    CHECK(unknown->problem == "TLSA x: SERVFAIL");
  }
}
