#include "deliver-remote/host_memory.h"

#include <algorithm>

namespace remote {

void HostMemory::note_dead(const net::Address& address, std::uint64_t now) {
  if (time_milliseconds_ == 0) return;
  if (dead_.size() >= most_) std::erase_if(dead_, [now](const auto& row) { return row.second <= now; });
  if (dead_.size() >= most_) dead_.clear();  // the network is down: nothing is worth remembering
  dead_[address.text()] = now + time_milliseconds_;
}

void HostMemory::note_alive(const net::Address& address) {
  if (!dead_.empty()) dead_.erase(address.text());
}

void HostMemory::put_dead_last(std::vector<Candidate>& candidates, std::uint64_t now) const {
  if (dead_.empty() || candidates.size() < 2) return;
  std::ranges::stable_partition(candidates, [&](const Candidate& candidate) {
    const auto found = dead_.find(candidate.address.text());
    return found == dead_.end() || found->second <= now;
  });
}

}  // namespace remote
