// The folders of the spool that queue-run serves: working/, deliver/, deferred/, delegated/. Tells what is in them, and by inotify
// what comes, goes and is touched, so that `mv hold/ID working/` and `touch deferred/ID` by hand are noticed at once.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "lib/net/loop.h"
#include "lib/queue/spool.h"

namespace run {

inline constexpr auto kServed = std::to_array<queue::State>({queue::State::Working, queue::State::Deliver, queue::State::Deferred, queue::State::Delegated});
[[nodiscard]] constexpr bool is_served(queue::State state) {
  for (const auto served : kServed)
    if (served == state) return true;
  return false;
}

class Folders {
 public:
  // A message file that is there; what was known of it may be told again. `is_listed`: it lay there, no event told of it.
  using OnFound = std::function<void(const queue::Entry&, bool is_listed)>;
  using OnGone = std::function<void(const queue::Place&, const queue::Id&)>;
  // Too much happened at once, and the kernel has dropped events: all is told of again. What was not told of between Begins and Ends is not there
  // any more; unless it Fails, when a folder cannot be read.
  enum class Review : std::uint8_t { Begins, Ends, Fails };
  using OnReview = std::function<void(Review)>;

  Folders(net::Loop& loop, const queue::Spool& spool, OnFound on_found, OnGone on_gone, OnReview on_review);
  ~Folders();

  // Watches the folders, then reads them in threads, piece by piece, since deferred/ may be large: their messages are told later.
  [[nodiscard]] base::Result<void> start();
  [[nodiscard]] bool is_reading() const { return reading_ > 0; }
  // Takes note of all that has happened until now.
  void look() { on_readable(); }
  // Stops waiting for changes, so that a loop can end.
  void stop();

  // Tells of all their messages once more.
  void read_all();

  // Logs what is not a message, once each.
  void report_foreign(const queue::Foreign& foreign);

 private:
  struct Listing;
  void review();
  void read_in_thread(const queue::Place& place);
  void read_on(const std::shared_ptr<Listing>& listing);
  void take_in(const std::shared_ptr<Listing>& listing);
  void on_readable();
  void on_event(queue::State state, const char* name);

  net::Loop& loop_;
  const queue::Spool& spool_;
  OnFound on_found_;
  OnGone on_gone_;
  OnReview on_review_;
  base::UniqueFd inotify_;
  std::array<int, kServed.size()> watched_{};
  std::optional<net::Watch> watch_;
  std::shared_ptr<Folders*> self_;  // for threads that may end later than this
  std::unordered_set<std::string> reported_;
  std::size_t reading_ = 0;
  bool is_review_ = false;          // what is read
  bool has_failed_ = false;
  bool must_review_again_ = false;  // when that has ended
};

}  // namespace run
