// Another text of a message takes its place: what rules behind the queue have made of it. Its id and the time of its arrival stay.
//
//   1. the new file is written to tmp/ and synced
//   2. it gets its name in the folder where the message goes on, and that is synced
//   3. the old file is removed, or the old record in the log finished by the caller
//
// Between 2 and 3 a crash leaves both: Spool::repair() and LogReader::open() know the new one.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "lib/base/blob.h"
#include "lib/queue/spool.h"

namespace queue {

struct Replacement {
  Item item;
  base::Blob message;
  std::optional<Place> from;  // of the old file; nothing: it is in the log
  Place to;
  std::optional<base::WallTime> modified = {};  // of State::Deferred: the next attempt
  std::vector<Event> events = {};               // go to its progress file
  base::Result<void> end = {};                  // ENOENT: the old file is not there any more, and the new one was not stored
};

// Durable on return, with one sync of a folder for all of them, and each has its `end`. From any thread; who calls holds the messages.
// Spool::must_sync() of `from` and, for the log, LogReader::finish() with a sync are left to the caller.
void write_replacements(const Spool& spool, std::span<Replacement> replacements);

}  // namespace queue
