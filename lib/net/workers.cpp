#include "lib/net/workers.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <system_error>
#include <utility>

namespace net {
namespace {

// Nothing was begun for so long though something waits: those at work wait themselves.
constexpr std::uint64_t kPatienceMilliseconds = 2;

}  // namespace

Workers::Workers(Loop& loop, std::size_t most)
    : most_(std::max<std::size_t>(most, 1)),
      at_work_usually_(std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, most_)),
      bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      on_bell_(loop, bell_.get(), [this](unsigned) { take_ended(); }),
      timer_(loop, [this] { look_after(); }) {
  assert(bell_.is_open());  // as with epoll_create: a process that cannot have even that should not go on
  on_bell_.want(Watch::Readable);
  on_bell_.hold_loop(false);
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    for (const auto& worker : workers_) worker->wake.notify_one();
  }
  for (const auto& worker : workers_) worker->thread.join();
}

void Workers::give(std::function<void()> work, std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(work), std::move(done)});
    if (at_work_ < at_work_usually_) call_one();
  }
  if (open_++ == 0) on_bell_.hold_loop(true);
  if (!std::exchange(is_timed_, true)) timer_.start(kPatienceMilliseconds, kPatienceMilliseconds);
}

void Workers::call_one() {
  if (!idle_.empty()) {
    Worker& worker = *idle_.back();
    idle_.pop_back();
    worker.is_called = true;
    worker.wake.notify_one();
  } else if (workers_.size() < most_) {
    auto worker = std::make_unique<Worker>();
    try {
      worker->thread = std::thread([this, one = worker.get()] { this->work(*one); });
    } catch (const std::system_error&) {
      return;  // no thread to be had now: those that are there do it, or look_after() tries again
    }
    workers_.push_back(std::move(worker));
  } else {
    return;
  }
  ++at_work_;
}

void Workers::work(Worker& self) {
  std::unique_lock lock(mutex_);
  while (!ends_) {
    if (waiting_.empty()) {
      --at_work_;
      idle_.push_back(&self);
      self.wake.wait(lock, [&] { return self.is_called || ends_; });
      self.is_called = false;
      continue;
    }
    Piece piece = std::move(waiting_.front());
    waiting_.pop_front();
    ++begun_;
    lock.unlock();
    piece.work();
    lock.lock();
    ended_.push_back(std::move(piece));
    if (ended_.size() > 1) continue;  // the loop knows
    lock.unlock();
    tell_loop();
    lock.lock();
  }
}

void Workers::tell_loop() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(bell_.get(), &one, sizeof one);  // full: it will be read all the same
}

// --- in the loop's thread

void Workers::take_ended() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(bell_.get(), &count, sizeof count);
  std::vector<Piece> ended;
  {
    const std::lock_guard lock(mutex_);
    ended.swap(ended_);
  }
  for (const auto& piece : ended) {
    if (--open_ == 0) on_bell_.hold_loop(false);
    piece.done();
  }
}

void Workers::look_after() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    timer_.stop();
    is_timed_ = false;
  } else if (begun_ == begun_before_) {
    for (std::size_t i = 0; i < waiting_.size(); ++i) call_one();
  }
  begun_before_ = begun_;
}

}  // namespace net
