// Where queue.spool says that the spool is, for who does not open it.
#pragma once

#include <string>

namespace queue {

// The folder in "PATH" or "dir:PATH"; "" when it is on a broker.
[[nodiscard]] inline std::string spool_folder(std::string where) {
  if (where.starts_with("amqp:") || where.starts_with("amqps:")) return {};
  if (where.starts_with("dir:")) where.erase(0, 4);
  return where;
}

}  // namespace queue
