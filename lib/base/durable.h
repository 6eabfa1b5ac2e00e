// Files that must survive a crash: create, write, sync, name, sync the directory. Used by the spool and by Maildir.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"

namespace base {

[[nodiscard]] Result<void> sync_data(int fd, std::string_view what);
[[nodiscard]] Result<void> sync_directory(const std::string& path);

// rename(2) with both names in the error. Durable only after sync_directory of both directories.
[[nodiscard]] Result<void> rename_file(const std::string& from, const std::string& to);

// mkdir -p; new directories get `mode`, and the directory entries are made durable.
[[nodiscard]] Result<void> make_directories(const std::string& path, unsigned mode);

}  // namespace base
