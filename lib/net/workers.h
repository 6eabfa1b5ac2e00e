// Threads for work that seldom waits: usually one a processor is at work, taking one piece after the other without being woken for
// each; while all of them wait for something, more are let in.
//
// run_in_thread() wakes another thread of its pool for each piece, which costs more than a short piece does.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "lib/base/unique_fd.h"
#include "lib/net/loop.h"

namespace net {

class Workers {
 public:
  // `most`: pieces that may wait together.
  Workers(Loop& loop, std::size_t most);
  // Waits for the pieces that are under way; no `done` is called any more.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // `work` runs in a thread, then `done` in the loop's, which goes on until then. Neither throws. Call it from the loop's thread.
  void give(std::function<void()> work, std::function<void()> done);

 private:
  struct Piece {
    std::function<void()> work, done;
  };
  struct Worker {
    std::condition_variable wake;
    bool is_called = false;
    std::thread thread;
  };

  void call_one();  // with the lock
  void work(Worker& self);
  void tell_loop();
  void take_ended();
  void look_after();

  const std::size_t most_, at_work_usually_;
  std::mutex mutex_;
  std::deque<Piece> waiting_;
  std::vector<Piece> ended_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;  // the last one to stop is the first one to be called: its memory is still in the cache
  std::size_t at_work_ = 0;
  std::uint64_t begun_ = 0, begun_before_ = 0;
  bool ends_ = false;

  std::size_t open_ = 0;  // pieces whose done() was not called
  base::UniqueFd bell_;  // eventfd: something has ended
  Watch on_bell_;
  Timer timer_;  // while something waits
  bool is_timed_ = false;
};

}  // namespace net
