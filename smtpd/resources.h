// What is left of memory, descriptors and disk. Only looks, never waits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lib/base/settings.h"

namespace smtpd {

struct ResourceLimits {
  std::uint64_t memory_high = 0;         // octets that this process may have resident; 0: nine tenths of what its control group may
  std::uint64_t descriptor_reserve = 0;  // that strangers do not get, or a quarter of all if that is less
  std::string spool = {};                // "": nobody looks at a disk
  std::uint64_t free_octets = 0, free_inodes = 0;  // there; 0: no limit

  [[nodiscard]] static ResourceLimits from(const base::Settings& settings);
  [[nodiscard]] bool looks_at_disk() const { return !spool.empty() && (free_octets > 0 || free_inodes > 0); }
};

// The octets of one control group, with what the system could take back at once left out; nullopt: it has no limit.
struct MemoryOfGroup {
  std::uint64_t used, most;
};
[[nodiscard]] std::optional<MemoryOfGroup> memory_of_group(const std::string& folder);

[[nodiscard]] bool is_short_of_memory(const ResourceLimits& limits);
// `newest` was the lowest free descriptor: all below it are in use.
[[nodiscard]] bool is_short_of_descriptors(const ResourceLimits& limits, int newest);
// For a message of that size, 0 if nobody knows. A spool that is not there is for others to complain about.
[[nodiscard]] bool is_short_of_disk(const ResourceLimits& limits, std::uint64_t message_octets);

}  // namespace smtpd
