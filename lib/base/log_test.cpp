#include "lib/base/log.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <thread>

#include "lib/base/clock.h"
#include "lib/base/io.h"

namespace log = base::log;

namespace {
// What `write` adds to the log, without time and pid.
template <class Write>
std::string logged(const log::Settings& how, Write write) {
  const std::string path = "/tmp/vsmtp-log-test." + std::to_string(::getpid());
  log::Settings settings = how;
  settings.destination = path;
  REQUIRE(log::configure("test", settings));
  write();
  const auto text = base::read_file(path, 1 << 20);
  ::unlink(path.c_str());
  REQUIRE(log::configure("unit_tests", {}));
  REQUIRE(text);
  return *text;
}
}  // namespace

TEST_CASE("a text line quotes what would break the line, and nothing else") {
  const auto line = logged({}, [] { log::info("accepted", {{"id", "abc"}, {"from", "a b\"c\r\n"}, {"octets", 42}, {"none", ""}}); });
  CHECK(line.ends_with("] info accepted id=abc from=\"a b\\\"c\\r\\n\" octets=42 none=\"\"\n"));
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
}

TEST_CASE("a JSON line is one object") {
  const auto line = logged({log::Level::Info, true, ""}, [] { log::warning("refused", {{"reply", "550 no"}}); });
  CHECK(line.starts_with("{\"time\":\"20"));
  CHECK(line.ends_with("\"level\":\"warning\",\"event\":\"refused\",\"reply\":\"550 no\"}\n"));
}

TEST_CASE("levels below the least are not logged") {
  CHECK(logged({log::Level::Warning, false, ""}, [] {
          log::debug("no");
          log::info("no");
          log::error("yes");
        }).find("no") == std::string::npos);
}

TEST_CASE("a log file that cannot be opened is a configuration error") {
  const auto configured = log::configure("test", {log::Level::Info, false, "/nonexistent/log"});
  REQUIRE_FALSE(configured);
  CHECK(configured.error().fault == base::Fault::Config);
  REQUIRE(log::configure("unit_tests", {}));
}

TEST_CASE("times are written as RFC 3339 section 5.6") {
  CHECK(base::to_rfc3339(base::WallTime(std::chrono::microseconds(1'700'000'000'000'042))) == "2023-11-14T22:13:20.000042Z");
}

TEST_CASE("clock: RFC 3339 times are read as they are written") {
  for (const long long microseconds : {0LL, -1LL, -3'000'000'000'000'002LL, 1'700'000'000'000'042LL, 1'763'756'100'123'456LL, 9'214'646'399'999'999LL}) {
    const base::WallTime time{std::chrono::microseconds(microseconds)};
    CHECK(base::parse_rfc3339(base::to_rfc3339(time)) == time);
  }
  for (const char* bad : {"", "2023-11-14T22:13:20.000042", "2023-11-14 22:13:20.000042Z", "2023-02-30T22:13:20.000042Z",
                          "2023-13-14T22:13:20.000042Z", "2023-11-14T24:13:20.000042Z", "2023-11-14T22:13:20.00004Z", "2023-11-14T22:13:20.000042Z ", "9999-11-14T22:13:20.000042Z"})
    CHECK_FALSE(base::parse_rfc3339(bad));
}

TEST_CASE("a log that is opened anew keeps its descriptor: other threads may be writing to it") {
  const auto lowest_free = [] {
    const int fd = ::dup(0);
    ::close(fd);
    return fd;
  };
  const std::string old_name = "/tmp/vsmtp-log-test.old." + std::to_string(::getpid());
  const auto text = logged({}, [&] {
    log::info("before");
    const int before = lowest_free();
    REQUIRE(::rename(("/tmp/vsmtp-log-test." + std::to_string(::getpid())).c_str(), old_name.c_str()) == 0);
    log::reopen();
    CHECK(lowest_free() == before);
    log::info("after");
  });
  const auto old_text = base::read_file(old_name, 1 << 20);
  ::unlink(old_name.c_str());
  REQUIRE(old_text);
  CHECK(old_text->find("info before") != std::string::npos);
  CHECK(old_text->find("info after") == std::string::npos);
  CHECK(text.find("info after") != std::string::npos);
}

TEST_CASE("lines that are gathered wait for flush() or the end, an error does not, and none waits when they would not be one write of a pipe") {
  std::string path;
  const auto now = [&] { return base::read_file(path, 1 << 20).value_or(""); };
  const auto lines = [&] { return std::ranges::count(now(), '\n'); };
  const auto all = logged({}, [&] {
    path = "/tmp/vsmtp-log-test." + std::to_string(::getpid());
    {
      const log::Gathering gathering;
      log::info("one");
      CHECK(lines() == 0);
      {
        const log::Gathering inner;
        log::info("two");
      }
      CHECK(lines() == 2);
      log::info("three");
      CHECK(lines() == 2);
      log::flush();
      CHECK(lines() == 3);
      log::info("four");
      log::error("five");
      CHECK(lines() == 5);
      std::thread([] { log::info("of another thread"); }).join();
      CHECK(lines() == 6);
      const std::string long_text(3000, 'x');
      log::info("six", {{"text", long_text}});
      CHECK(lines() == 6);
      log::info("seven", {{"text", long_text}});
      CHECK(lines() == 7);
      log::info("eight", {{"text", long_text + long_text}});
      CHECK(lines() == 9);
      log::info("nine");
    }
    CHECK(lines() == 10);
  });
  CHECK(all.find("six") < all.find("seven"));
  CHECK(all.find("seven") < all.find("eight"));
}

TEST_CASE("lines that wait when a process forks are written once, and its child has its own number") {
  const auto all = logged({}, [] {
    const log::Gathering gathering;
    log::info("before");
    const pid_t child = ::fork();
    if (child == 0) {
      log::info("child");
      log::flush();
      ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    log::info("after", {{"child", child}});
  });
  CHECK(std::ranges::count(all, '\n') == 3);
  CHECK(all.find("before") == all.rfind("before"));
  const auto number = all.substr(all.find("child=") + 6);
  CHECK(all.find("test[" + number.substr(0, number.find('\n')) + "] info child") != std::string::npos);
}
