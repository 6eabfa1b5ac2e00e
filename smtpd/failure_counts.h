// How often log-ins from an address have failed, over all sessions of a process.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

namespace smtpd {

class FailureCounts {
 public:
  // A failure of `client` (net::ClientLimits::client_of()) at `now`, in milliseconds; it is forgotten `time` later.
  void add(const std::string& client, std::uint64_t now, std::uint64_t time);
  [[nodiscard]] unsigned of(const std::string& client, std::uint64_t now);

 private:
  static constexpr std::size_t kMost = 100'000;  // failures that are remembered; then the oldest are forgotten first
  void forget(std::uint64_t now);

  struct Failure {
    std::string client;
    std::uint64_t until;
  };
  std::deque<Failure> failures_;
  std::unordered_map<std::string, unsigned> counts_;
};

}  // namespace smtpd
