#include "lib/queue/log_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "lib/base/durable.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/queue/commit_mark.h"
#include "lib/queue/done_journal.h"
#include "lib/queue/folders.h"
#include "lib/queue/log_format.h"
#include "lib/queue/log_scan.h"
#include "lib/queue/segment_scan.h"

namespace queue {
namespace {

using base::Result;
using log_format::Record;

constexpr std::size_t kSpareSegments = 2;      // kept for the writer; more are removed
constexpr std::size_t kSpillsAtOnce = 64;      // files that share a sync of their folder

struct Segment {
  std::uint64_t number;
  std::shared_ptr<const base::UniqueFd> file;  // shared with the windows that were handed out
  std::uint64_t nonce;
  SegmentScan scan;
  DoneJournal done;
  DoneRecords before;         // what an earlier queue-run recorded, until it is handed out
  bool is_closed = false;     // the writer has left it
  bool is_scanned = false;    // closed, and all of it was handed out
  std::size_t live = 0;       // handed out, not finished
  std::size_t unreadable = 0; // intact records that are no item: of a newer version? They are never given up
};

// A message that was handed out and is not finished.
struct Live {
  Segment* segment;
  Record record;
  std::vector<Event> events;
};

}  // namespace

struct LogReader::Internal {
  Internal(Spool& spool_, const Limits& limits_, CommitMark mark_) : spool(&spool_), limits(limits_), mark(std::move(mark_)) {}

  std::string path(const std::string& name) const { return spool->path() + "/" + name; }
  std::string segment_path(std::uint64_t number, std::string_view kind) const { return path("log/" + log_format::log_file_name({number, kind})); }

  Result<void> open_new_segments();
  Result<void> open_segment_of(std::uint64_t number);
  Result<void> close_segments_of_dead_writer();
  Result<void> note_files();
  [[nodiscard]] bool has_file(const Id& id) const;
  void forget_files() {
    files.clear();
    large.clear();
  }
  Result<void> poll_segment(Segment& segment, std::uint64_t end, std::size_t limit, std::vector<LogItem>& items);
  void hand_out(Segment& segment, const SegmentScan::Found& found, std::vector<LogItem>& items);
  void finish(const Id& id);
  Result<void> give_back(const Segment& segment, std::size_t& spare);

  Spool* spool;
  Limits limits;
  CommitMark mark;
  std::map<std::uint64_t, Segment> segments;
  std::unordered_set<std::uint64_t> foreign;  // named like segments; told once
  std::unordered_map<Id, Live> live;
  // Messages that had files when we began: of a spill that a crash cut short. Until the segments of then are read.
  std::unordered_set<Id> files;
  std::vector<Place> large;  // folders that are asked for each message instead
  std::uint64_t last_of_before = 0;
};

// ---- segments ---------------------------------------------------------------------------------------------------------

Result<void> LogReader::Internal::open_segment_of(std::uint64_t number) {
  auto opened = open_segment(segment_path(number, "log"));
  if (!opened && opened.error().error_number == ENOENT) return {};
  if (!opened && opened.error().fault == base::Fault::Permanent) {
    if (foreign.insert(number).second) base::log::error("foreign file in the log", {{"cause", opened.error().cause}});
    return {};
  }
  if (!opened) return std::unexpected(opened.error());
  const std::string done_path = segment_path(number, "done");
  auto done = read_done(done_path, opened->header.nonce);
  if (!done) return std::unexpected(done.error());
  const int fd = opened->file.get();
  const auto nonce = opened->header.nonce;
  segments.emplace(number, Segment{number, std::make_shared<const base::UniqueFd>(std::move(opened->file)), nonce, SegmentScan(fd, nonce),
                                   DoneJournal(done_path, nonce), std::move(*done)});
  return {};
}

Result<void> LogReader::Internal::open_new_segments() {
  const auto numbers = segment_numbers(*spool);
  if (!numbers) return std::unexpected(numbers.error());
  for (const auto number : *numbers)
    if (!segments.contains(number) && !foreign.contains(number))
      if (const auto opened = open_segment_of(number); !opened) return opened;
  return {};
}

// Without a writer nothing is being committed: all segments are closed, whatever the mark says. While we look, none may
// begin; a writer that tries waits for that.
Result<void> LogReader::Internal::close_segments_of_dead_writer() {
  const auto lock = spool->lock("queue-inject");
  if (const auto opened = open_new_segments(); !opened) return opened;
  if (lock)
    for (auto& [number, segment] : segments) segment.is_closed = true;
  if (!segments.empty()) last_of_before = segments.rbegin()->first;
  return {};
}

Result<void> LogReader::Internal::note_files() {
  if (segments.empty()) return {};
  for (const auto& place : spool->places()) {
    if (is_large(spool->folder_path(place))) {
      large.push_back(place);
      continue;
    }
    const auto listed = spool->list_names(place, [&](const Id& id) {
      files.insert(id);
      return true;
    });
    if (!listed) return listed;
  }
  return {};
}

bool LogReader::Internal::has_file(const Id& id) const {
  return files.contains(id) || std::ranges::any_of(large, [&](const Place& place) { return ::access(spool->file_path(place, id).c_str(), F_OK) == 0; });
}

// ---- messages ---------------------------------------------------------------------------------------------------------

void LogReader::Internal::hand_out(Segment& segment, const SegmentScan::Found& found, std::vector<LogItem>& items) {
  std::uint64_t message_offset = 0;
  auto item = parse_item(found.item, found.item.size(), message_offset);
  if (!item) {
    ++segment.unreadable;
    base::log::error("unreadable message in the log", {{"segment", segment.number}, {"offset", found.record.offset}, {"cause", item.error().cause}});
    return;
  }
  const Id id = item->id;
  if (segment.before.finished.erase(id) != 0) return;
  std::vector<Event> events;
  if (auto known = segment.before.events.find(id); known != segment.before.events.end()) events = std::move(known->second);
  const auto [entry, is_new] = live.try_emplace(id, Live{&segment, found.record, events});
  if (!is_new) {
    base::log::error("message twice in the log", {{"id", id.text()}, {"segment", segment.number}});
    return;
  }
  ++segment.live;
  if (has_file(id)) {  // its file was durable before the crash: that is the message
    finish(id);
    return;
  }
  const auto octets = item->message_octets;
  items.push_back({std::move(*item), base::Blob::of_file(segment.file, found.record.item_offset() + message_offset, octets), std::move(events)});
}

Result<void> LogReader::Internal::poll_segment(Segment& segment, std::uint64_t end, std::size_t limit, std::vector<LogItem>& items) {
  while (items.size() < limit) {
    const auto damaged = segment.scan.damaged_octets();
    const auto found = segment.scan.next(end);
    if (!found) return base::fail_within(segment_path(segment.number, "log"), found.error());
    if (segment.scan.damaged_octets() != damaged)
      base::log::error("damaged octets in the log", {{"segment", segment.number}, {"octets", segment.scan.damaged_octets() - damaged}});
    if (!*found) {
      segment.is_scanned = segment.is_closed;
      if (segment.is_scanned) segment.before = {};
      return {};
    }
    hand_out(segment, **found, items);
  }
  return {};
}

void LogReader::Internal::finish(const Id& id) {
  const auto one = live.find(id);
  if (one == live.end()) return;
  Segment& segment = *one->second.segment;
  segment.done.add(id, Event{.kind = EventKind::Finished, .recipient = {}, .destination = {}, .address = {}, .text = {}});
  --segment.live;
  live.erase(one);
}

// ---- the interface ----------------------------------------------------------------------------------------------------

LogReader::LogReader(std::unique_ptr<Internal> internal) : internal_(std::move(internal)) {}
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;
LogReader::~LogReader() = default;

Result<LogReader> LogReader::open(Spool& spool, const Limits& limits) {
  auto mark = CommitMark::open_for_reading(spool);
  if (!mark) return std::unexpected(mark.error());
  auto internal = std::make_unique<Internal>(spool, limits, std::move(*mark));
  if (const auto opened = internal->close_segments_of_dead_writer(); !opened) return std::unexpected(opened.error());
  if (const auto noted = internal->note_files(); !noted) return std::unexpected(noted.error());
  // Journals whose segment was given back.
  const auto listed = for_each_name(internal->path("log"), [&](const char* name) {
    const auto file = log_format::parse_log_file_name(name);
    if (file && file->kind == "done" && !internal->segments.contains(file->number) &&
        ::access(internal->segment_path(file->number, "log").c_str(), F_OK) != 0)
      (void)::unlink(internal->path("log/" + std::string(name)).c_str());
    return true;
  });
  if (!listed) return std::unexpected(listed.error());
  return LogReader(std::move(internal));
}

Result<std::vector<LogItem>> LogReader::poll(std::size_t limit) {
  auto& in = *internal_;
  const auto mark = in.mark.load();
  if (!mark) return std::unexpected(mark.error());
  if (in.segments.empty() || in.segments.rbegin()->first < mark->segment)
    if (const auto opened = in.open_new_segments(); !opened) return std::unexpected(opened.error());

  std::vector<LogItem> items;
  for (auto& [number, segment] : in.segments) {
    if (items.size() >= limit) break;
    if (segment.is_scanned) continue;
    segment.is_closed = segment.is_closed || number < mark->segment;
    // A closed one is read to its end, which a failed sync may have brought forward.
    std::uint64_t end = number == mark->segment ? mark->offset : 0;
    if (segment.is_closed) {
      const auto size = base::file_size(segment.file->get());
      if (!size) return std::unexpected(size.error());
      end = *size;
    }
    if (const auto polled = in.poll_segment(segment, end, limit, items); !polled) return std::unexpected(polled.error());
    if (segment.is_scanned && number >= in.last_of_before) in.forget_files();
  }
  return items;
}

bool LogReader::holds(const Id& id) const { return internal_->live.contains(id); }

Result<std::vector<Id>> LogReader::live_ids() {
  std::vector<Id> ids;
  const auto scanned = scan_log(*internal_->spool, [&](const LiveRecord& record) {
    ids.push_back(record.item.id);
    return true;
  });
  if (!scanned) return std::unexpected(scanned.error());
  return ids;
}

void LogReader::record(const Id& id, const Event& event) {
  const auto one = internal_->live.find(id);
  assert(one != internal_->live.end());
  one->second.segment->done.add(id, event);
  one->second.events.push_back(event);
}

void LogReader::finish(const Id& id) { internal_->finish(id); }

Result<void> LogReader::write_results() {
  for (auto& [number, segment] : internal_->segments)
    if (const auto written = segment.done.write(); !written) return written;
  return {};
}

Result<void> LogReader::sync_results() {
  if (const auto written = write_results(); !written) return written;
  for (auto& [number, segment] : internal_->segments)
    if (const auto synced = segment.done.sync(); !synced) return synced;
  return {};
}

bool LogReader::needs_sync() const {
  return std::ranges::any_of(internal_->segments, [](const auto& one) { return one.second.done.has_unwritten() || one.second.done.has_unsynced(); });
}

// ---- leaving the log --------------------------------------------------------------------------------------------------

Result<Spilling> LogReader::begin_spill(std::span<const Spill> spills) const {
  Spilling spilling(*internal_->spool);
  for (const auto& spill : spills) {
    const auto live = internal_->live.find(spill.id);
    if (live == internal_->live.end()) return base::fail(base::Fault::Bug, "spill of " + spill.id.string() + ", which is not in the log");
    const auto& [segment, record, events] = live->second;
    spilling.messages_.push_back({spill.id, spill.place, spill.modified, base::Blob::of_file(segment->file, record.item_offset(), record.item_octets), events});
  }
  return spilling;
}

Result<void> LogReader::end_spill(const Spilling& spilling) {
  if (!spilling.is_written_) return {};
  for (const auto& message : spilling.messages_) finish(message.id);
  // Before any of these files can go: else the message would be in the log again after a power cut.
  return sync_results();
}

Result<void> LogReader::spill(std::span<const Spill> spills) {
  while (!spills.empty()) {
    const auto some = spills.first(std::min(spills.size(), kSpillsAtOnce));
    auto spilling = begin_spill(some);
    if (!spilling) return std::unexpected(spilling.error());
    if (const auto written = spilling->write(); !written) return written;
    if (const auto ended = end_spill(*spilling); !ended) return ended;
    spills = spills.subspan(some.size());
  }
  return {};
}

std::vector<Id> LogReader::crowding() const {
  const auto& in = *internal_;
  std::vector<Id> ids;
  if (in.segments.size() <= in.limits.segments) return ids;
  std::unordered_set<const Segment*> oldest;
  for (const auto& [number, segment] : in.segments) {
    if (oldest.size() == in.segments.size() - in.limits.segments || !segment.is_scanned) break;
    oldest.insert(&segment);
  }
  for (const auto& [id, one] : in.live)
    if (oldest.contains(one.segment)) ids.push_back(id);
  std::ranges::sort(ids);
  return ids;
}

Result<void> LogReader::Internal::give_back(const Segment& segment, std::size_t& spare) {
  const std::string from = segment_path(segment.number, "log");
  const bool keeps = spare > 0;
  if (keeps) --spare;
  const int failed = keeps ? ::rename(from.c_str(), segment_path(segment.number, "free").c_str()) : ::unlink(from.c_str());
  // Gone already: an earlier call did this one and failed at another.
  if (failed != 0 && errno != ENOENT) return base::fail_errno("give back " + from);
  return {};
}

Result<void> LogReader::free_segments() {
  auto& in = *internal_;
  const auto is_done = [](const auto& one) {
    const Segment& segment = one.second;
    return segment.is_scanned && segment.live == 0 && segment.unreadable == 0 && segment.file.use_count() == 1;
  };
  if (std::ranges::none_of(in.segments, is_done)) return {};

  std::size_t spare = kSpareSegments;
  const auto listed = for_each_name(in.path("log"), [&](const char* name) {
    const auto file = log_format::parse_log_file_name(name);
    if (file && file->kind == "free" && spare > 0) --spare;
    return true;
  });
  if (!listed) return listed;

  std::vector<std::uint64_t> freed;
  for (const auto& one : in.segments) {
    if (!is_done(one)) continue;
    if (const auto given = in.give_back(one.second, spare); !given) return given;
    freed.push_back(one.first);
  }
  // The journal goes when it is certain that the segment will not come back under its name.
  if (const auto synced = base::sync_directory(in.path("log")); !synced) return synced;
  for (const auto number : freed) {
    (void)::unlink(in.segment_path(number, "done").c_str());
    in.segments.erase(number);
  }
  return {};
}

}  // namespace queue
