// What queue-run gives to who measures: see METRICS in queue-run(8).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/net/loop.h"
#include "lib/net/metrics_service.h"
#include "queue-run/counters.h"
#include "queue-run/due.h"
#include "queue-run/schedule.h"

namespace run {

struct Gauges {
  std::uint64_t syncs = 0;  // of results and folders, so far
  std::size_t in_hand = 0, fresh_files = 0, deferred = 0;
  DueIndex::Summary deferred_summary;
  std::size_t calls_open = 0, calls_waiting = 0;
  std::vector<Schedule::Status> destinations;
};
[[nodiscard]] std::string open_metrics(const Counters& counters, const Gauges& gauges, base::WallTime now);

// Gives a text to who asks at `places`, from the loop.
class MetricsPlaces {
 public:
  // Nothing where there are no places.
  [[nodiscard]] static base::Result<std::unique_ptr<MetricsPlaces>> make(net::Loop& loop, const std::vector<std::string>& places, net::MetricsService::Text text);

 private:
  MetricsPlaces(net::Loop& loop, net::MetricsService service);
  void on_ready();
  void watch();

  net::Loop& loop_;
  net::MetricsService service_;
  base::UniqueFd watched_;  // an epoll(7) of all its descriptors: they change, and the loop has one
  std::optional<net::Watch> watch_;
  net::Timer timer_;
  net::Timer again_;
};

}  // namespace run
