#include "deliver-maildir/sync.h"

#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "lib/base/clock.h"
#include "lib/base/durable.h"

namespace maildir {
namespace {

// syncfs(2) writes what others have left to write too. When that takes long, files are synced one by one for a while.
constexpr std::uint64_t kSlowMilliseconds = 250;
constexpr std::uint64_t kSlowForMilliseconds = 10'000;

// Before Linux 5.8 syncfs(2) does not tell of failed writes.
bool kernel_reports_failed_writes() {
  static const bool reports = [] {
    utsname system;
    int major = 0, minor = 0;
    if (::uname(&system) != 0 || std::sscanf(system.release, "%d.%d", &major, &minor) != 2) return false;
    return major > 5 || (major == 5 && minor >= 8);
  }();
  return reports;
}

// Where syncfs(2) is known to be as good as fsync(2) of every file; FUSE ignores it, btrfs commits a whole transaction.
bool is_sound_type(long type) {
  constexpr auto kTypes = std::to_array<long>({0xEF53 /* ext4 */, 0x58465342 /* XFS */});
  return std::ranges::find(kTypes, type) != kTypes.end();
}

}  // namespace

bool Syncer::sync_file_system(int fd, dev_t device) {
  FileSystem& file_system = file_systems_[device];
  if (!file_system.is_known) {
    struct statfs status;
    file_system.has_sound_syncfs = kernel_reports_failed_writes() && ::fstatfs(fd, &status) == 0 && is_sound_type(status.f_type);
    file_system.is_known = true;
  }
  const auto start = base::monotonic_milliseconds();
  if (!file_system.has_sound_syncfs || start < file_system.slow_until_milliseconds) return false;
  const bool synced = ::syncfs(fd) == 0;
  const auto end = base::monotonic_milliseconds();
  if (end - start > kSlowMilliseconds) file_system.slow_until_milliseconds = end + kSlowForMilliseconds;
  return synced;
}

std::vector<base::Result<void>> Syncer::sync(std::span<const Item> items) {
  std::vector<base::Result<void>> results(items.size());
  std::map<dev_t, std::vector<std::size_t>> by_device;
  for (std::size_t i = 0; i < items.size(); ++i) by_device[items[i].device].push_back(i);
  for (const auto& [device, members] : by_device) {
    if (members.size() > 1 && sync_file_system(items[members.front()].fd, device)) continue;
    // One by one, also to learn which of them it was that failed.
    if (members.size() > 1)
      for (const auto i : members) (void)::sync_file_range(items[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);  // all on their way before the first wait
    for (const auto i : members) results[i] = base::sync_data(items[i].fd, items[i].what);
  }
  return results;
}

}  // namespace maildir
