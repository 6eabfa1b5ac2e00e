#include "lib/net/ledger.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>
#include <span>

#include "lib/base/unique_fd.h"

namespace net {
namespace {

constexpr std::uint64_t kMagic = 0x33'72'65'67'64'65'6c'76;  // "vledger3"
// Slots in which a prefix may be; the rows of a group have one lock.
constexpr std::size_t kGroup = 8;
constexpr std::size_t kLocks = 64;
// Bans before the last so much time ago are forgiven.
constexpr std::uint64_t kMemoryOfBans = 24 * 3600 * 1000;

// "3f5a...": changes with each start of the machine, whose clock begins anew then.
std::array<char, 40> boot_id() {
  std::array<char, 40> id{};
  std::ifstream("/proc/sys/kernel/random/boot_id").read(id.data(), id.size() - 1);
  return id;
}

}  // namespace

struct Ledger::Slot {
  Prefix whose;
  bool is_used;
  std::uint16_t bans;
  std::uint64_t seen;          // last change
  std::uint64_t banned_until;  // 0: never was
  std::array<std::uint64_t, kColumns> period;  // number of the period that `current` is of
  std::array<std::uint64_t, kColumns> current, before;
};

struct Ledger::Table {
  struct Header {
    std::uint64_t magic, octets, rows, seed;
    Periods periods;
    std::array<std::uint64_t, kMarks> marks;
    std::array<char, 40> boot;
    std::array<pthread_mutex_t, kLocks> locks;
  };
  Header* header = nullptr;
  Slot* slots = nullptr;
  std::size_t octets = 0;

  Table(void* memory, std::size_t size) : header(static_cast<Header*>(memory)), slots(reinterpret_cast<Slot*>(header + 1)), octets(size) {}
  ~Table() { ::munmap(header, octets); }
  Table(const Table&) = delete;

  static std::size_t octets_for(std::size_t rows) { return sizeof(Header) + rows * sizeof(Slot); }
  [[nodiscard]] bool is_sound() const {
    return header->magic == kMagic && header->octets == octets && header->rows % kGroup == 0 && header->rows > 0 && octets_for(header->rows) == octets &&
           std::ranges::find(header->periods, 0U) == header->periods.end();
  }

  void make(std::size_t rows, const Periods& periods) {
    std::memset(static_cast<void*>(header), 0, sizeof *header);
    header->octets = octets;
    header->rows = rows;
    header->periods = periods;
    if (::getrandom(&header->seed, sizeof header->seed, 0) != sizeof header->seed) header->seed = Ledger::now();
    header->boot = boot_id();
    pthread_mutexattr_t shared;
    ::pthread_mutexattr_init(&shared);
    ::pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&shared, PTHREAD_MUTEX_ROBUST);
    for (auto& lock : header->locks) ::pthread_mutex_init(&lock, &shared);
    ::pthread_mutexattr_destroy(&shared);
    __atomic_store_n(&header->magic, kMagic, __ATOMIC_RELEASE);
  }

  // With a seed that nobody outside knows, so that nobody can choose addresses that push each other out.
  [[nodiscard]] std::size_t group_of(const Prefix& whose) const {
    std::uint64_t hash = header->seed ^ whose.bits;
    for (std::size_t i = 0; i < whose.octets.size(); i += 8) {
      std::uint64_t part = 0;
      std::memcpy(&part, whose.octets.data() + i, 8);
      hash = (hash ^ part) * 0x9e3779b97f4a7c15;
      hash ^= hash >> 29;
      hash *= 0xbf58476d1ce4e5b9 ^ header->seed;
      hash ^= hash >> 32;
    }
    return hash % (header->rows / kGroup);
  }
};

// A group while it is looked at. A process that died in between has left no more than a wrong count.
class Ledger::Held {
 public:
  Held(Table& table, std::size_t group) : lock_(table.header->locks[group % kLocks]), slots_(table.slots + group * kGroup, kGroup) {
    if (::pthread_mutex_lock(&lock_) == EOWNERDEAD) ::pthread_mutex_consistent(&lock_);
  }
  ~Held() { ::pthread_mutex_unlock(&lock_); }
  Held(const Held&) = delete;
  [[nodiscard]] std::span<Slot> slots() const { return slots_; }

 private:
  pthread_mutex_t& lock_;
  std::span<Slot> slots_;
};

// ---- prefixes -------------------------------------------------------------------------------------------------------

Prefix Prefix::of(const Address& address, unsigned ipv4_bits, unsigned ipv6_bits) {
  Prefix prefix;
  const std::string ip = address.ip();
  in_addr four{};
  if (::inet_pton(AF_INET, ip.c_str(), &four) == 1) {
    prefix.octets[10] = prefix.octets[11] = 0xFF;
    std::memcpy(&prefix.octets[12], &four, 4);
    prefix.bits = static_cast<std::uint8_t>(96 + ipv4_bits);
  } else if (::inet_pton(AF_INET6, ip.c_str(), prefix.octets.data()) == 1) {
    prefix.bits = static_cast<std::uint8_t>(ipv6_bits);
  }
  for (unsigned bit = prefix.bits; bit < 128; ++bit) prefix.octets[bit / 8] &= static_cast<unsigned char>(~(0x80U >> (bit % 8)));
  return prefix;
}

std::string Prefix::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool is_ipv4 = bits >= 96 && std::all_of(octets.begin(), octets.begin() + 10, [](unsigned char o) { return o == 0; }) && octets[10] == 0xFF && octets[11] == 0xFF;
  ::inet_ntop(is_ipv4 ? AF_INET : AF_INET6, octets.data() + (is_ipv4 ? 12 : 0), text.data(), text.size());
  const unsigned own_bits = is_ipv4 ? bits - 96U : bits, all_bits = is_ipv4 ? 32 : 128;
  return std::string(text.data()) + (own_bits < all_bits ? "/" + std::to_string(own_bits) : "");
}

// ---- the table ------------------------------------------------------------------------------------------------------

std::uint64_t Ledger::now() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1000 + static_cast<std::uint64_t>(time.tv_nsec) / 1'000'000;
}

namespace {

// The lock of a file, for as long as it takes to make a table in it. Of flock(2), and given back by hand: a mapping keeps the description
// open that owns it.
class FileLock {
 public:
  explicit FileLock(int fd) : fd_(fd) {
    while (::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {}
  }
  ~FileLock() { ::flock(fd_, LOCK_UN); }
  FileLock(const FileLock&) = delete;

 private:
  int fd_;
};

base::Result<std::size_t> size_of(int fd, const std::string& path) {
  struct stat status;
  if (::fstat(fd, &status) != 0) return base::fail_errno("fstat " + path);
  return static_cast<std::size_t>(status.st_size);
}

base::Result<void*> map(int fd, std::size_t octets, const std::string& path) {
  void* const memory = ::mmap(nullptr, octets, PROT_READ | PROT_WRITE, fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS, fd, 0);
  if (memory == MAP_FAILED) return base::fail_errno("map " + (path.empty() ? "memory" : path));
  return memory;
}

constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;

}  // namespace

base::Result<Ledger> Ledger::open(const std::string& path, std::size_t rows, const Periods& wanted) {
  rows = std::max<std::size_t>((rows + kGroup - 1) / kGroup * kGroup, kGroup);
  const std::size_t octets = Table::octets_for(rows);
  Periods periods;
  std::ranges::transform(wanted, periods.begin(), [](std::uint64_t period) { return std::max<std::uint64_t>(period, 1); });
  if (path.empty()) {
    const auto memory = map(-1, octets, path);
    if (!memory) return std::unexpected(memory.error());
    auto table = std::make_shared<Table>(*memory, octets);
    table->make(rows, periods);
    return Ledger(std::move(table));
  }

  base::UniqueFd file(::open(path.c_str(), kFlags | O_CREAT, 0600));
  if (!file.is_open()) return base::fail_errno("open " + path);
  std::optional<FileLock> lock(file.get());
  const auto size = size_of(file.get(), path);
  if (!size) return std::unexpected(size.error());
  if (*size != 0 && *size != octets) {
    // Others may have mapped that one: it is left to them.
    if (::unlink(path.c_str()) != 0) return base::fail_errno("remove " + path);
    lock.reset();
    file = base::UniqueFd(::open(path.c_str(), kFlags | O_CREAT, 0600));
    if (!file.is_open()) return base::fail_errno("open " + path);
    lock.emplace(file.get());
  }
  if (const int wrong = ::posix_fallocate(file.get(), 0, static_cast<off_t>(octets)); wrong != 0) {
    errno = wrong;
    return base::fail_errno("make " + path);
  }
  const auto memory = map(file.get(), octets, path);
  if (!memory) return std::unexpected(memory.error());
  auto table = std::make_shared<Table>(*memory, octets);
  if (!table->is_sound() || table->header->boot != boot_id()) {
    std::memset(static_cast<void*>(table->slots), 0, rows * sizeof(Slot));
    table->make(rows, periods);
  }
  table->header->periods = periods;
  return Ledger(std::move(table));
}

base::Result<Ledger> Ledger::look_at(const std::string& path) {
  const base::UniqueFd file(::open(path.c_str(), kFlags));
  if (!file.is_open()) return base::fail_errno("open " + path);
  const auto octets = size_of(file.get(), path);
  if (!octets) return std::unexpected(octets.error());
  const auto not_one = [&] { return base::fail(base::Fault::Config, path + ": not a ledger of smtpd's shield"); };
  if (*octets < sizeof(Table::Header)) return not_one();
  const auto memory = map(file.get(), *octets, path);
  if (!memory) return std::unexpected(memory.error());
  auto table = std::make_shared<Table>(*memory, *octets);
  if (!table->is_sound()) return not_one();
  return Ledger(std::move(table));
}

// With the group held. A new one takes the place of one that is unused, else of the one not seen for longest; who is banned stays
// longer than who is not, and so does whom the last column speaks for.
Ledger::Slot* Ledger::find(const Prefix& whose, std::uint64_t now, bool makes) const {
  const std::span<Slot> slots(table_->slots + table_->group_of(whose) * kGroup, kGroup);
  for (Slot& slot : slots)
    if (slot.is_used && slot.whose == whose) return &slot;
  if (!makes) return nullptr;
  const auto worth = [&](const Slot& slot) {
    return std::tuple(slot.is_used, slot.is_used && (slot.banned_until > now || in_last_period(slot, kColumns - 1, now) > 0), slot.seen);
  };
  Slot& slot = *std::ranges::min_element(slots, {}, worth);
  slot = Slot{.whose = whose, .is_used = true, .bans = 0, .seen = now, .banned_until = 0, .period = {}, .current = {}, .before = {}};
  return &slot;
}

void Ledger::advance(Slot& slot, std::size_t column, std::uint64_t now) const {
  const auto period = now / table_->header->periods[column];
  slot.seen = now;
  if (slot.period[column] == period) return;
  slot.before[column] = slot.period[column] + 1 == period ? slot.current[column] : 0;
  slot.current[column] = 0;
  slot.period[column] = period;
}

// The period before counts by the part of it that is less than a period ago.
double Ledger::in_last_period(const Slot& slot, std::size_t column, std::uint64_t now) const {
  const auto length = table_->header->periods[column], period = now / length, seen = slot.period[column];
  const double left = 1.0 - static_cast<double>(now % length) / static_cast<double>(length);
  if (seen == period) return static_cast<double>(slot.current[column]) + left * static_cast<double>(slot.before[column]);
  return seen + 1 == period ? left * static_cast<double>(slot.current[column]) : 0;
}

double Ledger::add(const Prefix& whose, std::size_t column, std::uint64_t amount, std::uint64_t now) {
  const Held group(*table_, table_->group_of(whose));
  Slot& slot = *find(whose, now, true);
  advance(slot, column, now);
  slot.current[column] += amount;
  return in_last_period(slot, column, now);
}

double Ledger::count(const Prefix& whose, std::size_t column, std::uint64_t now) const {
  const Held group(*table_, table_->group_of(whose));
  const Slot* slot = find(whose, now, false);
  return slot != nullptr ? in_last_period(*slot, column, now) : 0;
}

std::array<double, Ledger::kColumns> Ledger::counts(const Prefix& whose, std::uint64_t now) const {
  const Held group(*table_, table_->group_of(whose));
  std::array<double, kColumns> counts{};
  if (const Slot* slot = find(whose, now, false); slot != nullptr)
    for (std::size_t column = 0; column < kColumns; ++column) counts[column] = in_last_period(*slot, column, now);
  return counts;
}

std::uint64_t Ledger::ban(const Prefix& whose, std::uint64_t milliseconds, std::uint64_t most, std::uint64_t now) {
  const Held group(*table_, table_->group_of(whose));
  Slot& slot = *find(whose, now, true);
  slot.seen = now;
  if (slot.banned_until > now) return slot.banned_until - now;
  if (slot.banned_until + kMemoryOfBans < now) slot.bans = 0;
  const auto doublings = std::min<unsigned>(slot.bans, 30);
  const auto duration = std::min(milliseconds << doublings, std::max(most, milliseconds));
  if (slot.bans < UINT16_MAX) ++slot.bans;
  slot.banned_until = now + duration;
  return duration;
}

std::uint64_t Ledger::banned_until(const Prefix& whose, std::uint64_t now) const {
  const Held group(*table_, table_->group_of(whose));
  const Slot* slot = find(whose, now, false);
  return slot != nullptr && slot->banned_until > now ? slot->banned_until : 0;
}

void Ledger::set_mark(std::size_t mark, std::uint64_t until) { __atomic_store_n(&table_->header->marks[mark], until, __ATOMIC_RELAXED); }
std::uint64_t Ledger::mark(std::size_t mark) const { return __atomic_load_n(&table_->header->marks[mark], __ATOMIC_RELAXED); }

std::vector<Ledger::Row> Ledger::rows(std::uint64_t now) const {
  std::vector<Row> rows;
  for (std::size_t number = 0; number < table_->header->rows / kGroup; ++number) {
    const Held group(*table_, number);
    for (const Slot& slot : group.slots()) {
      if (!slot.is_used) continue;
      Row row{.whose = slot.whose, .counts = {}, .banned_until = slot.banned_until > now ? slot.banned_until : 0, .bans = slot.bans};
      for (std::size_t column = 0; column < kColumns; ++column) row.counts[column] = in_last_period(slot, column, now);
      if (row.banned_until != 0 || std::ranges::any_of(row.counts, [](double count) { return count > 0; })) rows.push_back(row);
    }
  }
  return rows;
}

bool Ledger::forget(const Prefix& whose) {
  const Held group(*table_, table_->group_of(whose));
  Slot* slot = find(whose, 0, false);
  if (slot == nullptr) return false;
  *slot = {};
  return true;
}

}  // namespace net
