// What was done with thousands of messages at once is noted once for all of them, in SPOOL/bulk.notes: a line in each of their files in
// progress/ would be a block of the disk that is read and written for each, and cost more than the change itself. Nothing depends on
// these notes; the oldest are forgotten.
//
//   1K0T13537YE03VDRTB 1K0T13537YE03VDRTC 2026-11-21T20:15:00.123456Z note * - - moved from deferred to hold with qctl by uid 0
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/queue/id.h"
#include "lib/queue/progress.h"
#include "lib/queue/spool.h"

namespace queue {

inline constexpr std::string_view kBulkNotes = "bulk.notes", kOldBulkNotes = "bulk.notes.old";
inline constexpr std::uint64_t kMostNotesOctets = 32 << 20;  // of each of the two: the notes of more than three million messages

[[nodiscard]] base::Result<void> note_bulk(const Spool& spool, std::span<const Id> ids, const Event& event, std::uint64_t most_octets = kMostNotesOctets);
// In the order of their times.
[[nodiscard]] base::Result<std::vector<Event>> bulk_notes_of(const Spool& spool, const Id& id);
// Of lines as above. Others, and what is torn, are skipped.
[[nodiscard]] std::vector<Event> notes_in(std::string_view lines, const Id& id);

}  // namespace queue
