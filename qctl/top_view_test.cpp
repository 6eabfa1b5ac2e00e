#include "qctl/top_view.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace std::chrono_literals;
using qctl::TopView;

namespace {
const base::WallTime kNow{1'800'000'000s};

qctl::Snapshot snapshot() {
  qctl::Snapshot snapshot;
  snapshot.time = kNow;
  snapshot.spool = "/var/spool/vsmtp";
  snapshot.queues.resize(2);
  snapshot.queues[0].place = *queue::Place::parse("deferred");
  snapshot.queues[0].messages = 12'345;
  snapshot.queues[0].octets = 50 << 20;
  snapshot.queues[0].due = 7;
  snapshot.queues[0].oldest = kNow - 2h;
  snapshot.queues[1].place = *queue::Place::parse("dead");
  snapshot.is_served = true;
  snapshot.running.emplace();
  snapshot.running->pid = 42;
  snapshot.running->sent = 100;
  for (int i = 0; i < 12; ++i) snapshot.running->destinations.push_back({"remote", "d" + std::to_string(10 + i) + ".example", static_cast<std::uint64_t>(i), 0, 20, i == 3 ? 90U : 0U, i == 3 ? "no \x1b[31m route" : ""});
  snapshot.sampled = 3;
  snapshot.reasons.add(1min, {"451 later"});
  snapshot.reasons.add(25h, {"451 later"});
  snapshot.domains.add(1min, {"x.example"});
  return snapshot;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}
std::string shown(const qctl::Snapshot& of, const std::optional<qctl::Rates>& rates = {}, const TopView& view = {}, std::size_t columns = 0, std::size_t rows = 0) {
  return text_of(render(of, rates, view, qctl::Output(-1), columns, rows));
}
}  // namespace

TEST_CASE("qctl top: queues, destinations and reasons") {
  const auto text = shown(snapshot());
  CHECK(text.starts_with("qctl top  08:00:00 UTC  /var/spool/vsmtp  queue-run 42\nsince its start: in 0, sent 100, put off 0, failed 0\n"));
  CHECK(text.contains("deferred                    12345    50M   2h00m        7\n"));
  CHECK(text.contains("dead                            0      0       -        -\n"));
  CHECK(text.contains("d21.example                    11      0     20       -\n"));
  CHECK(text.contains("(4 more)\n"));
  CHECK(text.contains("       2     1    1  451 later\n"));
  CHECK_FALSE(text.contains("x.example"));
  CHECK(shown(snapshot(), qctl::Rates{1234, 9.96, 0, 0.04}).contains("in 1234/s  sent 10.0/s  put off 0.0/s  failed 0.0/s\n"));
}

TEST_CASE("qctl top: keys") {
  TopView view;
  CHECK(press(view, 'x') == qctl::Key::Nothing);
  CHECK(press(view, ' ') == qctl::Key::Look);
  CHECK(press(view, 'q') == qctl::Key::End);
  CHECK(press(view, 's') == qctl::Key::Redraw);
  const auto paused_first = shown(snapshot(), {}, view);
  CHECK(paused_first.contains("DESTINATION by pause"));
  CHECK(paused_first.find("d13.example") < paused_first.find("d10.example"));
  CHECK(paused_first.contains("1m no \\x1b[31m route\n"));
  CHECK(press(view, 'b') == qctl::Key::Redraw);
  CHECK(shown(snapshot(), {}, view).contains("x.example"));
  (void)press(view, 's');
  (void)press(view, 's');
  (void)press(view, 'b');
  (void)press(view, 'b');
  CHECK(shown(snapshot(), {}, view) == shown(snapshot()));
}

TEST_CASE("qctl top: a screen of any size is not left") {
  for (const std::size_t columns : {1, 10, 40, 79})
    for (const std::size_t rows : {1, 2, 5, 22}) {
      const auto lines = render(snapshot(), {}, {}, qctl::Output(-1), columns, rows);
      CHECK(lines.size() <= rows);
      for (const auto& line : lines) CHECK(qctl::display_columns(line) <= columns);
    }
}

TEST_CASE("qctl top: without a queue-run, and rates of one that was started again") {
  auto stopped = snapshot();
  stopped.is_served = false;
  stopped.running.reset();
  CHECK(shown(stopped).contains("no queue-run serves the spool"));
  auto later = snapshot();
  later.time += 2s;
  later.running->sent = 150;
  CHECK(rates_between(snapshot(), later)->sent == 25);
  CHECK_FALSE(rates_between(stopped, later).has_value());
  later.running->pid = 43;
  CHECK_FALSE(rates_between(snapshot(), later).has_value());
}
