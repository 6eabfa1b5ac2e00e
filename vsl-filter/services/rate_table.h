// Counters of events by key and window of time, shared by all processes that map the same file: rate:: of the specification, 5.4.
//
// A sliding window from two counts: those of the current window, and those of the one before by the part that still lies within
// reach. The table has a fixed number of places; when those where a key may lie are full, the one not used for longest makes room.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"

namespace rules {

class RateTable {
 public:
  // Made if it does not exist; one that exists keeps its size. Fault::Config: the file is something else.
  [[nodiscard]] static base::Result<std::unique_ptr<RateTable>> open(const std::string& path, std::uint32_t keys_max);
  ~RateTable();
  RateTable(const RateTable&) = delete;
  RateTable& operator=(const RateTable&) = delete;

  // By any thread of any process. `now` in milliseconds since 1970: the file outlives the machine's uptime.

  // Counts an event unless `limit` of them lie within the last `seconds` already; whether it was counted.
  [[nodiscard]] base::Result<bool> take(std::string_view key, std::uint32_t limit, std::uint32_t seconds, std::uint64_t now);
  // How many events of the key lie within the last `seconds`, as take() with the same `seconds` has counted them.
  [[nodiscard]] base::Result<std::uint32_t> count(std::string_view key, std::uint32_t seconds, std::uint64_t now);
  // Counts as so many events in each window in which the key is counted, also in those that begin within an hour.
  [[nodiscard]] base::Result<void> penalty(std::string_view key, std::uint32_t points, std::uint64_t now);

 private:
  struct Header;
  struct Entry;
  struct Bucket;
  struct Key {
    std::uint64_t high, low;
  };
  class Lock;

  RateTable(base::UniqueFd file, void* memory, std::size_t octets);
  [[nodiscard]] Key key_of(std::string_view key) const;
  [[nodiscard]] Bucket& bucket_of(const Key& key) const;
  static Entry* find(Bucket& bucket, const Key& key, std::uint32_t seconds);
  static Entry& find_or_make(Bucket& bucket, const Key& key, std::uint32_t seconds, std::uint64_t now);

  base::UniqueFd file_;
  void* memory_;
  std::size_t octets_;
  std::mutex mutex_;  // the lock of the file keeps processes apart, not threads
};

}  // namespace rules
