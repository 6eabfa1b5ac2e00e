// Files that rules write: below one folder (vsl.md 3.7, APPDIR), whatever a rule calls them. Paths are walked name by name with
// open descriptors and without following any symbolic link, so that neither "..", an absolute path, a link nor a folder that is
// moved meanwhile leads out.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/blob.h"
#include "lib/base/result.h"
#include "lib/base/unique_fd.h"

namespace rules {

class AppFiles {
 public:
  // The folder is made when the first file is written; it may itself lie behind links, as the administrator wants it.
  explicit AppFiles(std::string folder) : folder_(std::move(folder)) {}

  // FOLDER/directory/name, made or replaced at once: readers see the old file or the whole new one. `directory` is relative, ""
  // or "." is the folder itself; folders that are missing are made (mode 700, files 600). Fault::Permanent: a path that leaves
  // the folder, a link on the way, a name that is none, control characters, more than 1024 octets or 32 folders in each other; Fault::Temporary: what the system said.
  [[nodiscard]] base::Result<void> write(std::string_view directory, std::string_view name, std::string_view octets) const;
  [[nodiscard]] base::Result<void> write(std::string_view directory, std::string_view name, const base::Blob& octets) const;
  // For reading, a regular file only.
  [[nodiscard]] base::Result<base::UniqueFd> open(std::string_view path) const;

 private:
  template <class Write>
  [[nodiscard]] base::Result<void> replace(std::string_view directory, std::string_view name, const Write& write) const;

  std::string folder_;
};

}  // namespace rules
