// Stores notifications as messages of the spool, so that each is there once, whatever is killed when:
//
//   1. progress/ of the message they are about says under which ids they will be stored     (durable)
//   2. they are stored in working/                                                          (durable)
//   3. progress/ says that they are stored                                                  (durable)
//
// Who finds 1 without 3 looks whether the file is there (notice_history()). It cannot have been delivered and removed before,
// since whoever takes it up for its delivery writes 3 first (acknowledge()).
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "lib/net/loop.h"
#include "lib/queue/spool.h"
#include "queue-run/notice.h"
#include "queue-run/schedule.h"

namespace run {

class Notifier {
 public:
  // `settings` is borrowed.
  Notifier(net::Loop& loop, queue::Spool& spool, const NoticeSettings& settings);
  ~Notifier();

  // The notices get their ids here. `done` is called from the loop when they are stored, which is tried until it works.
  using Done = std::function<void(const std::vector<Notice>&)>;
  void store(Subject subject, std::vector<Notice> notices, Done done);
  void flush(Milliseconds now);
  [[nodiscard]] Milliseconds wakes_at() const { return retry_at_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_; }

 private:
  struct Request;
  struct Job;
  void start();
  void on_end(Job& job);

  net::Loop& loop_;
  queue::Spool& spool_;
  const NoticeSettings& settings_;
  std::deque<std::shared_ptr<Request>> requests_;
  std::size_t waiting_ = 0;  // requests that are not done
  std::size_t jobs_ = 0;     // in threads
  Milliseconds retry_at_ = kNever;
  std::shared_ptr<Notifier*> self_;  // for threads that may end later than this
};

// Of a message that is itself a notice and lies in `place`, before its delivery: what is missing of steps 2 and 3.
[[nodiscard]] base::Result<void> acknowledge(queue::Spool& spool, const queue::Place& place, const queue::Id& notice, const queue::Id& of);

}  // namespace run
