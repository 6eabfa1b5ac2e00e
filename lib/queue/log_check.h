// Looks at all of the log for what should not be there. Changes nothing, may run beside writer and reader.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/queue/spool.h"

namespace queue {

struct LogFinding {
  enum class Kind : std::uint8_t {
    LostHeader,   // one of the two headers of a segment: the other one can be written there again
    NoSegment,    // both headers
    Damage,       // records that are lost
    LoneJournal,  // N.done without its segment
    OldDraft,     // N.new that nobody makes any more
    Foreign,      // a file that is none of the log's
  };
  Kind kind = Kind::Foreign;
  std::string path;  // relative to the spool
  std::string why;
};

struct LogCheck {
  std::uint64_t segments = 0, records = 0, octets = 0;
  std::vector<LogFinding> findings;
};
// A torn batch at the end of a segment is no finding: nobody was told that it is safe. One in front of a record of the same life
// is, and so is one below the commit mark.
[[nodiscard]] base::Result<LogCheck> check_log(const Spool& spool);

// Writes the header that is left to the place of the lost one, durably. The caller has the locks of both ends.
[[nodiscard]] base::Result<void> restore_segment_header(const Spool& spool, const std::string& path);

}  // namespace queue
