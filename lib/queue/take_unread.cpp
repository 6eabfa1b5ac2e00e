#include "lib/queue/take_unread.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lib/base/io.h"

namespace queue {
namespace {

// Whether `fd` is still the file that has this name.
bool is_named(int fd, const std::string& path) {
  struct stat opened, named;
  return ::fstat(fd, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace

base::Result<base::UniqueFd> take_unread(const Spool& spool, const Place& place, const Id& id) {
  const std::string path = spool.file_path(place, id);
  // O_NONBLOCK: a foreign FIFO of that name must not stop us.
  auto file = base::open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!file) return file;
  if (::flock(file->get(), LOCK_EX | LOCK_NB) != 0) return base::fail_errno("lock " + path);
  if (is_named(file->get(), path)) return file;
  errno = ENOENT;
  return base::fail_errno("lock " + path);
}

}  // namespace queue
