#include "lib/queue/log_check.h"

#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "lib/base/io.h"
#include "lib/queue/log_format.h"
#include "lib/queue/log_writer.h"
#include "lib/queue/testing.h"

using namespace queue;
using namespace queue::testing;
using Kind = LogFinding::Kind;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kPage = log_format::kPageOctets;

// A segment with three batches of one record each, at pages 1, 2 and 3; its path.
std::string fill(TestSpool& spool) {
  auto writer = LogWriter::open(*spool, {.segment_octets = 64 << 10});
  REQUIRE(writer);
  for (const auto* message : {"one", "two", "three"}) {
    REQUIRE(writer->add(make_item(message), base::Blob::of_octets(message)));
    REQUIRE(writer->commit());
  }
  for (const auto& entry : fs::directory_iterator(spool.path + "/log"))
    if (entry.path().extension() == ".log") return entry.path();
  return {};
}

void write_at(const std::string& path, std::uint64_t offset, std::string_view octets) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file << octets;
}

std::vector<Kind> kinds(TestSpool& spool) {
  const auto check = check_log(*spool);
  REQUIRE(check);
  std::vector<Kind> found;
  for (const auto& finding : check->findings) found.push_back(finding.kind);
  return found;
}

void make_old(const std::string& path) { fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(2)); }

}  // namespace

TEST_CASE("log check: a log in order is counted") {
  TestSpool spool;
  CHECK(kinds(spool).empty());
  fill(spool);
  const auto check = check_log(*spool);
  REQUIRE(check);
  CHECK(check->findings.empty());
  CHECK(check->segments == 1);
  CHECK(check->records == 3);
  CHECK(check->octets == 64 << 10);
}

TEST_CASE("log check: a record that is lost in front of others is found, and where") {
  TestSpool spool;
  const auto path = fill(spool);
  write_at(path, 2 * kPage + 40, "X");
  const auto check = check_log(*spool);
  REQUIRE(check->findings.size() == 1);
  CHECK(check->findings[0].path == "log/" + fs::path(path).filename().string());
  CHECK(check->findings[0].why.ends_with(" to 12288 hold no whole record: what was there is lost"));
  CHECK(check->records == 2);
}

TEST_CASE("log check: a last record that is damaged was committed, or nobody knows of it") {
  TestSpool spool;
  const auto path = fill(spool);
  write_at(path, 3 * kPage + 40, "X");
  CHECK(kinds(spool) == std::vector{Kind::Damage});
  // A mark behind the damage: as a crash leaves it.
  fs::remove(spool.path + "/log/committed");
  CHECK(kinds(spool).empty());
}

TEST_CASE("log check: one lost header is found and written again, two are no segment") {
  TestSpool spool;
  const auto path = fill(spool);
  const auto before = *base::read_file(path, 1 << 20);
  for (const std::uint64_t offset : std::array<std::uint64_t, 2>{0, (64 << 10) - kPage}) {
    write_at(path, offset, std::string(100, '\0'));
    CHECK(kinds(spool) == std::vector{Kind::LostHeader});
    REQUIRE(restore_segment_header(*spool, "log/" + fs::path(path).filename().string()));
    CHECK(*base::read_file(path, 1 << 20) == before);
  }
  CHECK_FALSE(restore_segment_header(*spool, "log/" + fs::path(path).filename().string()).has_value());
  write_at(path, 0, "X");
  write_at(path, (64 << 10) - kPage, "X");
  CHECK(kinds(spool) == std::vector{Kind::NoSegment});
}

TEST_CASE("log check: a segment that a failed sync has cut at its committed end is in order") {
  TestSpool spool;
  const auto path = fill(spool);
  fs::resize_file(path, 4 * kPage);
  CHECK(kinds(spool).empty());
  fs::remove(spool.path + "/log/committed");
  fs::resize_file(path, kPage);
  CHECK(kinds(spool).empty());
  fs::resize_file(path, kPage - 1);
  CHECK(kinds(spool) == std::vector{Kind::NoSegment});
}

TEST_CASE("log check: files that do not belong there") {
  TestSpool spool;
  fill(spool);
  std::ofstream(spool.path + "/log/notes") << "x";
  for (const auto* name : {"/log/0000000099.done", "/log/0000000098.new"}) {
    std::ofstream(spool.path + name) << "x";
    CHECK(kinds(spool).size() == 1);  // the notes alone: these are young
  }
  for (const auto* name : {"/log/0000000099.done", "/log/0000000098.new"}) make_old(spool.path + name);
  CHECK(kinds(spool) == std::vector{Kind::OldDraft, Kind::LoneJournal, Kind::Foreign});
}
