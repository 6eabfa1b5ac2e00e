#include "lib/net/dns.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "lib/base/io.h"

using namespace net;
using namespace net::dns;
using namespace std::string_literals;

namespace {
// A resolver whose answers come from libunbound itself: "localhost" is built in (RFC 6761), and nobody listens where it asks.
dns::Settings alone() {
  dns::Settings settings;
  settings.servers = {"127.0.0.1@1"};
  settings.timeout_milliseconds = 200;
  return settings;
}
}  // namespace

TEST_CASE("dns: records are read as their type says") {
  Answer answer;
  answer.records = {"\0\x0A\x02mx\x07"s + "example\0"s, "\0\0\0"s, "\1\0\x05"s + "short"s, "\0\0\x40"s, "\0\1\x03"s + "a.b\0"s, "\0"s};
  const auto found = answer.mx();
  REQUIRE(found.size() == 3);
  CHECK(found[0].preference == 10);
  CHECK(found[0].host == "mx.example");
  CHECK(found[1].preference == 0);
  CHECK(found[1].host.empty());
  CHECK(found[2].host == "a\\046b");

  answer.records = {"\x02mx\x07"s + "example\0"s, "\x05"s + "short"s};
  CHECK(answer.names() == std::vector<std::string>{"mx.example"});

  answer.records = {"\x7F\0\0\x01"s, "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"s, "abc"s};
  CHECK(answer.addresses() == std::vector<std::string>{"127.0.0.1", "2001:db8::1"});

  answer.records = {"\x03"s + "v=s"s + "\x02"s + "pf"s, "\x00"s, "\x09"s + "cut"s};
  CHECK(answer.texts() == std::vector<std::string>{"v=spf", "", "cut"});
}

TEST_CASE("dns: blocking questions") {
  Resolver resolver(alone());
  const auto localhost = resolver.resolve_now("localhost", Type::A);
  CHECK(localhost.status == Status::Found);
  CHECK(localhost.addresses() == std::vector<std::string>{"127.0.0.1"});
  CHECK(resolver.resolve_now("localhost", Type::Mx).status == Status::NoData);
  CHECK(resolver.resolve_now("host.invalid", Type::A).status == Status::NoName);
  CHECK(resolver.resolve_now("a..b", Type::A).status == Status::NoName);
  CHECK(resolver.resolve_now(std::string(64, 'a') + ".example", Type::A).status == Status::NoName);

  const auto unknown = resolver.resolve_now("example.org", Type::Mx);
  CHECK(unknown.status == Status::Temporary);
  CHECK(unknown.problem.starts_with("MX example.org: "));
}

TEST_CASE("dns: questions in a loop are answered later, in any number, or cancelled") {
  Loop loop;
  Resolver resolver(loop, alone());
  int answered = 0;
  bool is_inside = true;
  for (int i = 0; i < 100; ++i) {
    resolver.resolve("localhost", Type::A, [&](const Answer& answer) {
      CHECK_FALSE(is_inside);
      CHECK(answer.status == Status::Found);
      ++answered;
    });
  }
  resolver.resolve("a..b", Type::A, [&](const Answer& answer) {
    CHECK_FALSE(is_inside);
    CHECK(answer.status == Status::NoName);
    // A question out of an answer.
    resolver.resolve("localhost", Type::Aaaa, [&](const Answer& next) {
      CHECK(next.addresses() == std::vector<std::string>{"::1"});
      ++answered;
    });
    ++answered;
  });
  const auto cancelled = resolver.resolve("localhost", Type::Mx, [](const Answer&) { FAIL("was cancelled"); });
  resolver.cancel(cancelled);
  is_inside = false;
  loop.run();
  CHECK(answered == 102);

  // What is known already is answered no sooner, and as it was.
  is_inside = true;
  resolver.resolve("LocalHost", Type::A, [&](const Answer& answer) {
    CHECK_FALSE(is_inside);
    CHECK(answer.addresses() == std::vector<std::string>{"127.0.0.1"});
    ++answered;
  });
  resolver.cancel(resolver.resolve("localhost", Type::A, [](const Answer&) { FAIL("was cancelled"); }));
  is_inside = false;
  loop.run();
  CHECK(answered == 103);
}

TEST_CASE("dns: a server that cannot be is told, at the first question") {
  struct Row {
    dns::Settings settings;
    std::string_view problem;
  };
  dns::Settings bad_server, bad_file, bad_anchor, odd_anchor, bad_stub;
  bad_server.servers = {"ns.example"};
  bad_file.resolv_conf = "/nonexistent/resolv.conf";
  bad_anchor.servers = {"127.0.0.1@1"};
  bad_anchor.trust_anchor = "/nonexistent/anchor";
  odd_anchor.servers = {"127.0.0.1@1"};
  odd_anchor.trust_anchor = "/proc/self/status";
  bad_stub.servers = {"127.0.0.1@1"};
  bad_stub.stubs = {"example.org"};
  for (const auto& row : {Row{bad_server, "DNS server 'ns.example': "}, Row{bad_file, "read /nonexistent/resolv.conf: "},
                          Row{bad_anchor, "open /nonexistent/anchor: "}, Row{odd_anchor, " with trust anchor /proc/self/status"}, Row{bad_stub, "DNS stub 'example.org': "}}) {
    CAPTURE(row.problem);
    Resolver resolver(row.settings);
    const auto answer = resolver.resolve_now("example.org", Type::A);
    CHECK(answer.status == Status::Temporary);
    CHECK(answer.problem.find(row.problem) != std::string::npos);
  }
}

TEST_CASE("dns: resolv.conf is read again when it has changed") {
  char path[] = "/tmp/vsmtp-resolv.XXXXXX";
  base::UniqueFd file(::mkstemp(path));
  REQUIRE(file.is_open());
  dns::Settings settings;
  settings.resolv_conf = path;
  settings.timeout_milliseconds = 200;
  Resolver resolver(settings);
  REQUIRE(base::write_all(file.get(), "nameserver not-an-address\n"));
  CHECK(resolver.resolve_now("localhost", Type::A).status == Status::Temporary);
  REQUIRE(::ftruncate(file.get(), 0) == 0);
  REQUIRE(base::pwrite_all(file.get(), "nameserver 127.0.0.1\n", 0));
  CHECK(resolver.resolve_now("localhost", Type::A).status == Status::Found);
  REQUIRE(::ftruncate(file.get(), 0) == 0);
  REQUIRE(base::pwrite_all(file.get(), "nameserver not-an-address\n", 0));
  const timespec later[2] = {{2'000'000'000, 0}, {2'000'000'000, 0}};
  REQUIRE(::futimens(file.get(), later) == 0);
  CHECK(resolver.resolve_now("localhost", Type::A).status == Status::Temporary);
  ::unlink(path);
}

TEST_CASE("dns: a resolver that goes with its questions answers nobody") {
  Loop loop;
  {
    Resolver resolver(loop, alone());
    resolver.resolve("example.org", Type::A, [](const Answer&) { FAIL("the resolver is gone"); });
  }
  loop.run();
}
