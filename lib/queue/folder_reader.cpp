#include "lib/queue/folder_reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lib/queue/folders.h"

namespace queue {

using base::Result;

Result<FolderReader> FolderReader::open(const Spool& spool, const Place& place) {
  std::string path = spool.folder_path(place);
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return base::fail_errno("open " + path);
  return FolderReader(directory, std::move(path), place);
}

std::optional<std::string_view> FolderReader::why_foreign(const dirent& entry, bool is_id) const {
  unsigned char type = entry.d_type;
  if (type == DT_UNKNOWN) {  // a file system that does not say
    struct stat status;
    if (::fstatat(folder_fd(), entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? "" : std::strerror(errno);
    type = IFTODT(status.st_mode);
  }
  if (is_id) return type == DT_REG ? std::nullopt : std::optional<std::string_view>("not a regular file");
  if (type == DT_DIR && place_.state == State::Quarantine && Place::is_quarantine_name(place_.quarantine + "/" + entry.d_name)) return "";
  return "not the name of a message";
}

Result<bool> FolderReader::next_names(std::size_t limit, std::vector<Name>& names, std::vector<Foreign>* foreign) {
  names.clear();
  while (names.size() < limit) {
    errno = 0;
    const dirent* entry = ::readdir(directory_.get());
    if (entry == nullptr && errno != 0) return base::fail_errno("read " + path_);
    if (entry == nullptr) return false;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const auto id = Id::parse(name);
    if (const auto why = why_foreign(*entry, id.has_value())) {
      if (foreign != nullptr && !why->empty()) foreign->push_back({place_.folder() + "/" + std::string(name), std::string(*why)});
    } else {
      names.push_back({*id, entry->d_ino});
    }
  }
  return true;
}

Result<bool> FolderReader::next(std::size_t limit, std::vector<Entry>& entries, std::vector<Foreign>* foreign) {
  entries.clear();
  const auto more = next_names(limit, names_, foreign);
  if (!more) return more;
  std::ranges::sort(names_, {}, &Name::inode);
  for (const auto& [id, inode] : names_) {
    const std::string name = id.string();
    struct stat status;
    if (::fstatat(folder_fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT && foreign != nullptr) foreign->push_back({place_.folder() + "/" + name, std::strerror(errno)});
    } else if (S_ISREG(status.st_mode)) {  // else it was replaced since its name was read
      entries.push_back(entry_of(id, place_, status));
    }
  }
  return more;
}

}  // namespace queue
