// What is counted, for whoever measures: see METRICS in smtpd(8). One table has the names; the counters are on the board that all workers share.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace smtpd {

// In the order of the table in meters.cpp.
enum class Meter : std::uint8_t {
  Connections,
  TurnedAway,
  MessagesAccepted,
  MessagesDeferred,
  MessagesRefused,
  MessagesDiscarded,
  MessagesGivenUp,
  OctetsAccepted,
  RecipientsAccepted,
  RefusedByPolicy,
  RefusedRelaying,
  PutOffByShield,
  Tls12,
  Tls12Resumed,
  Tls13,
  Tls13Resumed,
  TlsFailed,
  LogInsPutOff,
  OffenceError,
  OffenceFailedLogIn,
  Bans,
  kCount
};
enum class Stopwatch : std::uint8_t { Policy, Chain, kCount };

inline constexpr std::array<double, 14> kBuckets = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120};  // seconds, upper ends
inline constexpr std::size_t kMechanisms = 16;

struct Meters {
  using Counter = std::atomic<std::uint64_t>;
  struct Times {
    std::array<Counter, kBuckets.size() + 1> counts;  // the last one: longer
    Counter microseconds;
  };
  std::array<Counter, static_cast<std::size_t>(Meter::kCount)> counters;
  std::array<Times, static_cast<std::size_t>(Stopwatch::kCount)> times;
  std::array<std::array<Counter, 2>, kMechanisms> log_ins;  // by mechanism: right, wrong
};

// Where this process counts; without it nothing is.
void count_on(Meters* meters);
void count(Meter meter, std::uint64_t amount = 1);
void count_time(Stopwatch stopwatch, std::chrono::steady_clock::duration time);
void count_log_in(std::string_view mechanism, bool is_right);

struct Gauges {
  std::uint64_t sessions = 0, workers = 0;
  double started = 0;  // seconds since 1970
};
// OpenMetrics text, as Prometheus reads it.
[[nodiscard]] std::string open_metrics(const Meters& meters, const Gauges& gauges);

}  // namespace smtpd
