#include "lib/net/loop.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>
#include <thread>

#include "lib/base/unique_fd.h"

using net::Loop;
using net::Timer;
using net::Watch;

namespace {
struct Pair {
  base::UniqueFd a, b;
  Pair() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    a.reset(fds[0]);
    b.reset(fds[1]);
  }
};
}  // namespace

TEST_CASE("net: timers fire in order, repeat, and are stopped") {
  Loop loop;
  std::string order;
  Timer late(loop, [&] { order += 'c'; });
  Timer early(loop, [&] { order += 'a'; });
  Timer never(loop, [&] { order += 'x'; });
  std::optional<Timer> again;
  int times = 0;
  again.emplace(loop, [&] {
    if (++times == 3) again.reset();  // from inside its own callback
  });
  late.start(20);
  early.start(1);
  never.start(5);
  never.stop();
  again->start(1, 1);
  loop.run();
  CHECK(order == "ac");
  CHECK(times == 3);
}

TEST_CASE("net: a watch tells what is ready and may be destroyed inside its callback") {
  Loop loop;
  const Pair pair;
  std::string seen;
  std::optional<Watch> watch;
  watch.emplace(loop, pair.a.get(), [&](unsigned ready) {
    if ((ready & Watch::Writable) != 0) {
      seen += 'w';
      watch->want(Watch::Readable);
      CHECK(::write(pair.b.get(), "x", 1) == 1);
    } else if ((ready & Watch::Readable) != 0) {
      seen += 'r';
      watch.reset();
    }
  });
  watch->want(Watch::Writable);
  loop.run();
  CHECK(seen == "wr");
}

TEST_CASE("net: a pipe whose reader is gone stays ready until somebody has looked") {
  Loop loop;
  int fds[2];
  REQUIRE(::pipe(fds) == 0);
  ::close(fds[0]);
  const base::UniqueFd end(fds[1]);
  int times = 0;
  std::optional<Watch> watch;
  watch.emplace(loop, end.get(), [&](unsigned ready) {
    CHECK((ready & Watch::Writable) != 0);
    if (++times == 3) watch.reset();
  });
  watch->want(Watch::Writable);
  loop.run();
  CHECK(times == 3);
}

TEST_CASE("net: a watch that does not hold the loop lets it end") {
  Loop loop;
  const Pair pair;
  Watch watch(loop, pair.a.get(), [](unsigned) {});
  watch.want(Watch::Readable);
  watch.hold_loop(false);
  loop.run();
  watch.hold_loop(true);
  Timer end(loop, [&] { loop.stop(); });
  end.start(5);
  const auto before = loop.now_milliseconds();
  loop.run();
  CHECK(loop.now_milliseconds() >= before + 5);
}

TEST_CASE("net: the work of a turn is done once after all that was ready, and before the loop sleeps") {
  Loop loop;
  const Pair one, two;
  int waiting = 0;
  std::string batches;
  const auto collect = [&](unsigned) { ++waiting; };
  std::optional<Watch> first, second;
  first.emplace(loop, one.a.get(), collect);
  second.emplace(loop, two.a.get(), collect);
  loop.after_io([&] {
    if (waiting == 0) return;
    batches += std::to_string(waiting) + " ";
    waiting = 0;
    first.reset();
    second.reset();
  });
  first->want(Watch::Writable);
  second->want(Watch::Writable);
  loop.run();
  CHECK(batches == "2 ");

  Timer timer(loop, [&] { ++waiting; });  // nothing is ready after it: the loop would sleep over the work
  Timer end(loop, [&] { CHECK(batches == "2 1 "); });
  timer.start(1);
  end.start(20);
  loop.run();
}

TEST_CASE("net: signals come to the loop and do not hold it") {
  Loop loop;
  int signals = 0;
  net::SignalWatch watch(loop, SIGUSR1, [&] { ++signals; });
  loop.run();
  Timer patience(loop, [] {});
  net::SignalWatch other(loop, SIGUSR1, [&] { patience.stop(); });
  patience.start(10'000);
  ::raise(SIGUSR1);
  loop.run();
  CHECK(signals == 1);
}

TEST_CASE("net: blocking work runs in another thread, its end in this one") {
  const auto here = std::this_thread::get_id();
  bool done = false;
  {
    Loop loop;
    std::thread::id worker;
    net::run_in_thread(loop, [&] { worker = std::this_thread::get_id(); }, [&] { done = std::this_thread::get_id() == here; });
    loop.run();
    CHECK(worker != here);
    CHECK(done);
    done = false;
    net::run_in_thread(loop, [] {}, [&] { done = true; });
  }
  CHECK_FALSE(done);  // the loop ended first
}
