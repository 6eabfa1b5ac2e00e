#include "qctl/mail_history.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;

TEST_CASE("qctl report: log lines, as text and as JSON, with what a log keeper adds") {
  const auto line = qctl::parse_log_line(
      "2026-11-21T20:15:00.123456Z queue-run[42] warning delivery id=X status=deferred recipient=a@one.example destination=one.example delay=1.250 reply=\"451 \\\"later\\\" \\u00fc\"\n");
  REQUIRE(line);
  CHECK(base::to_rfc3339(line->time) == "2026-11-21T20:15:00.123456Z");
  CHECK(line->program == "queue-run");
  CHECK(line->event == "delivery");
  CHECK(line->field("status") == "deferred");
  CHECK(line->field("reply") == "451 \"later\" \xc3\xbc");
  CHECK(line->field("none").empty());
  CHECK(qctl::parse_log_line("@4000000 2026-11-21T20:15:00.123456Z smtpd[1] info turned away client=192.0.2.1")->event == "turned away");
  CHECK(qctl::parse_log_line(R"(host smtpd: {"time":"2026-11-21T20:15:00.123456Z","program":"smtpd","pid":7,"level":"info","event":"accepted","size":"12"})")->field("size") == "12");
  for (const auto* other : {"", "hello", "2026-11-21T20:15:00.123456Z", "2026-11-21T20:15:00.123456Z hello world", "{}", R"({"time":7,"event":"x"})", "x=\"", "2026-11-21T20:15:00.123456Z a[1] info"})
    CHECK_FALSE(qctl::parse_log_line(other));
  CHECK(qctl::parse_log_line("2026-11-21T20:15:00.123456Z a[1] info x y=\"cut")->field("y").empty());
}

namespace {
std::string delivery(base::WallTime time, std::string_view status, std::string_view destination, std::string_view delay, std::string_view reply) {
  return base::to_rfc3339(time) + " queue-run[1] info delivery id=X status=" + std::string(status) + " recipient=a@x destination=" + std::string(destination) + " delay=" + std::string(delay) +
         " reply=\"" + std::string(reply) + "\"";
}
}  // namespace

TEST_CASE("qctl report: lines are counted in pieces of time, by destination and by reason") {
  const base::WallTime begin{1'800'000'000s};
  qctl::MailHistory history;
  CHECK(history.pieces(100).empty());
  history.add(base::to_rfc3339(begin) + " smtpd[1] info accepted id=X size=1000 reply=ok");
  history.add(base::to_rfc3339(begin + 59s) + " smtpd[1] info accepted id=X size=500");
  history.add(base::to_rfc3339(begin) + " smtpd[1] info refused id=X size=500 reply=\"554 not accepted\"");
  for (int i = 1; i <= 100; ++i) history.add(delivery(begin + 30s, "sent", "one.example", std::to_string(i), "250 ok"));
  history.add(delivery(begin + 50s, "deferred", "two.example", "1", "451 later"));
  history.add(delivery(begin + 50s, "failed", "two.example", "1", "550 no"));
  history.add(delivery(begin + 50s, "deferred", "two.example", "1", "451 later"));
  history.add(delivery(begin + 50s, "exploded", "two.example", "1", "451 later"));
  CHECK(history.lines() == 105);
  CHECK(history.accepted() == 2);
  CHECK(history.octets() == 1500);
  CHECK(history.results() == qctl::ResultCounts{100, 2, 1});
  const auto pieces = history.pieces(10);
  CHECK(history.piece() == 10s);
  CHECK(history.begin() == begin);
  REQUIRE(pieces.size() == 6);
  CHECK(pieces[0].accepted == 1);
  CHECK(pieces[5].accepted == 1);
  CHECK(pieces[3].results == qctl::ResultCounts{100, 0, 0});
  CHECK(pieces[3].delays == std::array<double, 3>{51, 91, 100});
  CHECK(pieces[5].results == qctl::ResultCounts{0, 2, 1});
  REQUIRE(history.destinations(10).size() == 2);
  CHECK(history.destinations(1).front().name == "one.example");
  CHECK(history.reasons(10)[0].name == "451 later");
  CHECK(history.reasons(10)[0].total() == 2);
  CHECK(history.reasons(10)[1].results == qctl::ResultCounts{0, 0, 1});
}

TEST_CASE("qctl report: any time fits the pieces that there are") {
  for (const auto span : std::initializer_list<std::chrono::seconds>{0s, 1s, 1h, 24h, 365 * 24h, 100 * 365 * 24h}) {
    qctl::MailHistory history;
    const base::WallTime begin{1'000'000'007s};
    history.add(delivery(begin, "sent", "x", "1", ""));
    history.add(delivery(begin + span, "sent", "x", "-", ""));
    const auto pieces = history.pieces(120);
    CHECK(pieces.size() <= 120);
    std::uint64_t sum = 0;
    for (const auto& piece : pieces) sum += piece.results[0];
    CHECK(sum == 2);
    CHECK(history.begin() <= begin);
  }
}
