// Names of files in a Maildir: unique on this host and at all times, as maildir(5) asks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/clock.h"

namespace maildir {

// The host name as a part of a file name: "/" as \057, ":" as \072, "," as \054 (the last separates Dovecot's sizes).
std::string escape_host(std::string_view host);

// Names of one process: seconds.M microseconds P process Q number.host
class UniqueNames {
 public:
  UniqueNames(std::string_view host, int process_id);
  // Differs from every other name of this object, whatever the clock does.
  std::string next(base::WallTime now);

 private:
  std::string host_;
  std::string process_;
  std::uint64_t count_ = 0;
};

}  // namespace maildir
