#include "vsl-filter/services/rate_table.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "lib/base/io.h"

namespace rules {
namespace {

constexpr std::uint64_t kMagic = 0x31'65746172'6c7376;  // "vslrate1"
constexpr std::uint32_t kMostKeys = 16 << 20;
constexpr std::size_t kEntriesOfBucket = 8;
constexpr std::uint32_t kPending = 0;  // window of an entry that holds penalties for windows that do not exist yet
constexpr std::uint64_t kPendingMilliseconds = 3'600'000;

std::uint64_t mix(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

std::uint32_t add(std::uint32_t a, std::uint32_t b) { return a > std::numeric_limits<std::uint32_t>::max() - b ? std::numeric_limits<std::uint32_t>::max() : a + b; }

}  // namespace

struct RateTable::Header {
  std::uint64_t magic;
  std::uint64_t buckets;  // a power of two
  std::uint64_t seeds[2];  // so that nobody can choose keys that meet
  std::uint8_t unused[32];
};

struct RateTable::Entry {
  Key key;
  std::uint64_t begin;  // of the current window, in milliseconds; 0: the entry is free
  std::uint32_t seconds;
  std::uint32_t current;
  std::uint32_t previous;
  std::uint32_t unused;

  [[nodiscard]] std::uint64_t length() const { return seconds == kPending ? kPendingMilliseconds : seconds * 1000ULL; }

  // Moves the windows up to `now`.
  void turn(std::uint64_t now) {
    if (now < begin) begin = now;  // the clock was set back
    const std::uint64_t windows = (now - begin) / length();
    if (windows == 0) return;
    previous = windows == 1 ? current : 0;
    current = 0;
    begin += windows * length();
  }
  [[nodiscard]] std::uint32_t estimate(std::uint64_t now) const {
    const std::uint64_t left = length() - (now - begin);
    return add(current, static_cast<std::uint32_t>(std::uint64_t{previous} * left / length()));
  }
};

struct RateTable::Bucket {
  Entry entries[kEntriesOfBucket];
};

// Of the file, for one operation: released by the kernel if the process dies.
class RateTable::Lock {
 public:
  Lock(std::mutex& mutex, int fd, std::uint64_t offset, std::size_t octets) : guard_(mutex), fd_(fd) {
    area_.l_whence = SEEK_SET;
    area_.l_start = static_cast<off_t>(offset);
    area_.l_len = static_cast<off_t>(octets);
    area_.l_type = F_WRLCK;
    int code;
    do code = ::fcntl(fd_, F_OFD_SETLKW, &area_);
    while (code != 0 && errno == EINTR);
    holds_ = code == 0;
  }
  ~Lock() {
    area_.l_type = F_UNLCK;
    if (holds_) ::fcntl(fd_, F_OFD_SETLK, &area_);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  [[nodiscard]] base::Result<void> held() const {
    if (!holds_) return base::fail_errno("lock the rate counters");
    return {};
  }

 private:
  std::scoped_lock<std::mutex> guard_;
  int fd_;
  struct flock area_ = {};
  bool holds_;
};

base::Result<std::unique_ptr<RateTable>> RateTable::open(const std::string& path, std::uint32_t keys_max) {
  auto file = base::open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (!file) return std::unexpected(file.error());
  std::mutex alone;
  const Lock lock(alone, file->get(), 0, sizeof(Header));  // one makes it, the others find it made
  if (const auto held = lock.held(); !held) return std::unexpected(held.error());
  struct stat status;
  if (::fstat(file->get(), &status) != 0) return base::fail_errno("stat " + path);
  Header header = {};
  if (status.st_size == 0) {
    header.magic = kMagic;
    header.buckets = std::bit_ceil((std::clamp<std::uint64_t>(keys_max, 1, kMostKeys) + kEntriesOfBucket - 1) / kEntriesOfBucket);
    if (::getrandom(header.seeds, sizeof header.seeds, 0) != sizeof header.seeds) return base::fail_errno("getrandom");
    // The room now: a full disk must not show as a fault in the mapping.
    if (const int number = ::posix_fallocate(file->get(), 0, static_cast<off_t>(sizeof(Header) + header.buckets * sizeof(Bucket))); number != 0) {
      errno = number;
      const auto error = base::fail_errno("make " + path);
      (void)!::ftruncate(file->get(), 0);
      return error;
    }
    if (const auto written = base::pwrite_all(file->get(), {reinterpret_cast<const char*>(&header), sizeof header}, 0); !written)
      return std::unexpected(written.error());
  } else if (status.st_size < static_cast<off_t>(sizeof header) || ::pread(file->get(), &header, sizeof header, 0) != sizeof header ||
             header.magic != kMagic || !std::has_single_bit(header.buckets) || header.buckets > kMostKeys ||
             static_cast<std::uint64_t>(status.st_size) != sizeof header + header.buckets * sizeof(Bucket)) {
    return base::fail(base::Fault::Config, path + ": not a table of rate counters");
  }
  const std::size_t octets = sizeof(Header) + header.buckets * sizeof(Bucket);
  void* memory = ::mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_SHARED, file->get(), 0);
  if (memory == MAP_FAILED) return base::fail_errno("map " + path);
  return std::unique_ptr<RateTable>(new RateTable(std::move(*file), memory, octets));
}

RateTable::RateTable(base::UniqueFd file, void* memory, std::size_t octets) : file_(std::move(file)), memory_(memory), octets_(octets) {}
RateTable::~RateTable() { ::munmap(memory_, octets_); }

RateTable::Key RateTable::key_of(std::string_view key) const {
  const auto& header = *static_cast<const Header*>(memory_);
  Key hashed{mix(header.seeds[0] ^ key.size()), mix(header.seeds[1] + key.size())};
  while (!key.empty()) {
    std::uint64_t word = 0;
    const std::size_t octets = std::min<std::size_t>(key.size(), sizeof word);
    std::memcpy(&word, key.data(), octets);
    key.remove_prefix(octets);
    hashed.high = mix(hashed.high ^ word) + header.seeds[1];
    hashed.low = mix(hashed.low + word) ^ header.seeds[0];
  }
  return hashed;
}

RateTable::Bucket& RateTable::bucket_of(const Key& key) const {
  const auto& header = *static_cast<const Header*>(memory_);
  // Not by what the file says now: it may have been written over.
  const std::size_t buckets = (octets_ - sizeof header) / sizeof(Bucket);
  return reinterpret_cast<Bucket*>(static_cast<char*>(memory_) + sizeof header)[key.low & (buckets - 1)];
}

RateTable::Entry* RateTable::find(Bucket& bucket, const Key& key, std::uint32_t seconds) {
  for (Entry& entry : bucket.entries)
    if (entry.begin != 0 && entry.key.high == key.high && entry.key.low == key.low && entry.seconds == seconds) return &entry;
  return nullptr;
}

RateTable::Entry& RateTable::find_or_make(Bucket& bucket, const Key& key, std::uint32_t seconds, std::uint64_t now) {
  if (Entry* entry = find(bucket, key, seconds)) {
    entry->turn(now);
    return *entry;
  }
  Entry* oldest = &bucket.entries[0];
  for (Entry& entry : bucket.entries) {
    const auto end = [](const Entry& e) { return e.begin == 0 ? 0 : e.begin + 2 * e.length(); };  // then it counts nothing any more
    if (end(entry) < end(*oldest)) oldest = &entry;
  }
  std::uint32_t pending = 0;
  if (const Entry* waiting = seconds == kPending ? nullptr : find(bucket, key, kPending)) {
    const std::uint64_t age = now - std::min(now, waiting->begin);
    if (age < std::min<std::uint64_t>(seconds * 1000ULL, kPendingMilliseconds)) pending = waiting->current;
  }
  *oldest = {key, now, seconds, pending, 0, 0};
  return *oldest;
}

base::Result<bool> RateTable::take(std::string_view key, std::uint32_t limit, std::uint32_t seconds, std::uint64_t now) {
  const Key hashed = key_of(key);
  Bucket& bucket = bucket_of(hashed);
  const Lock lock(mutex_, file_.get(), static_cast<std::uint64_t>(reinterpret_cast<char*>(&bucket) - static_cast<char*>(memory_)), sizeof bucket);
  if (const auto held = lock.held(); !held) return std::unexpected(held.error());
  Entry& entry = find_or_make(bucket, hashed, std::max(seconds, 1U), now);
  if (entry.estimate(now) >= limit) return false;
  entry.current = add(entry.current, 1);
  return true;
}

base::Result<std::uint32_t> RateTable::count(std::string_view key, std::uint32_t seconds, std::uint64_t now) {
  const Key hashed = key_of(key);
  Bucket& bucket = bucket_of(hashed);
  const Lock lock(mutex_, file_.get(), static_cast<std::uint64_t>(reinterpret_cast<char*>(&bucket) - static_cast<char*>(memory_)), sizeof bucket);
  if (const auto held = lock.held(); !held) return std::unexpected(held.error());
  Entry* entry = find(bucket, hashed, std::max(seconds, 1U));
  if (entry == nullptr) return 0U;
  entry->turn(now);
  return entry->estimate(now);
}

base::Result<void> RateTable::penalty(std::string_view key, std::uint32_t points, std::uint64_t now) {
  const Key hashed = key_of(key);
  Bucket& bucket = bucket_of(hashed);
  const Lock lock(mutex_, file_.get(), static_cast<std::uint64_t>(reinterpret_cast<char*>(&bucket) - static_cast<char*>(memory_)), sizeof bucket);
  if (const auto held = lock.held(); !held) return held;
  (void)find_or_make(bucket, hashed, kPending, now);
  for (Entry& entry : bucket.entries) {
    if (entry.begin == 0 || entry.key.high != hashed.high || entry.key.low != hashed.low) continue;
    entry.turn(now);
    entry.current = add(entry.current, points);
  }
  return {};
}

}  // namespace rules
