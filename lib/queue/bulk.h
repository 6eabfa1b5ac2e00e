// What an operator wishes for ten thousand messages of a folder at once: moved, removed or tried now.
//
// Of each message the same calls as Spool::take(), then move(), remove() or set_modified(): its lock, one rename(2), unlink(2) or
// utimensat(2). So whoever is killed in the middle leaves each message changed or not, never in between, and nobody delivers one
// meanwhile. Only what they have in common is shared: threads, and the syncs of the folders, which come with Spool::sync().
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lib/queue/spool.h"

namespace queue {

struct BulkChange {
  enum class Kind : std::uint8_t { Move, Remove, Touch };
  Kind kind = Kind::Move;
  Place to;             // of a Move
  base::WallTime time;  // of the file, of a Move and a Touch
  std::string note;     // about each, for its history (bulk_notes.h)
};

// What became of each, in the order of `ids`; those of Spool::take(), move(), remove() and set_modified() are the errors. They had better be in
// the order in which they arrived, as their files mostly lie on the disk.
[[nodiscard]] std::vector<base::Result<void>> change_many(Spool& spool, const Place& from, std::span<const Id> ids, const BulkChange& change);

}  // namespace queue
