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

Result<std::uint64_t> random_nonce() {
  std::uint64_t nonce = 0;
  if (::getrandom(&nonce, sizeof nonce, 0) != static_cast<ssize_t>(sizeof nonce)) return base::fail_errno("getrandom");
  return nonce;
}

// Reserves the disk space and writes it once: a commit into blocks that were never written costs a journal transaction
// besides its flush, and so half the throughput.
Result<void> allocate(int file, std::uint64_t octets, const std::string& path) {
  if (::fallocate(file, 0, 0, static_cast<off_t>(octets)) != 0 && errno != EOPNOTSUPP) return base::fail_errno("allocate " + path);
  const std::string zeros(std::min<std::uint64_t>(octets, 1 << 20), '\0');
  for (std::uint64_t at = 0; at < octets; at += zeros.size()) {
    const auto length = std::min<std::uint64_t>(zeros.size(), octets - at);
    if (const auto written = base::pwrite_all(file, std::string_view(zeros).substr(0, length), at); !written)
      return base::fail_within(path, written.error());
  }
  return base::sync_data(file, path);
}

}  // namespace

Result<SegmentSupply> SegmentSupply::open(const Spool& spool, std::uint64_t segment_octets, std::uint64_t after) {
  SegmentSupply supply(spool, segment_octets);
  std::uint64_t highest = after;
  const auto listed = for_each_name(spool.path() + "/log", [&](const char* name) {
    if (const auto file = parse_log_file_name(name)) highest = std::max(highest, file->number);
    return true;
  });
  if (!listed) return std::unexpected(listed.error());
  supply.next_number_ = highest + 1;
  return supply;
}

Result<std::string> SegmentSupply::free_segment() {
  const std::string folder = spool_->path() + "/log/";
  std::string best;
  const auto listed = for_each_name(folder, [&](const char* name) {
    const auto file = parse_log_file_name(name);
    if (!file || file->kind != "free") return true;
    struct stat status;
    if (::lstat((folder + name).c_str(), &status) != 0) return true;
    if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) != segment_octets_) {
      (void)::unlink((folder + name).c_str());  // of another setting, or cut after a failed sync
    } else if (best.empty() || name < best) {
      best = name;
    }
    return true;
  });
  if (!listed) return std::unexpected(listed.error());
  return best.empty() ? best : folder + best;
}

Result<std::string> SegmentSupply::new_segment() {
  const std::string path = spool_->path() + "/" + free_name(next_number_);
  const auto file = base::open_file(path, O_RDWR | O_CREAT | O_EXCL);
  if (!file) return std::unexpected(file.error());
  if (const auto allocated = allocate(file->get(), segment_octets_, path); !allocated) {
    (void)::unlink(path.c_str());
    return std::unexpected(allocated.error());
  }
  return path;
}

Result<FreshSegment> SegmentSupply::take() {
  auto ready = free_segment();
  if (ready && ready->empty()) ready = new_segment();
  if (!ready) return std::unexpected(ready.error());

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
  const std::string path = spool_->path() + "/" + segment_name(number);
  if (const auto renamed = rename_new(*ready, path); !renamed) return std::unexpected(renamed.error());
  ++next_number_;
  if (const auto synced = base::sync_directory(spool_->path() + "/log"); !synced) return std::unexpected(synced.error());
  return FreshSegment{std::move(*file), number, *nonce};
}

}  // namespace queue
