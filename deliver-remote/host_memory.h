// Which addresses did not answer a short while ago: they are tried behind the others, so that a mail exchanger that is down costs
// its time limit once, and not each message anew.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "deliver-remote/route.h"

namespace remote {

class HostMemory {
 public:
  // 0: nothing is remembered.
  explicit HostMemory(std::uint64_t time_milliseconds, std::size_t most = 10'000) : time_milliseconds_(time_milliseconds), most_(most) {}

  void note_dead(const net::Address& address, std::uint64_t now_milliseconds);
  void note_alive(const net::Address& address);
  // Those that did not answer to the end, else in their order.
  void put_dead_last(std::vector<Candidate>& candidates, std::uint64_t now_milliseconds) const;
  [[nodiscard]] std::size_t size() const { return dead_.size(); }

 private:
  std::uint64_t time_milliseconds_;
  std::size_t most_;
  std::unordered_map<std::string, std::uint64_t> dead_;  // until when
};

}  // namespace remote
