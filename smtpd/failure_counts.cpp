#include "smtpd/failure_counts.h"

namespace smtpd {

void FailureCounts::add(const std::string& client, std::uint64_t now, std::uint64_t time) {
  failures_.push_back({client, now + time});
  ++counts_[client];
  forget(now);
}

unsigned FailureCounts::of(const std::string& client, std::uint64_t now) {
  forget(now);
  const auto found = counts_.find(client);
  return found == counts_.end() ? 0 : found->second;
}

void FailureCounts::forget(std::uint64_t now) {
  while (!failures_.empty() && (failures_.front().until <= now || failures_.size() > kMost)) {
    const auto count = counts_.find(failures_.front().client);
    if (--count->second == 0) counts_.erase(count);
    failures_.pop_front();
  }
}

}  // namespace smtpd
