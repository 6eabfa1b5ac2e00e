#include "lib/queue/log_scan.h"

#include <algorithm>
#include <limits>

#include "lib/queue/done_journal.h"
#include "lib/queue/folders.h"
#include "lib/queue/log_format.h"
#include "lib/queue/segment_scan.h"

namespace queue {
namespace {

using base::Result;

std::string segment_path(const Spool& spool, std::uint64_t number, std::string_view kind) {
  return spool.path() + "/log/" + log_format::log_file_name({number, kind});
}

// false: `on_live` wants no more.
Result<bool> scan_segment(const Spool& spool, std::uint64_t number, std::uint64_t end, const std::function<bool(LiveRecord&)>& on_live) {
  const auto segment = open_segment(segment_path(spool, number, "log"));
  // Given back since the listing, or not one of ours: whoever owns the log reports it.
  if (!segment && (segment.error().error_number == ENOENT || segment.error().fault == base::Fault::Permanent)) return true;
  if (!segment) return std::unexpected(segment.error());
  auto done = read_done(segment_path(spool, number, "done"), segment->header.nonce);
  if (!done) return std::unexpected(done.error());

  SegmentScan scan(segment->file.get(), segment->header.nonce);
  for (;;) {
    const auto found = scan.next(std::min(end, segment->octets));
    if (!found) return std::unexpected(found.error());
    if (!*found) return true;
    const auto octets = (*found)->item;
    std::uint64_t message_offset = 0;
    auto item = parse_item(octets, octets.size(), message_offset);
    if (!item || done->finished.contains(item->id)) continue;
    LiveRecord live{std::move(*item), octets.substr(message_offset), octets.size(), {}};
    if (const auto events = done->events.find(live.item.id); events != done->events.end()) live.events = std::move(events->second);
    if (!on_live(live)) return false;
  }
}

}  // namespace

Result<std::vector<std::uint64_t>> segment_numbers(const Spool& spool) {
  std::vector<std::uint64_t> numbers;
  const auto listed = for_each_name(spool.path() + "/log", [&](const char* name) {
    if (const auto file = log_format::parse_log_file_name(name); file && file->kind == "log") numbers.push_back(file->number);
    return true;
  });
  if (!listed) return std::unexpected(listed.error());
  std::ranges::sort(numbers);
  return numbers;
}

Result<void> scan_log(const Spool& spool, const std::function<bool(LiveRecord&)>& on_live) {
  // In this order: a writer that begins after the question has a mark above all segments that are there now.
  const bool is_being_written = spool.is_locked("queue-inject");
  const auto mark_file = CommitMark::open_for_reading(spool);
  if (!mark_file) return std::unexpected(mark_file.error());
  const auto mark = mark_file->load();
  if (!mark) return std::unexpected(mark.error());
  const auto numbers = segment_numbers(spool);
  if (!numbers) return std::unexpected(numbers.error());
  for (const auto number : *numbers) {
    if (is_being_written && number > mark->segment) break;
    const bool is_open = is_being_written && number == mark->segment;
    const auto more = scan_segment(spool, number, is_open ? mark->offset : std::numeric_limits<std::uint64_t>::max(), on_live);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
  }
  return {};
}

}  // namespace queue
