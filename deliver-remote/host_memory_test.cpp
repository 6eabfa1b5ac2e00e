#include "deliver-remote/host_memory.h"

#include <doctest/doctest.h>

using remote::Candidate;
using remote::HostMemory;

namespace {

net::Address address(int last) { return *net::Address::from_ip("192.0.2." + std::to_string(last), 25); }

std::string order(const HostMemory& memory, std::uint64_t now) {
  std::vector<Candidate> candidates;
  for (int i = 1; i <= 4; ++i) candidates.push_back({"", address(i), false});
  memory.put_dead_last(candidates, now);
  std::string text;
  for (const auto& candidate : candidates) text += candidate.address.ip().back();
  return text;
}

}  // namespace

TEST_CASE("host memory: who did not answer is last for a while, or until he answers") {
  HostMemory memory(1000);
  CHECK(order(memory, 0) == "1234");
  memory.note_dead(address(1), 0);
  memory.note_dead(address(3), 500);
  CHECK(order(memory, 500) == "2413");
  CHECK(order(memory, 999) == "2413");
  CHECK(order(memory, 1000) == "1243");
  memory.note_dead(address(3), 1000);
  CHECK(order(memory, 1600) == "1243");
  memory.note_alive(address(3));
  CHECK(order(memory, 1600) == "1234");
}

TEST_CASE("host memory: has an end, and can be turned off") {
  HostMemory small(1000, 3);
  for (int i = 0; i < 10; ++i) small.note_dead(address(i), 400 * static_cast<std::uint64_t>(i));
  CHECK(small.size() <= 3);
  HostMemory flood(1000, 3);
  for (int i = 0; i < 10; ++i) flood.note_dead(address(i), 0);
  CHECK(flood.size() <= 3);
  HostMemory off(0);
  off.note_dead(address(1), 0);
  CHECK(off.size() == 0);
}
