#include "lib/base/durable.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>

#include "lib/base/io.h"

namespace base {

Result<void> sync_data(int fd, std::string_view what) {
  // Never tried again: after a failed fsync the kernel may have dropped the dirty pages and would report success.
  if (::fsync(fd) != 0) return fail_errno("fsync " + std::string(what));
  return {};
}

Result<void> sync_directory(const std::string& path) {
  const auto directory = open_file(path, O_RDONLY | O_DIRECTORY);
  if (!directory) return std::unexpected(directory.error());
  return sync_data(directory->get(), path);
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return fail_errno("rename " + from + " to " + to);
  return {};
}

Result<void> make_directories(const std::string& path, unsigned mode) {
  for (std::size_t at = 1; at <= path.size(); ++at) {
    if (at != path.size() && path[at] != '/') continue;
    const std::string part = path.substr(0, at);
    if (part.empty() || part == "." || part == "..") continue;
    if (::mkdir(part.c_str(), mode) == 0) {
      const auto parent = part.rfind('/');
      const auto synced = sync_directory(parent == std::string::npos ? "." : parent == 0 ? "/" : part.substr(0, parent));
      if (!synced) return synced;
    } else if (errno != EEXIST) {
      return fail_errno("mkdir " + part);
    }
  }
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return fail_errno("stat " + path);
  if (!S_ISDIR(status.st_mode)) return fail(Fault::Config, path + ": not a directory");
  return {};
}

}  // namespace base
