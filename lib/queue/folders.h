// What spool.cpp, draft.cpp and the log share about folders. Not for users of the spool.
#pragma once

#include <sys/stat.h>
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
[[nodiscard]] base::WallTime time_of(const timespec& time);
[[nodiscard]] Entry entry_of(const Id& id, const Place& place, const struct stat& status);
// Reads what stands before the message. `size`: of the file.
[[nodiscard]] base::Result<Item> read_item_header(int fd, std::uint64_t size, std::uint64_t& message_offset);
// A file that says it is another message is none.
[[nodiscard]] base::Result<void> check_id(const Spool& spool, const Place& place, const Id& id, const Item& item);
// Opens a file to be looked at. Without a change of its access time where that is allowed: in deferred/ the modification time is in the
// future, so that "relatime" would write the inode with each look.
[[nodiscard]] base::UniqueFd open_to_look(int folder, const std::string& name);
// The events in progress/`name`; none when there is no file.
[[nodiscard]] base::Result<std::vector<Event>> read_progress_at(int progress_folder, const std::string& name);
// Whether a folder may hold so many messages that its names are better not read: whoever looks for few ids asks for each.
[[nodiscard]] bool is_large(const std::string& folder);

}  // namespace queue
