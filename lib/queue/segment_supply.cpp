#include "lib/queue/segment_supply.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/durable.h"
#include "lib/base/io.h"
#include "lib/queue/folders.h"
#include "lib/queue/log_format.h"

namespace queue {
namespace {

using base::Result;
using namespace log_format;

std::string file_name(std::uint64_t number, std::string_view kind) { return log_file_name({number, kind}); }

Result<std::uint64_t> random_nonce() {
  std::uint64_t nonce = 0;
  if (::getrandom(&nonce, sizeof nonce, 0) != static_cast<ssize_t>(sizeof nonce)) return base::fail_errno("getrandom");
  return nonce;
}

// Reserves the disk space and writes it once: a commit into blocks that were never written costs a journal transaction
// besides its flush, and so half the throughput. In pieces that are waited for, so that the commits of the segment in
// use do not queue behind all of it.
Result<void> allocate(int file, std::uint64_t octets, const std::string& path) {
  if (::fallocate(file, 0, 0, static_cast<off_t>(octets)) != 0 && errno != EOPNOTSUPP) return base::fail_errno("allocate " + path);
  const std::string zeros(1 << 20, '\0');
  for (std::uint64_t at = 0; at < octets; at += zeros.size()) {
    const auto length = std::min<std::uint64_t>(zeros.size(), octets - at);
    if (const auto written = base::pwrite_all(file, std::string_view(zeros).substr(0, length), at); !written) return base::fail_within(path, written.error());
    (void)::sync_file_range(file, static_cast<off_t>(at), static_cast<off_t>(length), SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  }
  return base::sync_data(file, path);
}

Result<void> make_segment(const std::string& unready, const std::string& ready, std::uint64_t octets) {
  const auto file = base::open_file(unready, O_RDWR | O_CREAT | O_EXCL);
  if (!file) return std::unexpected(file.error());
  auto made = allocate(file->get(), octets, unready);
  if (made) made = rename_new(unready, ready);
  if (!made) (void)::unlink(unready.c_str());
  return made;
}

}  // namespace

Result<SegmentSupply> SegmentSupply::open(const Spool& spool, std::uint64_t segment_octets, std::uint64_t after) {
  SegmentSupply supply(spool, segment_octets);
  std::uint64_t highest = after;
  const auto listed = for_each_name(supply.folder_, [&](const char* name) {
    const auto file = parse_log_file_name(name);
    if (file) highest = std::max(highest, file->number);
    if (file && file->kind == "new") (void)::unlink((supply.folder_ + name).c_str());
    return true;
  });
  if (!listed) return std::unexpected(listed.error());
  supply.next_number_ = highest + 1;
  supply.make_one_ahead();
  return supply;
}

SegmentSupply::~SegmentSupply() { wait_for_maker(); }

void SegmentSupply::wait_for_maker() {
  if (maker_.joinable()) maker_.join();
}

void SegmentSupply::make_one_ahead() {
  wait_for_maker();
  if (const auto free = free_segment(); !free || !free->empty()) return;
  const std::uint64_t number = next_number_++;
  // A failure (disk full) is met again, and told, by take().
  maker_ = std::thread([unready = folder_ + file_name(number, "new"), ready = folder_ + file_name(number, "free"), octets = segment_octets_] {
    (void)make_segment(unready, ready, octets);
  });
}

Result<std::string> SegmentSupply::free_segment() {
  std::string best;
  const auto listed = for_each_name(folder_, [&](const char* name) {
    const auto file = parse_log_file_name(name);
    if (!file || file->kind != "free") return true;
    struct stat status;
    if (::lstat((folder_ + name).c_str(), &status) != 0) return true;
    if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) != segment_octets_) {
      (void)::unlink((folder_ + name).c_str());  // of another setting, or cut after a failed sync
    } else if (best.empty() || name < best) {
      best = name;
    }
    return true;
  });
  if (!listed) return std::unexpected(listed.error());
  return best.empty() ? best : folder_ + best;
}

Result<FreshSegment> SegmentSupply::take() {
  auto ready = free_segment();
  if (ready && ready->empty()) {
    wait_for_maker();
    ready = free_segment();
  }
  if (!ready) return std::unexpected(ready.error());
  if (ready->empty()) {
    *ready = folder_ + file_name(next_number_, "free");
    const auto made = make_segment(folder_ + file_name(next_number_, "new"), *ready, segment_octets_);
    if (!made) return std::unexpected(made.error());
  }

  auto file = base::open_file(*ready, O_RDWR);
  if (!file) return std::unexpected(file.error());
  const auto nonce = random_nonce();
  if (!nonce) return std::unexpected(nonce.error());
  // The new header is durable before the name: under the new name the old records, which are done, must not count.
  const std::uint64_t number = next_number_;
  for (const auto offset : {std::uint64_t{0}, segment_octets_ - kPageOctets})
    if (const auto written = base::pwrite_all(file->get(), to_octets(SegmentHeader{number, *nonce}), offset); !written)
      return base::fail_within(*ready, written.error());
  if (const auto synced = base::sync_data(file->get(), *ready); !synced) return std::unexpected(synced.error());
  if (const auto renamed = rename_new(*ready, folder_ + file_name(number, "log")); !renamed) return std::unexpected(renamed.error());
  ++next_number_;
  if (const auto synced = base::sync_directory(folder_); !synced) return std::unexpected(synced.error());
  make_one_ahead();
  return FreshSegment{std::move(*file), number, *nonce};
}

}  // namespace queue
