#include "lib/queue/replacement.h"

#include "lib/queue/testing.h"

using namespace queue;
using namespace queue::testing;

namespace {

Replacement replacement_of(const Item& item, State from, State to, std::string message) {
  Replacement replacement;
  replacement.item = item;
  replacement.item.envelope.recipients = {"other@example.com"};
  replacement.item.message_octets = message.size();
  replacement.message = base::Blob::of_octets(std::move(message));
  replacement.from = Place{from, {}};
  replacement.to = {to, {}};
  return replacement;
}

base::Result<void> write(const Spool& spool, Replacement replacement) {
  write_replacements(spool, std::span(&replacement, 1));
  return replacement.end;
}

}  // namespace

TEST_CASE("replacement: the new text stands where it goes on, and the old one is gone") {
  for (const auto from : {State::Working, State::Deliver}) {
    TestSpool spool;
    const auto item = make_item("old\r\n");
    REQUIRE(spool->store(item, base::Blob::of_octets("old\r\n"), {from, {}}));
    auto replacement = replacement_of(item, from, State::Deliver, "new text\r\n");
    replacement.events.push_back({base::wall_now(), EventKind::Ruled, std::nullopt, "postq", {}, "why"});
    REQUIRE(write(*spool, replacement));
    CHECK(spool.count("working") == 0);
    CHECK(spool.count("deliver") == 1);
    CHECK(spool.count("tmp") == 0);
    const auto stored = spool->read({State::Deliver, {}}, item.id);
    REQUIRE(stored);
    CHECK(octets_of(stored->message) == "new text\r\n");
    CHECK(stored->item.arrived == item.arrived);
    CHECK(stored->item.envelope.recipients == std::vector<std::string>{"other@example.com"});
    CHECK(spool->read_progress(item.id)->size() == 1);
  }
}

TEST_CASE("replacement: a quarantine that has no folder yet, and a first attempt that is later") {
  TestSpool spool;
  const auto item = make_item("old\r\n");
  REQUIRE(spool->store(item, base::Blob::of_octets("old\r\n"), {State::Working, {}}));
  auto replacement = replacement_of(item, State::Working, State::Quarantine, "x\r\n");
  replacement.to.quarantine = "virus/zip";
  REQUIRE(write(*spool, replacement));
  CHECK(spool->find(item.id)->value().place == Place{State::Quarantine, "virus/zip"});
  const auto later = base::wall_now() + std::chrono::hours(2);
  auto again = replacement_of(item, State::Quarantine, State::Deferred, "x\r\n");
  again.from = Place{State::Quarantine, "virus/zip"};
  again.modified = later;
  REQUIRE(write(*spool, again));
  CHECK(std::chrono::abs(spool->find(item.id)->value().modified - later) < std::chrono::milliseconds(1));
}

TEST_CASE("replacement: a file that somebody moved away is his, and nothing new appears") {
  TestSpool spool;
  const auto item = make_item("old\r\n");
  REQUIRE(spool->store(item, base::Blob::of_octets("old\r\n"), {State::Hold, {}}));
  for (const auto to : {State::Working, State::Deliver}) {
    const auto written = write(*spool, replacement_of(item, State::Working, to, "new\r\n"));
    REQUIRE_FALSE(written);
    CHECK(written.error().error_number == ENOENT);
  }
  CHECK(spool.count("working") + spool.count("deliver") + spool.count("tmp") == 0);
  CHECK(spool.count("hold") == 1);
}

TEST_CASE("replacement: what a crash left of an earlier try is no hindrance") {
  TestSpool spool;
  const auto item = make_item("old\r\n");
  REQUIRE(spool->store(item, base::Blob::of_octets("old\r\n"), {State::Working, {}}));
  REQUIRE(spool->store(item, base::Blob::of_octets("half\r\n"), {State::Deliver, {}}));
  { [[maybe_unused]] const auto kept = std::fopen((spool.path + "/tmp/" + item.id.string()).c_str(), "w"); std::fclose(kept); }
  REQUIRE(write(*spool, replacement_of(item, State::Working, State::Deliver, "new\r\n")));
  CHECK(octets_of(spool->read({State::Deliver, {}}, item.id)->message) == "new\r\n");
  CHECK(spool.count("working") == 0);
}

TEST_CASE("replacement: of two texts of one message, as a crash leaves them, the one that sends less stays") {
  TestSpool spool;
  const auto item = make_item("old\r\n");
  auto changed = item;
  changed.context = R"({"stage":"postq"})";
  REQUIRE(spool->store(item, base::Blob::of_octets("old\r\n"), {State::Working, {}}));
  REQUIRE(spool->store(changed, base::Blob::of_octets("old\r\n"), {State::Quarantine, "virus"}));
  REQUIRE(spool->repair());
  CHECK(spool.count("working") == 0);
  CHECK(spool->read({State::Quarantine, "virus"}, item.id)->item.context == changed.context);
}
