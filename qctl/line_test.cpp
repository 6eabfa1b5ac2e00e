#include "qctl/line.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace std::chrono_literals;

namespace {
const base::WallTime kNow{1'800'000'000s};

queue::Seen seen() {
  queue::Seen seen;
  seen.item.id = *queue::Id::parse("0H8ZK4TQ2N700A3W05");
  seen.item.arrived = kNow - 125min;
  seen.item.envelope = {"me@example.org", {"a@example.com", "b@example.com", "c@example.net"}};
  seen.item.context = R"({"envelop":{"helo":"client.example"}})";
  seen.item.message_octets = 4300;
  seen.place = *queue::Place::parse("deferred");
  seen.modified = kNow + 5min;
  seen.events = {
      {kNow - 2h, queue::EventKind::Sent, 0, "mx", "a@example.com", "250 ok"},
      {kNow - 2h, queue::EventKind::Deferred, 1, "mx", "b@example.com", "451 4.7.1 later"},
      {kNow - 1h, queue::EventKind::Failed, 2, "mx", "c@example.net", "550 5.1.1 nobody"},
      {kNow - 1h, queue::EventKind::Note, {}, "", "", "an operator was here"},
  };
  return seen;
}
}  // namespace

TEST_CASE("qctl entry: who has got the message is not listed, who never will get it is") {
  const auto entry = qctl::entry_of(seen());
  CHECK(entry.recipients == std::vector<std::string>{"b@example.com", "c@example.net"});
  CHECK(entry.reason == "550 5.1.1 nobody");
  CHECK(entry.octets == 4300);
  REQUIRE(entry.next_attempt.has_value());
  CHECK(*entry.next_attempt == kNow + 5min);
  CHECK(qctl::helo_of(entry.context) == "client.example");
}

TEST_CASE("qctl entry: only what is deferred has a next attempt") {
  auto held = seen();
  held.place = *queue::Place::parse("hold");
  CHECK_FALSE(qctl::entry_of(held).next_attempt.has_value());
}

TEST_CASE("qctl entry: a context without a HELO name, or that is no JSON") {
  for (const auto* context : {"{}", "", "[", "[1]", R"({"envelop":[]})", R"({"envelop":{"helo":7}})"}) {
    CAPTURE(context);
    CHECK(qctl::helo_of(context).empty());
  }
}

TEST_CASE("qctl line: nothing is cut where there is no terminal") {
  const qctl::Output out(-1);
  const auto line = qctl::LineLayout({}).line(qctl::entry_of(seen()), kNow, out);
  CHECK(line == "0H8ZK4TQ2N700A3W05 deferred   4.2K  2h05m     5m <me@example.org> <b@example.com>,<c@example.net> 550 5.1.1 nobody");
}

TEST_CASE("qctl line: on a terminal a line and its title fit") {
  const qctl::Output out(-1);
  auto long_one = seen();
  long_one.item.envelope.reverse_path = std::string(300, 'x') + "@example.org";
  for (const std::size_t columns : {1, 40, 80, 100, 132, 200}) {
    const qctl::LineLayout layout({.is_terminal = true, .colours = false, .utf8 = true, .columns = columns});
    const auto most = std::max<std::size_t>(columns, 52);  // what never gives way: id, queue, size, age, next
    CHECK(qctl::display_columns(layout.line(qctl::entry_of(long_one), kNow, out)) <= most);
    CHECK(qctl::display_columns(layout.title()) <= most);
  }
}

TEST_CASE("qctl line: addresses cannot steer the terminal or break the line") {
  CHECK(qctl::addresses_text({"a\x1b[2J@example.org", "\"b\nc\"@example.org"}, true) == "<a\\x1b[2J@example.org>,<\"b\\x0ac\"@example.org>");
  CHECK(qctl::addresses_text({""}, true) == "<>");
  CHECK(qctl::addresses_text({}, true) == "-");
}

TEST_CASE("qctl line: as JSON") {
  CHECK(qctl::as_json(qctl::entry_of(seen())) ==
        R"({"id":"0H8ZK4TQ2N700A3W05","queue":"deferred","in_log":false,"octets":4300,"arrived":"2027-01-15T05:55:00.000000Z",)"
        R"("next_attempt":"2027-01-15T08:05:00.000000Z","sender":"me@example.org","recipients":["b@example.com","c@example.net"],)"
        R"("reason":"550 5.1.1 nobody","attempts":1})");
}
