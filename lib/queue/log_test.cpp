#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "lib/base/crc32c.h"
#include "lib/base/io.h"
#include "lib/queue/log_format.h"
#include "lib/queue/log_reader.h"
#include "lib/queue/log_writer.h"
#include "lib/queue/testing.h"
#include "lib/queue/trigger.h"
#include "lib/queue/view.h"

using namespace queue;
using namespace queue::testing;
namespace fs = std::filesystem;

namespace {

constexpr LogWriter::Limits kSmall{.segment_octets = 64 << 10};

LogWriter writer_of(TestSpool& spool, const LogWriter::Limits& limits = kSmall) {
  auto writer = LogWriter::open(*spool, limits);
  REQUIRE(writer);
  return std::move(*writer);
}
LogReader reader_of(TestSpool& spool, std::size_t segments = 8) {
  auto reader = LogReader::open(*spool, {.segments = segments});
  REQUIRE(reader);
  return std::move(*reader);
}

// One commit of messages with these texts.
std::vector<Id> write(LogWriter& writer, const std::vector<std::string>& messages) {
  std::vector<Id> ids;
  for (const auto& message : messages) {
    const Item item = make_item(message);
    REQUIRE(writer.add(item, base::Blob::of_octets(message)));
    ids.push_back(item.id);
  }
  REQUIRE(writer.commit());
  return ids;
}

std::vector<LogItem> poll(LogReader& reader, std::size_t limit = 1000) {
  auto items = reader.poll(limit);
  REQUIRE(items);
  return std::move(*items);
}
std::vector<Id> ids_of(const std::vector<LogItem>& items) {
  std::vector<Id> ids;
  for (const auto& item : items) ids.push_back(item.item.id);
  return ids;
}

std::vector<std::string> log_files(const TestSpool& spool, const std::string& kind) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(spool.path + "/log"))
    if (entry.path().extension() == "." + kind) names.push_back(entry.path());
  std::ranges::sort(names);
  return names;
}

std::string read(const std::string& path) { return *base::read_file(path, 1 << 30); }
void overwrite(const std::string& path, std::string_view octets) { std::ofstream(path, std::ios::binary) << octets; }

}  // namespace

TEST_CASE("log: what is committed is handed out, once, in order, whole") {
  TestSpool spool;
  auto reader = reader_of(spool);
  auto writer = writer_of(spool);
  CHECK(poll(reader).empty());
  CHECK(log_files(spool, "log").empty());  // no message, no segment

  const auto first = write(writer, {"one", std::string(9000, 'x'), ""});
  auto items = poll(reader);
  CHECK(ids_of(items) == first);
  CHECK(octets_of(items[0].message) == "one");
  CHECK(octets_of(items[1].message) == std::string(9000, 'x'));
  CHECK(items[2].message.size() == 0);
  CHECK(poll(reader).empty());

  const auto second = write(writer, {"four"});
  CHECK(ids_of(poll(reader)) == second);

  // What is not committed is not seen.
  const Item item = make_item("five");
  REQUIRE(writer.add(item, base::Blob::of_octets("five")));
  CHECK(poll(reader).empty());
}

TEST_CASE("log: poll hands out no more than it is asked for, and goes on there") {
  TestSpool spool;
  auto writer = writer_of(spool);
  std::vector<Id> written;
  for (int i = 0; i < 40; ++i)
    for (const auto& id : write(writer, {std::string(5000, 'x')})) written.push_back(id);
  CHECK(log_files(spool, "log").size() > 3);
  auto reader = reader_of(spool);
  std::vector<Id> seen;
  for (;;) {
    const auto items = poll(reader, 7);
    if (items.empty()) break;
    CHECK(items.size() <= 7);
    for (const auto& id : ids_of(items)) seen.push_back(id);
  }
  CHECK(seen == written);
}

TEST_CASE("log: a second writer waits for the first to end, then says who has the spool") {
  TestSpool spool;
  const auto writer = writer_of(spool);
  const auto second = LogWriter::open(*spool, kSmall);
  REQUIRE_FALSE(second);
  CHECK(second.error().error_number == EWOULDBLOCK);
}

TEST_CASE("log: sizes of segments and of what fits") {
  TestSpool spool;
  for (const std::uint64_t octets : {std::uint64_t{0}, std::uint64_t{4096}, log_format::kMinSegmentOctets - 4096, log_format::kMaxSegmentOctets + 1})
    CHECK_FALSE(LogWriter::open(*spool, {.segment_octets = octets}));
  auto writer = writer_of(spool);
  const Item head = make_item(std::string(50'000, 'x'));
  const auto room = writer.max_item_octets() - to_octets(head).size();
  const auto fits = [&](std::uint64_t octets) {
    const std::string message(octets, 'x');
    const Item item = make_item(message);
    return writer.add(item, base::Blob::of_octets(message));
  };
  CHECK_FALSE(fits(room + 1));
  CHECK(fits(room));
  CHECK_FALSE(fits(1));  // commit first
  REQUIRE(writer.commit());
  CHECK(writer.batch_octets() == 0);
  CHECK(fits(1));
  REQUIRE(writer.commit());
  auto reader = reader_of(spool);
  CHECK(poll(reader).size() == 2);
}

TEST_CASE("log: results survive the reader, and finished messages do not come back") {
  TestSpool spool;
  auto writer = writer_of(spool);
  const auto ids = write(writer, {"a", "b", "c"});
  {
    auto reader = reader_of(spool);
    CHECK(poll(reader).size() == 3);
    reader.record(ids[0], make_event(EventKind::Sent, 0));
    reader.finish(ids[0]);
    reader.record(ids[1], make_event(EventKind::Deferred, 0, "451 later"));
    CHECK_FALSE(reader.holds(ids[0]));
    CHECK(reader.holds(ids[1]));
    CHECK(reader.needs_sync());
    REQUIRE(reader.write_results());
    REQUIRE(reader.sync_results());
    CHECK_FALSE(reader.needs_sync());
  }
  // The journal is text, and a torn line in it counts for nothing.
  const auto journals = log_files(spool, "done");
  REQUIRE(journals.size() == 1);
  CHECK(read(journals[0]).find(ids[0].string()) != std::string::npos);
  std::ofstream(journals[0], std::ios::app) << ids[2].text() << " 2026-11-21T20:15:01.000003Z finished *";
  {
    auto reader = reader_of(spool);
    const auto items = poll(reader);
    CHECK(ids_of(items) == std::vector<Id>{ids[1], ids[2]});
    REQUIRE(items[0].events.size() == 1);
    CHECK(items[0].events[0].text == "451 later");
    reader.finish(ids[1]);
    REQUIRE(reader.sync_results());
  }
  auto reader = reader_of(spool);
  CHECK(ids_of(poll(reader)) == std::vector<Id>{ids[2]});
}

TEST_CASE("log: a segment goes back when the writer has left it and all is finished, and old messages do not count in its new life") {
  TestSpool spool;
  auto writer = writer_of(spool);
  auto reader = reader_of(spool);
  for (int round = 0; round < 50; ++round) {
    write(writer, {std::string(20'000, static_cast<char>('a' + round % 26))});
    for (const auto& item : poll(reader)) {
      CHECK(octets_of(item.message) == std::string(20'000, static_cast<char>('a' + round % 26)));
      reader.finish(item.item.id);
    }
    REQUIRE(reader.sync_results());
    REQUIRE(reader.free_segments());
  }
  CHECK(log_files(spool, "log").size() + log_files(spool, "free").size() <= 4);
  CHECK(log_files(spool, "done").size() <= 2);
  // Both ends killed, then started again: nothing comes back.
  auto again = reader_of(spool);
  CHECK(poll(again).empty());
}

TEST_CASE("log: a segment stays while a window of it is in use") {
  TestSpool spool;
  auto reader = reader_of(spool);
  auto writer = writer_of(spool);
  write(writer, {std::string(40'000, 'x')});
  auto items = poll(reader);
  REQUIRE(items.size() == 1);
  write(writer, {std::string(40'000, 'y')});  // into the next segment
  CHECK(poll(reader).size() == 1);
  reader.finish(items[0].item.id);
  REQUIRE(reader.sync_results());
  REQUIRE(reader.free_segments());
  CHECK(log_files(spool, "free").empty());
  CHECK(octets_of(items[0].message) == std::string(40'000, 'x'));
  items.clear();
  REQUIRE(reader.free_segments());
  CHECK(log_files(spool, "free").size() == 1);
}

TEST_CASE("log: spilled messages have files and their progress, and leave the log") {
  TestSpool spool;
  auto writer = writer_of(spool);
  const auto ids = write(writer, {"a", "b", "c"});
  const auto next = std::chrono::time_point_cast<base::WallTime::duration>(base::wall_now() + std::chrono::minutes(5));
  {
    auto reader = reader_of(spool);
    poll(reader);
    reader.record(ids[0], make_event(EventKind::Deferred, 0, "451 later"));
    const std::vector<LogReader::Spill> spills = {{ids[0], {State::Deferred, {}}, next}, {ids[1], {State::Quarantine, "spam"}, {}}};
    REQUIRE(reader.spill(spills));
    CHECK_FALSE(reader.holds(ids[0]));
    const std::vector<LogReader::Spill> unknown = {{ids[0], {}, {}}};
    CHECK_FALSE(reader.spill(unknown));
  }
  const auto deferred = spool->read({State::Deferred, {}}, ids[0]);
  REQUIRE(deferred);
  CHECK(octets_of(deferred->message) == "a");
  CHECK((*spool->find(ids[0]))->modified == next);
  CHECK(spool->read_progress(ids[0])->at(0).text == "451 later");
  CHECK((*spool->find(ids[1]))->place.quarantine == "spam");
  CHECK(spool.count("tmp") == 0);
  auto reader = reader_of(spool);
  CHECK(ids_of(poll(reader)) == std::vector<Id>{ids[2]});
}

TEST_CASE("log: a crash between the file of a spill and its journal line does not double the message") {
  TestSpool spool;
  auto writer = writer_of(spool);
  const auto ids = write(writer, {"a", "b"});
  const auto before = log_files(spool, "log");
  {
    auto reader = reader_of(spool);
    poll(reader);
    const std::vector<LogReader::Spill> spills = {{ids[0], {State::Hold, {}}, {}}};
    REQUIRE(reader.spill(spills));
  }
  for (const auto& journal : log_files(spool, "done")) fs::remove(journal);  // the line never reached the disk
  {
    auto reader = reader_of(spool);
    CHECK(ids_of(poll(reader)) == std::vector<Id>{ids[1]});
    REQUIRE(reader.sync_results());
  }
  // Now it did: also when the file is gone in the meantime.
  REQUIRE(spool->remove(ids[0], {State::Hold, {}}));
  auto reader = reader_of(spool);
  CHECK(ids_of(poll(reader)) == std::vector<Id>{ids[1]});
}

TEST_CASE("log: messages that hold too many segments are named") {
  TestSpool spool;
  auto writer = writer_of(spool);
  auto reader = reader_of(spool, 2);
  std::vector<Id> ids;
  for (int i = 0; i < 4; ++i)
    for (const auto& id : write(writer, {std::string(40'000, 'x')})) ids.push_back(id);
  CHECK(reader.crowding().empty());  // not handed out yet
  poll(reader);
  CHECK(reader.crowding() == std::vector<Id>{ids[0], ids[1]});
  std::vector<LogReader::Spill> spills;
  for (const auto& id : reader.crowding()) spills.push_back({id, {State::Deliver, {}}, {}});
  REQUIRE(reader.spill(spills));
  CHECK(reader.crowding() == std::vector<Id>{});
  REQUIRE(reader.free_segments());
  CHECK(log_files(spool, "log").size() == 2);
}

TEST_CASE("log: octets cut or changed anywhere: nothing in part, and what is before stays") {
  TestSpool spool;
  std::vector<Id> ids;
  std::string path;
  {
    auto writer = writer_of(spool);
    for (int i = 0; i < 6; ++i)
      for (const auto& id : write(writer, {"message " + std::to_string(i), std::string(3000, static_cast<char>('a' + i))})) ids.push_back(id);
    path = log_files(spool, "log").at(0);
  }
  const std::string whole = read(path);
  const auto survivors = [&] {
    auto reader = reader_of(spool);
    std::vector<std::size_t> alive;
    for (const auto& item : poll(reader)) {
      const auto at = static_cast<std::size_t>(std::ranges::find(ids, item.item.id) - ids.begin());
      REQUIRE(at < ids.size());
      const auto i = static_cast<int>(at / 2);
      CHECK(octets_of(item.message) == (at % 2 == 0 ? "message " + std::to_string(i) : std::string(3000, static_cast<char>('a' + i))));
      alive.push_back(at);
    }
    return alive;
  };
  CHECK(survivors().size() == 12);

  // Cut: a prefix of the messages stays.
  for (std::size_t cut = 0; cut < 8 * log_format::kPageOctets; cut += 97) {
    CAPTURE(cut);
    overwrite(path, std::string_view(whole).substr(0, cut));
    const auto alive = survivors();
    for (std::size_t i = 0; i < alive.size(); ++i) CHECK(alive[i] == i);
  }
  // One octet changed: at most one message (or the segment's header) is lost, and what shares its batch behind it.
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    const std::size_t at = log_format::kPageOctets + random() % (6 * log_format::kPageOctets);
    CAPTURE(at);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    overwrite(path, damaged);
    CHECK(survivors().size() >= 10);
  }
  // A page that was not written.
  for (std::size_t page = 1; page < 7; ++page) {
    std::string damaged = whole;
    damaged.replace(page * log_format::kPageOctets, log_format::kPageOctets, log_format::kPageOctets, '\0');
    overwrite(path, damaged);
    CHECK(survivors().size() == 10);
  }
  // The first page, or the last.
  for (const std::size_t at : {std::size_t{0}, whole.size() - log_format::kPageOctets}) {
    std::string damaged = whole;
    damaged.replace(at, log_format::kPageOctets, log_format::kPageOctets, '\0');
    overwrite(path, damaged);
    CHECK(survivors().size() == 12);
  }
}

TEST_CASE("log: the text of a message cannot pass for a record") {
  TestSpool spool;
  {
    auto writer = writer_of(spool);
    write(writer, {"first"});
  }
  const std::string path = log_files(spool, "log").at(0);
  const std::string octets = read(path);
  const auto header = log_format::parse_segment_header(octets);
  REQUIRE(header);
  // A record as it would stand at the third page, by somebody who knows all but the segment's nonce, then all.
  const std::string item = to_octets(make_item("x", "victim@example.net")) + "x";
  const log_format::Record record{3 * log_format::kPageOctets, item.size()};
  for (const bool knows : {false, true}) {
    const std::uint64_t nonce = knows ? header->nonce : header->nonce ^ 1;
    const auto checksum = base::crc32c(item, log_format::checksum_seed(nonce, record.offset, record.item_octets));
    std::string forged = octets;
    forged.replace(record.offset, log_format::kRecordHeaderOctets + item.size(), log_format::record_header(nonce, record, checksum) + item);
    overwrite(path, forged);
    auto reader = reader_of(spool);
    CHECK(poll(reader).size() == (knows ? 2 : 1));
  }
}

TEST_CASE("log: queue-run is poked, and gets requests") {
  TestSpool spool;
  auto trigger = Trigger::open(*spool);
  REQUIRE(trigger);
  CHECK(trigger->read().empty());
  auto writer = writer_of(spool);
  write(writer, {"a"});
  write(writer, {"b"});
  auto requests = trigger->read();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].kind == Request::Kind::Look);

  TriggerPoke poke(*spool);
  const Id id = Id::make();
  CHECK(poke.send({Request::Kind::Move, id, {State::Quarantine, "spam"}}));
  CHECK(poke.send({Request::Kind::Remove, id, {}}));
  CHECK(poke.send({Request::Kind::Retry, id, {}}));
  std::ofstream(spool.path + "/log/trigger") << "rubbish\nmove x hold\nmove " << id.text() << " nowhere\nremove " << id.text() << " hold\n";
  requests = trigger->read();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].kind == Request::Kind::Move);
  CHECK(requests[0].id == id);
  CHECK(requests[0].place.quarantine == "spam");
  CHECK(requests[1].kind == Request::Kind::Remove);
  CHECK(requests[2].kind == Request::Kind::Retry);
}

TEST_CASE("log: without a listener a poke is lost and nobody waits") {
  TestSpool spool;
  TriggerPoke poke(*spool);
  CHECK_FALSE(poke.send({}));
  { REQUIRE(Trigger::open(*spool)); }
  CHECK_FALSE(poke.send({}));
}

TEST_CASE("view: files and the log alike, beside the writers") {
  TestSpool spool;
  auto writer = writer_of(spool);
  auto reader = reader_of(spool);
  const auto logged = write(writer, {"in the log", "spilled", "finished"});
  poll(reader);
  const Item filed = make_item("in a file");
  REQUIRE(spool->store(filed, base::Blob::of_octets("in a file"), {}));
  const std::vector<LogReader::Spill> spills = {{logged[1], {State::Hold, {}}, {}}};
  REQUIRE(reader.spill(spills));
  reader.record(logged[0], make_event(EventKind::Deferred, 0, "451 later"));
  reader.finish(logged[2]);
  REQUIRE(reader.write_results());

  const View view(*spool);
  std::vector<Id> working;
  REQUIRE(view.list({}, [&](const Listed& listed) {
    CHECK(listed.is_in_log == (listed.id == logged[0]));
    working.push_back(listed.id);
    return true;
  }));
  CHECK(working == std::vector<Id>{filed.id, logged[0]});

  const auto seen = view.find(logged[0]);
  REQUIRE(seen);
  CHECK(seen->is_in_log);
  CHECK(octets_of(seen->message) == "in the log");
  REQUIRE(seen->events.size() == 1);
  CHECK(seen->events[0].text == "451 later");
  CHECK(octets_of(view.find(filed.id)->message) == "in a file");
  CHECK(view.find(logged[1])->place.state == State::Hold);
  CHECK(view.find(logged[2]).error().error_number == ENOENT);

  std::size_t visited = 0;
  REQUIRE(view.visit({}, {[&](const Listed& listed) { return listed.is_in_log; }, {}, [&](const Seen& one) { return visited += one.item.id == logged[0], true; }}));
  CHECK(visited == 1);
}
