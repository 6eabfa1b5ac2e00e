#include "lib/net/dns_shared.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

using namespace net::dns;

namespace {
Settings alone() {
  Settings settings;
  settings.servers = {"127.0.0.1@1"};  // nobody listens there; "localhost" is built in (RFC 6761)
  settings.timeout_milliseconds = 200;
  return settings;
}
}  // namespace

TEST_CASE("shared dns: many threads ask and each gets its own answer") {
  SharedResolver resolver(alone());
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i)
      threads.emplace_back([&, i] {
        for (int n = 0; n < 50; ++n) {
          const bool is_ipv6 = (i + n) % 2 == 0;
          const Answer answer = resolver.resolve("localhost", is_ipv6 ? Type::Aaaa : Type::A);
          right += answer.addresses() == std::vector<std::string>{is_ipv6 ? "::1" : "127.0.0.1"} ? 1 : 0;
        }
      });
  }
  CHECK(right == 16 * 50);
  CHECK(resolver.resolve("host.invalid", Type::A).status == Status::NoName);
  CHECK(resolver.resolve("example.org", Type::Mx).status == Status::Temporary);
}

TEST_CASE("shared dns: one that was never asked costs nothing and ends") { const SharedResolver resolver(alone()); }
