#include "lib/net/loop.h"

#include <cassert>
#include <csignal>

#include "lib/base/log.h"
#include "lib/net/internal.h"

namespace net {
namespace {

template <class Handle>
uv_handle_t* as_handle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

// Handles end here: libuv uses their memory until it says so, which is after the destructor of what they belonged to.
template <class Internal, class Handle>
void close_and_free(Internal* internal, Handle* handle) {
  handle->data = internal;
  uv_close(as_handle(handle), [](uv_handle_t* closed) { delete static_cast<Internal*>(closed->data); });
}

void do_work(Loop::Internal& internal) noexcept {
  // By index: work may add work.
  for (std::size_t i = 0; i < internal.work.size(); ++i) internal.work[i]();
  base::log::flush();
}

}  // namespace

Loop::Loop() : internal_(std::make_unique<Internal>()) {
  // A peer that has gone is an error of write(2), not the end of the process.
  struct sigaction current = {};
  if (::sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
  [[maybe_unused]] const int failed = uv_loop_init(&internal_->uv);
  assert(failed == 0);  // epoll_create: a process that cannot have even that should not go on
  internal_->uv.data = internal_.get();
  uv_prepare_init(&internal_->uv, &internal_->before_sleep);
  uv_check_init(&internal_->uv, &internal_->after_io);
  // Before sleeping as well: work may have been added by timers, by what was done outside run(), or by other work.
  uv_prepare_start(&internal_->before_sleep, [](uv_prepare_t* handle) { do_work(*static_cast<Internal*>(handle->loop->data)); });
  uv_check_start(&internal_->after_io, [](uv_check_t* handle) { do_work(*static_cast<Internal*>(handle->loop->data)); });
  uv_unref(as_handle(&internal_->before_sleep));
  uv_unref(as_handle(&internal_->after_io));
}

Loop::~Loop() {
  internal_->ends = true;
  uv_close(as_handle(&internal_->before_sleep), nullptr);
  uv_close(as_handle(&internal_->after_io), nullptr);
  uv_run(&internal_->uv, UV_RUN_DEFAULT);  // closing handles, and threads that are still at work
  [[maybe_unused]] const int failed = uv_loop_close(&internal_->uv);
  assert(failed == 0);  // something of this loop outlives it
}

void Loop::run() {
  const base::log::Gathering gathering;  // do_work() writes the lines of a turn
  uv_run(&internal_->uv, UV_RUN_DEFAULT);
}
void Loop::stop() { uv_stop(&internal_->uv); }
std::uint64_t Loop::now_milliseconds() const { return uv_now(&internal_->uv); }

void Loop::after_io(std::function<void()> work) { internal_->work.push_back(std::move(work)); }

struct Timer::Internal {
  uv_timer_t uv;
  std::function<void()> on_time;
};

Timer::Timer(Loop& loop, std::function<void()> on_time) : internal_(new Internal{{}, std::move(on_time)}) {
  uv_timer_init(uv_of(loop), &internal_->uv);
  internal_->uv.data = internal_;
}

Timer::~Timer() { close_and_free(internal_, &internal_->uv); }

void Timer::start(std::uint64_t milliseconds, std::uint64_t repeat_milliseconds) {
  const auto on_time = [](uv_timer_t* handle) noexcept { static_cast<Internal*>(handle->data)->on_time(); };
  uv_timer_start(&internal_->uv, on_time, milliseconds, repeat_milliseconds);
}

void Timer::stop() { uv_timer_stop(&internal_->uv); }

struct Watch::Internal {
  uv_poll_t uv;
  std::function<void(unsigned)> on_ready;
  unsigned wanted = None;
  bool is_closed = false;

  void start();
  static void on_poll(uv_poll_t* handle, int status, int events) noexcept;
};

void Watch::Internal::start() {
  const int events = ((wanted & Readable) != 0 ? UV_READABLE : 0) | ((wanted & Writable) != 0 ? UV_WRITABLE : 0);
  if (events == 0) {
    uv_poll_stop(&uv);
  } else {
    uv_poll_start(&uv, events, &Internal::on_poll);
  }
}

void Watch::Internal::on_poll(uv_poll_t* handle, int status, int events) noexcept {
  auto* internal = static_cast<Internal*>(handle->data);
  if (status < 0) {
    // POLLERR: libuv has stopped watching. Whoever reads or writes now gets the error; until then it stays ready.
    internal->on_ready(internal->wanted);
    if (!internal->is_closed) internal->start();
    return;
  }
  internal->on_ready(((events & UV_READABLE) != 0 ? Readable : 0U) | ((events & UV_WRITABLE) != 0 ? Writable : 0U));
}

Watch::Watch(Loop& loop, int fd, std::function<void(unsigned)> on_ready) : internal_(new Internal{{}, std::move(on_ready)}) {
  [[maybe_unused]] const int failed = uv_poll_init(uv_of(loop), &internal_->uv, fd);
  assert(failed == 0);  // a regular file, a closed descriptor, or one that is watched already
  internal_->uv.data = internal_;
}

Watch::~Watch() {
  internal_->is_closed = true;
  close_and_free(internal_, &internal_->uv);
}

void Watch::want(unsigned interest) {
  if (interest == internal_->wanted) return;
  internal_->wanted = interest;
  internal_->start();
}

void Watch::hold_loop(bool hold) {
  if (hold) {
    uv_ref(as_handle(&internal_->uv));
  } else {
    uv_unref(as_handle(&internal_->uv));
  }
}

struct SignalWatch::Internal {
  uv_signal_t uv;
  std::function<void()> on_signal;
};

SignalWatch::SignalWatch(Loop& loop, int signal_number, std::function<void()> on_signal)
    : internal_(new Internal{{}, std::move(on_signal)}) {
  uv_signal_init(uv_of(loop), &internal_->uv);
  internal_->uv.data = internal_;
  const auto on_uv_signal = [](uv_signal_t* handle, int) noexcept { static_cast<Internal*>(handle->data)->on_signal(); };
  uv_signal_start(&internal_->uv, on_uv_signal, signal_number);
  uv_unref(as_handle(&internal_->uv));
}

SignalWatch::~SignalWatch() { close_and_free(internal_, &internal_->uv); }

void run_in_thread(Loop& loop, std::function<void()> work, std::function<void()> done) {
  struct Task {
    uv_work_t uv;
    std::function<void()> work, done;
  };
  auto task = std::make_unique<Task>(Task{{}, std::move(work), std::move(done)});
  task->uv.data = task.get();
  const auto in_thread = [](uv_work_t* uv) noexcept { static_cast<Task*>(uv->data)->work(); };
  const auto in_loop = [](uv_work_t* uv, int) noexcept {
    const std::unique_ptr<Task> ended(static_cast<Task*>(uv->data));
    if (!static_cast<Loop::Internal*>(uv->loop->data)->ends) ended->done();
  };
  uv_queue_work(uv_of(loop), &task->uv, in_thread, in_loop);
  (void)task.release();  // in_loop owns it now
}

}  // namespace net
