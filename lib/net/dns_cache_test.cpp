#include <doctest/doctest.h>

#include "lib/net/dns_cache.h"

using namespace net::dns;

namespace {

Answer answer(Status status, std::uint32_t ttl, std::vector<std::string> records = {}) {
  Answer made;
  made.status = status;
  made.ttl_seconds = ttl;
  made.records = std::move(records);
  return made;
}

}  // namespace

TEST_CASE("dns cache: an answer is kept for as long as it says, by name and type") {
  AnswerCache cache;
  cache.put("Example.ORG", Type::Txt, answer(Status::Found, 10, {"\1x"}), 1000);
  REQUIRE(cache.find("example.org.", Type::Txt, 1000));
  CHECK(cache.find("example.org", Type::Txt, 1000)->ttl_seconds == 10);
  CHECK(cache.find("example.org", Type::Txt, 10'999)->records == std::vector<std::string>{"\1x"});
  CHECK(cache.find("example.org", Type::Txt, 4'500)->ttl_seconds == 6);
  CHECK_FALSE(cache.find("example.org", Type::A, 1000));
  CHECK_FALSE(cache.find("example.org", Type::Txt, 11'000));
  CHECK(cache.octets() == 0);
}

TEST_CASE("dns cache: no name and no data are kept, for three hours at most (RFC 2308)") {
  AnswerCache cache;
  cache.put("none.example", Type::Mx, answer(Status::NoName, 100'000), 0);
  cache.put("some.example", Type::Mx, answer(Status::NoData, 60), 0);
  CHECK(cache.find("none.example", Type::Mx, 10'799'999)->status == Status::NoName);
  CHECK_FALSE(cache.find("none.example", Type::Mx, 10'800'000));
  CHECK(cache.find("some.example", Type::Mx, 59'999)->status == Status::NoData);
  cache.put("long.example", Type::Mx, answer(Status::Found, 1'000'000, {"x"}), 0);
  CHECK(cache.find("long.example", Type::Mx, 86'399'999));
  CHECK_FALSE(cache.find("long.example", Type::Mx, 86'400'000));
}

TEST_CASE("dns cache: what DNS did not say, and what is forged, is not kept") {
  AnswerCache cache;
  cache.put("a.example", Type::A, answer(Status::Temporary, 60), 0);
  cache.put("a.example", Type::A, answer(Status::Bogus, 60), 0);
  cache.put("a.example", Type::A, answer(Status::Found, 0, {"x"}), 0);
  CHECK_FALSE(cache.find("a.example", Type::A, 0));
  CHECK(cache.octets() == 0);
}

TEST_CASE("dns cache: it stays within its bound, and what is asked for stays") {
  constexpr std::size_t kOctets = 256 << 10;
  AnswerCache cache(kOctets);
  cache.put("kept.example", Type::Txt, answer(Status::Found, 3600, {std::string(100, 'x')}), 0);
  for (int i = 0; i < 20'000; ++i) {
    cache.put("n" + std::to_string(i) + ".example", Type::Txt, answer(Status::Found, 3600, {std::string(100, 'x')}), 0);
    CHECK(cache.find("kept.example", Type::Txt, 0));
  }
  CHECK(cache.octets() <= kOctets);
  CHECK(cache.octets() > kOctets / 2);
  CHECK_FALSE(cache.find("n0.example", Type::Txt, 0));
  CHECK(cache.find("n19999.example", Type::Txt, 0));
  cache.put("huge.example", Type::Txt, answer(Status::Found, 3600, {std::string(kOctets, 'x')}), 0);
  CHECK_FALSE(cache.find("huge.example", Type::Txt, 0));
  cache.clear();
  CHECK_FALSE(cache.find("kept.example", Type::Txt, 0));
}
