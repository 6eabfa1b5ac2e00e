#include "queue-run/recorder.h"

#include <fstream>

#include "lib/queue/testing.h"

using queue::EventKind;
using queue::testing::make_event;
using queue::testing::TestSpool;

namespace {

// A message in a file, with results to be recorded.
struct Bench {
  Bench() {
    auto opened = queue::LogReader::open(*spool, {});
    REQUIRE(opened);
    log.emplace(std::move(*opened));
    recorder.emplace(loop, *spool, *log, [this](run::Message&) { ++concluded; });
    const auto item = queue::testing::make_item("Subject: x\r\n\r\n");
    message.id = item.id;
    message.place = queue::Place{queue::State::Working, {}};
    std::ofstream(file()) << 'x';
  }
  [[nodiscard]] std::string file() const { return spool.path + "/working/" + message.id.string(); }
  void record(std::size_t recipient) {
    message.unrecorded = {make_event(EventKind::Sent, recipient)};
    recorder->note(message);
  }

  TestSpool spool;
  net::Loop loop;
  std::optional<queue::LogReader> log;
  std::optional<run::Recorder> recorder;
  run::Message message;
  int concluded = 0;
};

}  // namespace

TEST_CASE("recorder: after a sync that failed deliveries go on when what was not synced need not be any more") {
  Bench bench;
  const auto folder = bench.spool.path + "/progress", away = bench.spool.path + "/elsewhere";
  const auto now = base::monotonic_milliseconds();
  bench.record(0);
  std::filesystem::rename(folder, away);
  bench.recorder->flush(now);
  CHECK_FALSE(bench.recorder->can_record());
  std::filesystem::rename(away, folder);
  bench.recorder->conclude(bench.message, {});
  CHECK(bench.concluded == 1);
  bench.recorder->flush(now + 1);
  CHECK(bench.recorder->can_record());
}

TEST_CASE("recorder: after a sync that failed deliveries go on when another one has made it good") {
  Bench bench;
  const auto folder = bench.spool.path + "/progress", away = bench.spool.path + "/elsewhere";
  const auto now = base::monotonic_milliseconds();
  bench.record(0);
  std::filesystem::rename(folder, away);
  bench.recorder->flush(now);
  std::filesystem::rename(away, folder);
  bench.recorder->conclude(bench.message, {queue::Place{queue::State::Deferred, {}}});
  CHECK(bench.concluded == 1);
  bench.recorder->flush(now + 1);
  CHECK(bench.recorder->can_record());
}
