// What a command works with.
#pragma once

#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/command_line.h"
#include "lib/queue/spool.h"
#include "qctl/output.h"
#include "qctl/selection.h"

namespace qctl {

struct Session {
  const base::CommandLine& line;
  std::vector<std::string> arguments;  // behind the command's name
  queue::Spool spool;
  Output out;
  Selection selection;
  base::WallTime now = base::wall_now();

  [[nodiscard]] bool wants_json() const { return line.has("json"); }
};

}  // namespace qctl
