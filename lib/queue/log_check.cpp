#include "lib/queue/log_check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_map>

#include "lib/base/durable.h"
#include "lib/base/io.h"
#include "lib/queue/commit_mark.h"
#include "lib/queue/folders.h"
#include "lib/queue/log_format.h"
#include "lib/queue/segment_scan.h"

namespace queue {
namespace {

using base::Result;
using namespace log_format;
using Kind = LogFinding::Kind;

constexpr auto kDraftAge = std::chrono::hours(1);
constexpr auto kOtherNames = std::to_array<std::string_view>({"committed", "trigger"});

std::string range(std::uint64_t from, std::uint64_t to) { return "octets " + std::to_string(from) + " to " + std::to_string(to); }

// The two headers; nullopt for one that is damaged.
struct Headers {
  std::optional<SegmentHeader> first, last;
};
Result<Headers> headers_of(int file, std::uint64_t octets) {
  Headers headers;
  if (octets < kPageOctets) return headers;
  const auto first = base::pread_text(file, kPageOctets, 0);
  if (!first) return std::unexpected(first.error());
  headers.first = parse_segment_header(*first);
  if (octets < 2 * kPageOctets) return headers;
  const auto last = base::pread_text(file, kPageOctets, octets - kPageOctets);
  if (!last) return std::unexpected(last.error());
  headers.last = parse_segment_header(*last);
  return headers;
}

bool is_same_life(const SegmentHeader& a, const SegmentHeader& b) { return a.number == b.number && a.nonce == b.nonce; }

class LogChecker {
 public:
  explicit LogChecker(const Spool& spool) : spool_(spool), folder_(spool.path() + "/log") {}

  Result<LogCheck> run() {
    // In this order, as scan_log() does.
    is_being_written_ = spool_.is_locked("queue-inject");
    const auto mark_file = CommitMark::open_for_reading(spool_);
    if (!mark_file) return std::unexpected(mark_file.error());
    const auto mark = mark_file->load();
    if (!mark) return std::unexpected(mark.error());
    mark_ = *mark;
    std::vector<std::string> names;
    const auto listed = for_each_name(folder_, [&](const char* name) { return names.emplace_back(name), true; });
    if (!listed) return std::unexpected(listed.error());
    std::ranges::sort(names);
    for (const auto& name : names)
      if (const auto checked = check(name); !checked) return std::unexpected(checked.error());
    return std::move(check_);
  }

 private:
  void find(Kind kind, const std::string& name, std::string why) { check_.findings.push_back({kind, "log/" + name, std::move(why)}); }

  Result<void> check(const std::string& name) {
    const auto file = parse_log_file_name(name);
    if (!file) {
      if (std::ranges::find(kOtherNames, name) == kOtherNames.end()) find(Kind::Foreign, name, "nothing of the log's");
    } else if (file->kind == "log") {
      return check_segment(name, file->number);
    } else if (file->kind == "done") {
      // The segment goes first when it is given back, and comes first when it is begun.
      const auto segment = folder_ + "/" + log_file_name({file->number, "log"});
      if (::access(segment.c_str(), F_OK) != 0 && ::access((folder_ + "/" + name).c_str(), F_OK) == 0 && age_of(name) > kDraftAge)
        find(Kind::LoneJournal, name, "its segment is gone");
    } else if (file->kind == "new" && age_of(name) > kDraftAge) {
      find(Kind::OldDraft, name, "a segment that was never finished");
    }
    return {};
  }

  std::chrono::system_clock::duration age_of(const std::string& name) const {
    struct stat status;
    if (::lstat((folder_ + "/" + name).c_str(), &status) != 0) return {};
    return base::wall_now() - std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec);
  }

  Result<void> check_segment(const std::string& name, std::uint64_t number) {
    const std::string path = folder_ + "/" + name;
    const auto file = base::open_file(path, O_RDONLY);
    if (!file && file.error().error_number == ENOENT) return {};
    if (!file) return std::unexpected(file.error());
    const auto octets = base::file_size(file->get());
    if (!octets) return base::fail_within(path, octets.error());
    const auto headers = headers_of(file->get(), *octets);
    if (!headers) return base::fail_within(path, headers.error());
    const std::size_t before = check_.findings.size();
    const std::uint64_t records = check_.records;
    const auto& header = headers->first ? headers->first : headers->last;
    if (!header) {
      find(Kind::NoSegment, name, "not a segment: both its headers are damaged");
    } else {
      const auto end = scan(name, number, file->get(), header->nonce, *octets);
      if (!end) return base::fail_within(path, end.error());
      look_at_headers(name, number, *headers, align(*end, kPageOctets) == *octets);
    }
    // Given back to the writer while it was read: what was found is of two lives.
    if (!is_still_there(path, file->get(), header)) {
      check_.findings.resize(before);
      check_.records = records;
      return {};
    }
    ++check_.segments;
    check_.octets += *octets;
    return {};
  }

  // `is_cut`: its records go to the end of the file, as they do after a failed sync (log_writer.cpp).
  void look_at_headers(const std::string& name, std::uint64_t number, const Headers& headers, bool is_cut) {
    const auto& header = headers.first ? *headers.first : *headers.last;
    if (!headers.first) find(Kind::LostHeader, name, "its first header is damaged; the last one is whole");
    if (!headers.last && !is_cut) find(Kind::LostHeader, name, "its last header is damaged; the first one is whole");
    // Between the two writes of a new life they differ for a moment: who sees that sees a segment that is no longer there.
    if (headers.first && headers.last && !is_same_life(*headers.first, *headers.last)) find(Kind::Damage, name, "its two headers are of different lives");
    if (header.number != number) find(Kind::Damage, name, "says that it is segment " + std::to_string(header.number));
  }

  // Where the last whole record ends.
  Result<std::uint64_t> scan(const std::string& name, std::uint64_t number, int file, std::uint64_t nonce, std::uint64_t octets) {
    const bool is_marked = number == mark_.segment;
    const std::uint64_t end = is_being_written_ && number > mark_.segment ? kPageOctets : is_being_written_ && is_marked ? std::min(mark_.offset, octets) : octets;
    SegmentScan scan(file, nonce);
    std::uint64_t last = kPageOctets;
    for (;;) {
      const auto found = scan.next(end);
      if (!found) return std::unexpected(found.error());
      if (!*found) break;
      const auto offset = (*found)->record.offset;
      // A gap up to the next page is the padding of a batch.
      if (offset != last && offset != align(last, kPageOctets)) find(Kind::Damage, name, range(last, offset) + " hold no whole record: what was there is lost");
      last = scan.position();
      look_at_record(name, (*found)->record.offset, (*found)->item);
    }
    if (is_marked && align(last, kPageOctets) < std::min(mark_.offset, octets)) find(Kind::Damage, name, range(last, mark_.offset) + " are committed and hold no whole record");
    return last;
  }

  void look_at_record(const std::string& name, std::uint64_t offset, std::string_view octets) {
    ++check_.records;
    std::uint64_t message_offset = 0;
    const auto item = parse_item(octets, octets.size(), message_offset);
    if (!item) {
      find(Kind::Damage, name, "the record at octet " + std::to_string(offset) + " is intact, but no message: " + item.error().cause);
    } else if (const auto [known, is_new] = seen_.try_emplace(item->id, name); !is_new) {
      find(Kind::Damage, name, "message " + item->id.string() + " is in log/" + known->second + " too");
    }
  }

  bool is_still_there(const std::string& path, int file, const std::optional<SegmentHeader>& header) const {
    struct stat opened, named;
    if (::fstat(file, &opened) != 0 || ::lstat(path.c_str(), &named) != 0) return false;
    if (opened.st_dev != named.st_dev || opened.st_ino != named.st_ino) return false;
    const auto now = headers_of(file, static_cast<std::uint64_t>(opened.st_size));
    if (!now) return false;
    const auto& again = now->first ? now->first : now->last;
    return again.has_value() == header.has_value() && (!header || is_same_life(*again, *header));
  }

  const Spool& spool_;
  std::string folder_;
  bool is_being_written_ = false;
  LogPosition mark_;
  LogCheck check_;
  std::unordered_map<Id, std::string> seen_;
};

}  // namespace

Result<LogCheck> check_log(const Spool& spool) { return LogChecker(spool).run(); }

Result<void> restore_segment_header(const Spool& spool, const std::string& path) {
  const std::string full = spool.path() + "/" + path;
  const auto file = base::open_file(full, O_RDWR);
  if (!file) return std::unexpected(file.error());
  const auto octets = base::file_size(file->get());
  if (!octets) return base::fail_within(full, octets.error());
  const auto headers = headers_of(file->get(), *octets);
  if (!headers) return base::fail_within(full, headers.error());
  if (headers->first.has_value() == headers->last.has_value()) return base::fail(base::Fault::Permanent, full + ": not one of its headers is damaged");
  const std::uint64_t offset = headers->first ? *octets - kPageOctets : 0;
  const auto written = base::pwrite_all(file->get(), to_octets(headers->first ? *headers->first : *headers->last), offset);
  if (!written) return base::fail_within(full, written.error());
  return base::sync_data(file->get(), full);
}

}  // namespace queue
