#include "queue-run/spool_keeper.h"

#include "lib/queue/log_writer.h"
#include "lib/queue/testing.h"

using queue::testing::make_item;
using queue::testing::TestSpool;

TEST_CASE("spool_keeper: a sync makes durable what was removed in the log") {
  TestSpool spool;
  auto writer = queue::LogWriter::open(*spool, {.segment_octets = 64 << 10});
  REQUIRE(writer);
  const auto item = make_item("one");
  REQUIRE(writer->add(item, base::Blob::of_octets("one")));
  REQUIRE(writer->commit());
  auto log = queue::LogReader::open(*spool, {});
  REQUIRE(log);
  REQUIRE(log->poll(10));
  net::Loop loop;
  run::SpoolKeeper keeper(loop, *spool, *log, {});
  bool is_concluded = false;
  keeper.on_concluded = [&](run::Message&) { is_concluded = true; };
  run::Message message;
  message.id = item.id;
  message.is_in_log = true;
  keeper.conclude(message, {});
  CHECK(is_concluded);
  CHECK(log->needs_sync());
  REQUIRE(keeper.sync());
  CHECK_FALSE(log->needs_sync());
  auto again = queue::LogReader::open(*spool, {});  // after a crash
  REQUIRE(again);
  const auto items = again->poll(10);
  REQUIRE(items);
  CHECK(items->empty());
}
