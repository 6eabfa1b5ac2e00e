// Stores the new texts of messages that rules have made, in threads, many with shared syncs. Tried until it works.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "lib/net/loop.h"
#include "lib/queue/log_reader.h"
#include "lib/queue/replacement.h"
#include "queue-run/schedule.h"

namespace run {

class Replacer {
 public:
  Replacer(net::Loop& loop, queue::Spool& spool, queue::LogReader& log);
  ~Replacer();

  // `done` is called from the loop: the message is where its replacement says, or (false) its file was moved or removed by somebody,
  // and nothing was stored.
  using Done = std::function<void(bool is_stored)>;
  void replace(queue::Replacement replacement, Done done);
  void flush(Milliseconds now);
  [[nodiscard]] Milliseconds wakes_at() const { return retry_at_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_; }

 private:
  struct Request {
    queue::Replacement replacement;
    Done done;
  };
  struct Job;
  void start();
  void on_end(Job& job);
  void end_in_log(const Job& job);

  net::Loop& loop_;
  queue::Spool& spool_;
  queue::LogReader& log_;
  std::vector<Request> requests_;
  std::size_t waiting_ = 0;  // requests that are not done
  std::size_t jobs_ = 0;     // in threads
  Milliseconds retry_at_ = kNever;
  std::shared_ptr<Replacer*> self_;  // for threads that may end later than this
};

}  // namespace run
