// What lies in the spool and is not a whole message, for check, which tells it, and repair, which puts it right. Looks only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/queue/spool.h"

namespace qctl {

// Where repair puts what nobody can use and nobody shall lose.
inline constexpr std::string_view kDamagedFolder = "damaged";
inline constexpr std::string_view kForeignFolder = "foreign";

struct Finding {
  enum class Kind : std::uint8_t {
    Foreign,       // in a folder of the spool
    Damaged,       // the name of a message, and none in it
    Unreadable,    // the disk or our rights
    TwoPlaces,     // one message in two queues
    Draft,         // in tmp/, of a program that has ended
    LoneProgress,  // without its message
    LostHeader,    // of a segment of the log, which has two
    LogDamage,     // in a segment
    LoneJournal,   // without its segment
    OldSegment,    // that was never finished
    Stranger,      // beside the folders of the spool: maybe an operator's
  };
  Kind kind = Kind::Foreign;
  std::string path;  // relative to the spool
  std::string why;
};

struct Examination {
  std::vector<Finding> findings;  // by path
  std::uint64_t messages = 0, segments = 0, records = 0;
};
[[nodiscard]] base::Result<Examination> examine(const queue::Spool& spool, base::WallTime now);

}  // namespace qctl
