#include "queue-run/metrics.h"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>

#include "lib/base/open_metrics.h"

namespace run {
namespace {

constexpr std::uint64_t kSecond = 1000;

double seconds_since(base::WallTime then, base::WallTime now) { return std::max(0.0, std::chrono::duration<double>(now - then).count()); }

void add_results(base::OpenMetrics& metrics, const Counters& counters, std::uint64_t syncs) {
  metrics.begin("vsmtp_queue_recipients", "counter", "Recipients of attempts by what became of them");
  for (const auto& row : kStatuses) metrics.add("_total", base::OpenMetrics::label("status", row.name), counters.results[static_cast<std::size_t>(row.status)]);
  metrics.begin("vsmtp_queue_attempts", "counter", "Messages that were taken in hand");
  metrics.add("_total", R"(age="fresh")", counters.attempts_fresh);
  metrics.add("_total", R"(age="deferred")", counters.attempts_old);
  metrics.begin("vsmtp_queue_calls", "counter", "Calls of transports");
  metrics.add("_total", R"(outcome="answered")", counters.calls);
  metrics.add("_total", R"(outcome="unavailable")", counters.unavailable);
  metrics.add("_total", R"(outcome="suspended")", counters.put_off);
  metrics.counter("vsmtp_queue_syncs", "Times that results and folders were made durable", syncs);
}

void add_destinations(base::OpenMetrics& metrics, const std::vector<Schedule::Status>& destinations) {
  const auto count = [&](auto&& is) { return static_cast<double>(std::ranges::count_if(destinations, is)); };
  metrics.begin("vsmtp_queue_destinations", "gauge", "Destinations by how it goes with them");
  metrics.add_number({}, R"(state="open")", count([](const Schedule::Status& one) { return one.open > 0; }));
  metrics.add_number({}, R"(state="waiting")", count([](const Schedule::Status& one) { return one.waiting > 0; }));
  metrics.add_number({}, R"(state="suspended")", count([](const Schedule::Status& one) { return one.suspended_for > 0; }));
}

}  // namespace

std::string open_metrics(const Counters& counters, const Gauges& gauges, base::WallTime now) {
  base::OpenMetrics metrics;
  add_results(metrics, counters, gauges.syncs);
  metrics.gauge("vsmtp_queue_messages_in_hand", "Messages that are worked on", static_cast<double>(gauges.in_hand));
  metrics.gauge("vsmtp_queue_fresh_files", "Files of new messages that wait for that", static_cast<double>(gauges.fresh_files));
  metrics.gauge("vsmtp_queue_deferred", "Deferred messages that are not in hand", static_cast<double>(gauges.deferred));
  metrics.gauge("vsmtp_queue_deferred_due", "Those whose time has come", static_cast<double>(gauges.deferred_summary.due));
  metrics.gauge("vsmtp_queue_deferred_octets", "Octets of deferred messages", static_cast<double>(gauges.deferred_summary.octets));
  const auto& oldest = gauges.deferred_summary.oldest;
  metrics.gauge("vsmtp_queue_deferred_oldest_seconds", "Age of the oldest deferred message", oldest ? seconds_since(oldest->time(), now) : 0, "seconds");
  metrics.gauge("vsmtp_queue_calls_open", "Calls of transports that go on", static_cast<double>(gauges.calls_open));
  metrics.gauge("vsmtp_queue_calls_waiting", "Calls that wait for a place", static_cast<double>(gauges.calls_waiting));
  add_destinations(metrics, gauges.destinations);
  return std::move(metrics).end();
}

base::Result<std::unique_ptr<MetricsPlaces>> MetricsPlaces::make(net::Loop& loop, const std::vector<std::string>& places, net::MetricsService::Text text) {
  if (places.empty()) return std::unique_ptr<MetricsPlaces>();  // and nothing wakes an idle queue-run
  auto service = net::MetricsService::make("queue.metrics", places, std::move(text));
  if (!service) return std::unexpected(service.error());
  return std::unique_ptr<MetricsPlaces>(new MetricsPlaces(loop, std::move(*service)));
}

MetricsPlaces::MetricsPlaces(net::Loop& loop, net::MetricsService service)
    : loop_(loop), service_(std::move(service)), timer_(loop, [this] {
        service_.each_second();
        watch();
      }),
      again_(loop, [this] { watch(); }) {
  watch();
  timer_.start(kSecond, kSecond);
}

void MetricsPlaces::watch() {
  std::vector<pollfd> wanted;
  service_.add_watched(wanted);
  watch_.reset();
  watched_ = base::UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!watched_.is_open()) return;  // the next second
  for (const auto& one : wanted) {
    epoll_event event{.events = (one.events & POLLOUT) != 0 ? EPOLLOUT : EPOLLIN, .data = {.fd = one.fd}};
    (void)::epoll_ctl(watched_.get(), EPOLL_CTL_ADD, one.fd, &event);
  }
  watch_.emplace(loop_, watched_.get(), [this](unsigned) { on_ready(); });
  watch_->hold_loop(false);
  watch_->want(net::Watch::Readable);
}

void MetricsPlaces::on_ready() {
  std::vector<pollfd> wanted;
  service_.add_watched(wanted);
  if (::poll(wanted.data(), wanted.size(), 0) > 0) service_.on_watched(wanted);
  again_.start(0);  // a Watch is not taken away while it calls
}

}  // namespace run
