#include "lib/net/ledger.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

using net::Ledger;
using net::Prefix;

namespace {
Prefix prefix(const char* ip, unsigned four = 32, unsigned six = 128) { return Prefix::of(*net::Address::from_ip(ip, 0), four, six); }
constexpr Ledger::Periods kPeriods = {60'000, 60'000, 60'000, 60'000, 60'000, 600'000, 3'600'000};
Ledger ledger(std::size_t rows = 64) {
  auto opened = Ledger::open("", rows, kPeriods);
  REQUIRE(opened);
  return *opened;
}
struct Folder {
  std::string path = std::filesystem::temp_directory_path() / "ledger.XXXXXX";
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path); }
};
constexpr std::uint64_t kStart = 600'000;  // the begin of a period
}  // namespace

TEST_CASE("ledger: prefixes of addresses") {
  CHECK(prefix("192.0.2.77").text() == "192.0.2.77");
  CHECK(prefix("192.0.2.77", 24).text() == "192.0.2.0/24");
  CHECK(prefix("192.0.2.77", 25).text() == "192.0.2.0/25");
  CHECK(prefix("192.0.2.177", 25).text() == "192.0.2.128/25");
  CHECK(prefix("2001:db8:1:2:3::4", 24, 64).text() == "2001:db8:1:2::/64");
  CHECK(prefix("2001:db8::4").text() == "2001:db8::4");
  CHECK(prefix("192.0.2.1", 24) == prefix("192.0.2.200", 24));
  CHECK_FALSE(prefix("192.0.2.0", 24) == prefix("192.0.2.0", 32));
}

TEST_CASE("ledger: counts fade within two periods") {
  auto own = ledger();
  const auto client = prefix("192.0.2.1");
  CHECK(own.count(client, 0, kStart) == 0);
  for (int i = 1; i <= 10; ++i) CHECK(own.add(client, 0, 1, kStart) == i);
  CHECK(own.add(client, 1, 5, kStart) == 5);
  CHECK(own.count(client, 0, kStart + 59'999) == 10);
  CHECK(own.count(client, 0, kStart + 60'000) == doctest::Approx(10));
  CHECK(own.count(client, 0, kStart + 90'000) == doctest::Approx(5));
  CHECK(own.add(client, 0, 2, kStart + 90'000) == doctest::Approx(7));
  CHECK(own.count(client, 0, kStart + 120'000) == doctest::Approx(2));
  CHECK(own.count(client, 0, kStart + 180'000) == 0);
  CHECK(own.count(prefix("192.0.2.2"), 0, kStart) == 0);
}

TEST_CASE("ledger: each column has a period of its own") {
  auto own = ledger();
  const auto client = prefix("192.0.2.1");
  own.add(client, 0, 4, kStart);
  own.add(client, 5, 4, kStart);
  CHECK(own.add(client, 5, 1, kStart + 300'000) == 5);
  CHECK(own.count(client, 0, kStart + 300'000) == 0);
  CHECK(own.add(client, 0, 2, kStart + 300'000) == 2);
  CHECK(own.count(client, 5, kStart + 900'000) == doctest::Approx(2.5));
  CHECK(own.count(client, 5, kStart + 1'200'000) == 0);
  const auto rows = own.rows(kStart + 310'000);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].counts[5] == 5);
}

TEST_CASE("ledger: bans end, and last longer each time") {
  auto own = ledger();
  const auto client = prefix("2001:db8::1");
  CHECK(own.banned_until(client, kStart) == 0);
  CHECK(own.ban(client, 1000, 3000, kStart) == 1000);
  CHECK(own.banned_until(client, kStart + 999) == kStart + 1000);
  CHECK(own.ban(client, 1000, 3000, kStart + 400) == 600);  // once is enough
  CHECK(own.banned_until(client, kStart + 1000) == 0);
  CHECK(own.ban(client, 1000, 3000, kStart + 2000) == 2000);
  CHECK(own.ban(client, 1000, 3000, kStart + 5000) == 3000);  // no longer than that
  CHECK(own.ban(client, 1000, 3000, kStart + 10'000 + 24 * 3600 * 1000) == 1000);  // forgiven

  const auto rows = own.rows(kStart + 10'000 + 24 * 3600 * 1000);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].whose == client);
  CHECK(rows[0].bans == 1);
  CHECK(own.forget(client));
  CHECK_FALSE(own.forget(client));
  CHECK(own.rows(kStart).empty());
}

TEST_CASE("ledger: a flood from everywhere pushes out who is seen least, not who is banned or well known") {
  auto own = ledger(64);
  const auto banned = prefix("192.0.2.1");
  own.ban(banned, 3'600'000, 3'600'000, kStart);
  own.add(prefix("192.0.2.2"), Ledger::kColumns - 1, 1, kStart);
  for (int i = 0; i < 10'000; ++i) own.add(prefix(("198.51." + std::to_string(i / 256) + "." + std::to_string(i % 256)).c_str()), 0, 1, kStart + 1 + static_cast<std::uint64_t>(i));
  CHECK(own.banned_until(banned, kStart + 20'000) != 0);
  CHECK(own.count(prefix("192.0.2.2"), Ledger::kColumns - 1, kStart + 20'000) == 1);
  const auto rows = own.rows(kStart + 20'000);
  CHECK(rows.size() <= 64);
  CHECK(rows.size() > 48);
  CHECK(own.count(prefix("198.51.39.15"), 0, kStart + 20'000) == 1);  // the last one
}

TEST_CASE("ledger: processes and threads count together, one that is killed with a lock held does not stop the others") {
  const Folder folder;
  const std::string path = folder.path + "/ledger";
  auto own = Ledger::open(path, 1024, kPeriods);
  REQUIRE(own);
  const auto client = prefix("192.0.2.1");
  const auto now = Ledger::now();
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto theirs = Ledger::open(path, 1024, kPeriods);
      for (int n = 0; theirs && n < 5000; ++n) theirs->add(client, 0, 1, now);
      ::_exit(theirs ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  CHECK(own->count(client, 0, now) == 20'000);

  const pid_t busy = ::fork();
  if (busy == 0)
    for (;;) own->add(client, 1, 1, now);
  while (own->count(client, 1, now) < 1000) std::this_thread::yield();
  ::kill(busy, SIGKILL);
  ::waitpid(busy, nullptr, 0);
  CHECK(own->add(client, 0, 1, now) == 20'001);

  auto looked = Ledger::look_at(path);
  REQUIRE(looked);
  CHECK(looked->mark(1) == 0);
  own->set_mark(1, 77);
  CHECK(looked->mark(1) == 77);
  CHECK(looked->mark(0) == 0);
  CHECK(looked->rows(now).size() == 1);
  CHECK(looked->forget(client));
  CHECK(own->count(client, 0, now) == 0);
}

TEST_CASE("ledger: files that are none, or of another size, are made anew; who only looks changes nothing") {
  const Folder folder;
  const std::string path = folder.path + "/ledger";
  CHECK_FALSE(Ledger::look_at(path));
  std::ofstream(path) << "something else";
  CHECK_FALSE(Ledger::look_at(path));
  std::ofstream(path) << std::string(100'000, 'x');
  const auto refused = Ledger::look_at(path);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().cause == path + ": not a ledger of smtpd's shield");
  const auto now = Ledger::now();
  {
    auto made = Ledger::open(path, 1000, kPeriods);
    REQUIRE(made);
    made->add(prefix("192.0.2.1"), 0, 1, now);
  }
  auto again = Ledger::open(path, 1000, kPeriods);
  REQUIRE(again);
  CHECK(again->count(prefix("192.0.2.1"), 0, now) == 1);
  auto larger = Ledger::open(path, 2000, kPeriods);
  REQUIRE(larger);
  CHECK(larger->rows(now).empty());
}
