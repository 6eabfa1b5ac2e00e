// Answers of DNS kept in front of a resolver, for programs with many threads: a name that was asked for a moment ago costs no
// walk to the resolver's thread and back. No clock and no I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "lib/net/dns.h"

namespace net::dns {

class AnswerCache {
 public:
  static constexpr std::uint64_t kLongestSeconds = 86'400;         // whatever the record says (RFC 8767 section 4 speaks of days)
  static constexpr std::uint64_t kLongestNegativeSeconds = 10'800; // RFC 2308 section 5: one to three hours

  explicit AnswerCache(std::size_t octets = std::size_t{16} << 20) : octets_of_shard_(octets / kShards) {}

  // Its ttl_seconds are what is left of them. `now`: milliseconds of one clock that never goes back.
  [[nodiscard]] std::optional<Answer> find(std::string_view name, Type type, std::uint64_t now);
  // Keeps what DNS has said for as long as it said: names and records, and that there are none. What it did not say, or what was
  // forged, is never kept. What was not asked for longest makes room.
  void put(std::string_view name, Type type, const Answer& answer, std::uint64_t now);
  void clear();

  [[nodiscard]] std::size_t octets() const;  // of all that is kept, about

 private:
  static constexpr std::size_t kShards = 16;  // threads that look up different names do not wait for each other

  struct Kept {
    std::string key;
    Answer answer;
    std::uint64_t end = 0;
    std::size_t octets = 0;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Kept> kept;  // what was asked for last in front
    std::unordered_map<std::string_view, std::list<Kept>::iterator> places;  // by key, which lies in `kept`
    std::size_t octets = 0;

    void forget(std::list<Kept>::iterator which);
  };
  [[nodiscard]] Shard& shard_of(std::string_view key) { return shards_[std::hash<std::string_view>()(key) % kShards]; }

  std::size_t octets_of_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace net::dns
