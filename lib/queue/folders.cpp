#include "lib/queue/folders.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "lib/base/durable.h"

namespace queue {

base::Result<void> for_each_name(const std::string& folder, const std::function<bool(const char* name)>& on_name) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), &::closedir);
  if (!directory) return base::fail_errno("open " + folder);
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (!on_name(entry->d_name)) return {};
  }
  if (errno != 0) return base::fail_errno("read " + folder);
  return {};
}

base::Result<void> rename_new(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  // A file system that cannot (NFS) has the two steps. Killed between them, one file has two names: repair() sees it.
  if (errno == EINVAL && ::link(from.c_str(), to.c_str()) == 0 && ::unlink(from.c_str()) == 0) return {};
  return base::fail_errno("rename " + from + " to " + to);
}

base::Result<void> make_folder_of(const Spool& spool, const Place& place) {
  if (place.state != State::Quarantine) return {};
  const std::string path = spool.folder_path(place);
  if (::access(path.c_str(), F_OK) == 0) return {};
  return base::make_directories(path, 0700);
}

base::WallTime time_of(const timespec& time) {
  return base::WallTime(std::chrono::duration_cast<base::WallTime::duration>(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)));
}

timespec to_timespec(base::WallTime time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  return {static_cast<time_t>(seconds.count()), static_cast<long>(std::chrono::duration_cast<std::chrono::nanoseconds>(since - seconds).count())};
}

Entry entry_of(const Id& id, const Place& place, const struct stat& status) {
  return {id, place, static_cast<std::uint64_t>(status.st_size), id.time(), time_of(status.st_mtim), time_of(status.st_ctim)};
}

base::UniqueFd open_to_look(int folder, const std::string& name) {
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;  // O_NONBLOCK: a foreign FIFO of that name must not stop us
  base::UniqueFd file(::openat(folder, name.c_str(), kFlags | O_NOATIME));
  if (!file.is_open() && errno == EPERM) file = base::UniqueFd(::openat(folder, name.c_str(), kFlags));  // somebody else's file
  return file;
}

bool is_large(const std::string& folder) {
  constexpr off_t kLargeOctets = 1 << 20;  // about 30,000 names, on ext4, xfs, btrfs and tmpfs
  struct stat status;
  return ::stat(folder.c_str(), &status) == 0 && status.st_size > kLargeOctets;
}

}  // namespace queue
