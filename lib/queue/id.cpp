#include "lib/queue/id.h"

#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>

namespace queue {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::uint8_t kNoDigit = 0xFF;
// What an octet stands for: a spool of a million messages is a million names to read.
constexpr auto kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < kDigits.size(); ++i) values[static_cast<unsigned char>(kDigits[i])] = static_cast<std::uint8_t>(i);
  return values;
}();
std::uint8_t value_of(char digit) { return kValues[static_cast<unsigned char>(digit)]; }

constexpr std::size_t kTimeDigits = 11, kProcessDigits = 7;
constexpr int kSaltBits = 13;
static_assert(kTimeDigits + kProcessDigits == Id::kOctets);

void put(char* at, std::size_t digits, std::uint64_t value) {
  for (std::size_t i = digits; i-- > 0; value >>= 5) at[i] = kDigits[value & 31];
}

// Different for processes that have the same process id: one after the other, or in two containers on one spool.
std::uint64_t salt_of_process() {
  std::uint16_t random = 0;
  if (::getrandom(&random, sizeof random, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof random))
    random = static_cast<std::uint16_t>(base::wall_now().time_since_epoch().count());
  return random & ((1U << kSaltBits) - 1);
}

}  // namespace

Id Id::make(base::WallTime now) {
  static const std::uint64_t salt = salt_of_process();
  static std::atomic<std::uint64_t> last{0};

  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  // Always later than the last one: the clock may be set back, and two messages may come in one microsecond.
  std::uint64_t before = last.load(std::memory_order_relaxed), time;
  do time = std::max(static_cast<std::uint64_t>(microseconds), before + 1);
  while (!last.compare_exchange_weak(before, time, std::memory_order_relaxed));

  Id id;
  put(id.digits_.data(), kTimeDigits, time);
  put(id.digits_.data() + kTimeDigits, kProcessDigits, static_cast<std::uint64_t>(::getpid()) << kSaltBits | salt);
  return id;
}

std::optional<Id> Id::parse(std::string_view text) {
  if (text.size() != kOctets) return std::nullopt;
  Id id;
  for (std::size_t i = 0; i < kOctets; ++i) {
    if (value_of(text[i]) == kNoDigit) return std::nullopt;
    id.digits_[i] = text[i];
  }
  return id;
}

base::WallTime Id::time() const {
  std::uint64_t microseconds = 0;
  for (std::size_t i = 0; i < kTimeDigits; ++i) microseconds = microseconds << 5 | value_of(digits_[i]);
  return base::WallTime(std::chrono::microseconds(microseconds));
}

}  // namespace queue
