#include "lib/broker/link.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "lib/base/unique_fd.h"
#include "lib/broker/steps.h"

namespace broker {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{250}, kLongestPause{15'000};
constexpr milliseconds kTurn{1000};      // the thread looks at least so often at its time limits
constexpr milliseconds kIdleTurn{5000};  // ... and at heartbeats

void ring(int bell) {
  const std::uint64_t one = 1;
  (void)!::write(bell, &one, sizeof one);
}
void silence(int bell) {
  std::uint64_t count;
  (void)!::read(bell, &count, sizeof count);
}

}  // namespace

struct Link::Internal : Listener {
  // In the thread, with the connection; null when there is none.
  using Command = std::function<void(Connection*)>;
  struct Waiting {
    Done done;
    Clock::time_point since;
    std::string returned;  // why it has no queue
  };

  Internal(net::Loop& loop, Settings given, Events given_events)
      : settings(std::move(given)),
        events(std::move(given_events)),
        to_thread(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        to_loop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        watch(loop, to_loop.get(), [this](unsigned) { take_news(); }),
        thread([this] { run(); }) {
    watch.want(net::Watch::Readable);
  }

  ~Internal() override {
    ends = true;
    ring(to_thread.get());
    thread.join();
  }

  // ---- the loop's side -------------------------------------------------------------------------------------------------

  void tell(Command command) {
    bool is_first;
    {
      const std::lock_guard lock(mutex);
      is_first = commands.empty();
      commands.push_back(std::move(command));
    }
    if (is_first) ring(to_thread.get());
  }

  void take_news() {
    silence(to_loop.get());
    std::vector<std::function<void()>> batch;
    {
      const std::lock_guard lock(mutex);
      batch.swap(news);
    }
    for (const auto& one : batch) one();
  }

  // ---- the thread's side -----------------------------------------------------------------------------------------------

  void report(std::function<void()> one) {
    bool is_first;
    {
      const std::lock_guard lock(mutex);
      is_first = news.empty();
      news.push_back(std::move(one));
    }
    if (is_first) ring(to_loop.get());
  }
  void report_done(const Done& done, Result<void> result) {
    report([done, result = std::move(result)] { done(result); });
  }

  void run() {
    while (!ends) {
      auto opened = connect();
      if (!opened) {
        why_down = opened.error();
        report([this, why = why_down.cause] { if (events.on_state) events.on_state(false, why); });
        pause();
        continue;
      }
      connection.emplace(std::move(*opened));
      serve();
    }
    end();
  }

  Result<Connection> connect() {
    auto opened = Connection::open(settings.address, settings.connection, next_host);
    if (!opened) {
      ++next_host;
      return opened;
    }
    declared.clear();
    Result<void> ready = settings.consumers.empty() ? opened->select_confirms() : Result<void>();
    for (const auto& consumer : settings.consumers) {
      if (ready) ready = declare(*opened, consumer.queue);
    }
    for (const auto& consumer : settings.consumers) {
      if (ready) ready = opened->consume(consumer.queue, consumer.prefetch, settings.patience);
    }
    if (!ready) {
      ++next_host;
      return std::unexpected(ready.error());
    }
    return opened;
  }

  Result<void> declare(Connection& to, const std::string& queue) {
    if (declared.contains(queue)) return {};
    const auto made = ready_queue(to, settings.making, queue);
    if (made) declared.insert(queue);
    return made;
  }

  // Until the connection breaks or all ends.
  void serve() {
    ++epoch;
    pause_length = kFirstPause;
    report([this, peer = connection->peer()] { if (events.on_state) events.on_state(true, peer); });
    Result<void> goes_on;
    while (goes_on && !ends) {
      run_commands();
      goes_on = connection->pump(milliseconds(0), *this);
      if (goes_on && !blocked.empty()) goes_on = base::fail(Fault::Temporary, std::exchange(blocked, {}));
      if (goes_on && is_late()) goes_on = std::unexpected(Error{Fault::Temporary, "the broker confirms nothing for " + std::to_string(settings.connection.timeout.count() / 1000) + " s", ETIMEDOUT});
      if (goes_on && !ends && !connection->has_more()) wait_for_work(connection->fd());
    }
    if (ends) {
      run_commands();
      connection->close();
    }
    connection.reset();
    why_down = goes_on ? Error{Fault::Temporary, "the connection to the broker ends"} : goes_on.error();
    fail_all(why_down);
    ++next_host;
    if (!ends) report([this, why = why_down.cause] { if (events.on_state) events.on_state(false, why); });
    if (!ends) pause();
  }

  void wait_for_work(int fd) {
    pollfd ready[] = {{to_thread.get(), POLLIN, 0}, {fd, POLLIN, 0}};
    (void)::poll(ready, fd < 0 ? 1 : 2, static_cast<int>((waiting.empty() ? kIdleTurn : kTurn).count()));
    silence(to_thread.get());
  }

  // Commands that come meanwhile fail.
  void pause() {
    const auto until = Clock::now() + pause_length;
    pause_length = std::min(pause_length * 2, kLongestPause);
    while (!ends && Clock::now() < until) {
      run_commands();
      pollfd ready{to_thread.get(), POLLIN, 0};
      const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
      (void)::poll(&ready, 1, static_cast<int>(std::clamp(left, milliseconds(1), kTurn).count()));
      silence(to_thread.get());
    }
  }

  void run_commands() {
    std::deque<Command> batch;
    {
      const std::lock_guard lock(mutex);
      batch.swap(commands);
    }
    for (const auto& command : batch) command(connection ? &*connection : nullptr);
  }

  void end() {
    run_commands();
    connection.reset();
  }

  [[nodiscard]] bool is_late() const { return !waiting.empty() && Clock::now() - waiting.begin()->second.since > settings.connection.timeout; }

  void fail_all(const Error& why) {
    for (auto& [tag, one] : waiting) report_done(one.done, std::unexpected(why));
    waiting.clear();
  }

  void publish(Connection* to, const std::string& queue, const Parcel& parcel, const Done& done) {
    if (to == nullptr) return report_done(done, std::unexpected(why_down));
    if (const auto made = declare(*to, queue); !made) return report_done(done, made);
    const auto tag = to->publish(queue, parcel);
    if (!tag) return report_done(done, std::unexpected(tag.error()));
    waiting[*tag] = {done, Clock::now(), {}};
  }

  void on_confirmed(std::uint64_t tag, bool multiple, bool is_safe) override {
    auto one = multiple ? waiting.begin() : waiting.find(tag);
    while (one != waiting.end() && one->first <= tag) {
      Result<void> result;
      if (!one->second.returned.empty()) result = base::fail(Fault::Temporary, one->second.returned);
      else if (!is_safe) result = base::fail(Fault::Temporary, "the broker refused the message");
      report_done(one->second.done, std::move(result));
      one = waiting.erase(one);
    }
  }
  void on_returned(std::uint64_t tag, std::string why) override {
    declared.clear();  // somebody removed a queue
    if (const auto one = waiting.find(tag); one != waiting.end()) one->second.returned = std::move(why);
  }
  void on_arrived(Incoming incoming) override {
    const Ticket ticket{epoch, incoming.tag};
    auto shared = std::make_shared<Incoming>(std::move(incoming));
    report([this, ticket, shared] { events.on_arrived(ticket, std::move(*shared)); });
  }
  void on_blocked(std::string why) override { blocked = std::move(why); }

  Settings settings;
  Events events;
  base::UniqueFd to_thread, to_loop;  // eventfd(2)
  net::Watch watch;
  std::atomic<bool> ends{false};
  std::mutex mutex;
  std::deque<Command> commands;
  std::vector<std::function<void()>> news;

  // The thread's own.
  std::optional<Connection> connection;
  std::uint64_t epoch = 0;  // the number of the connection
  std::size_t next_host = 0;
  milliseconds pause_length = kFirstPause;
  Error why_down{Fault::Temporary, "not connected to the broker yet"};
  std::string blocked;
  std::set<std::string> declared;
  std::map<std::uint64_t, Waiting> waiting;  // published, not confirmed

  std::thread thread;  // last: it uses all of the above
};

Link::Link(net::Loop& loop, Settings settings, Events events) : internal_(std::make_unique<Internal>(loop, std::move(settings), std::move(events))) {}
Link::~Link() = default;

void Link::publish(std::string queue, Parcel parcel, Done done) {
  auto* self = internal_.get();
  self->tell([self, queue = std::move(queue), parcel = std::move(parcel), done = std::move(done)](Connection* to) { self->publish(to, queue, parcel, done); });
}

void Link::ack(const Ticket& ticket) {
  auto* self = internal_.get();
  self->tell([self, ticket](Connection* to) {
    if (to != nullptr && ticket.connection == self->epoch) (void)to->ack(ticket.tag);  // a broken connection shows in pump()
  });
}

void Link::nack(const Ticket& ticket, bool requeue) {
  auto* self = internal_.get();
  self->tell([self, ticket, requeue](Connection* to) {
    if (to != nullptr && ticket.connection == self->epoch) (void)to->nack(ticket.tag, requeue);
  });
}

void Link::stop_consuming() {
  auto* self = internal_.get();
  self->tell([self](Connection* to) {
    for (const auto& consumer : self->settings.consumers)
      if (to != nullptr) (void)to->stop_consuming(consumer.queue);
    self->settings.consumers.clear();  // not again when the connection is made anew
  });
}

void Link::count(std::vector<std::string> queues, std::function<void(Result<std::uint64_t>)> done) {
  auto* self = internal_.get();
  self->tell([self, queues = std::move(queues), done = std::move(done)](Connection* to) {
    Result<std::uint64_t> total = 0;
    if (to == nullptr) total = std::unexpected(self->why_down);
    for (const auto& queue : queues) {
      if (!total) break;
      const auto counted = to->count(queue);
      if (!counted) total = std::unexpected(counted.error());
      else *total += counted->value_or(0);
    }
    self->report([done, total = std::move(total)] { done(total); });
  });
}

}  // namespace broker
