// What spool.cpp, draft.cpp and the log share about folders. Not for users of the spool.
#pragma once

#include <time.h>

#include <functional>
#include <string>

#include "lib/base/result.h"
#include "lib/queue/spool.h"

namespace queue {

// Calls `on_name` for each name in a folder but . and .., until it returns false.
[[nodiscard]] base::Result<void> for_each_name(const std::string& folder, const std::function<bool(const char* name)>& on_name);

// rename(2) that never replaces: error_number EEXIST.
[[nodiscard]] base::Result<void> rename_new(const std::string& from, const std::string& to);

// The folder of a quarantine comes with its first message; all others are there since Spool::create().
[[nodiscard]] base::Result<void> make_folder_of(const Spool& spool, const Place& place);

[[nodiscard]] timespec to_timespec(base::WallTime time);

}  // namespace queue
