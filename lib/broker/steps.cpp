#include "lib/broker/steps.h"

#include <algorithm>
#include <cerrno>
#include <thread>

namespace broker {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLook{20};  // between two looks whether it is our turn

std::string turn_of(const Queues& queues) { return queues.of({queue::State::Working, {}}) + ".making"; }

// `asks` says whether it goes on.
template <class Asks>
Result<void> wait_until(const milliseconds patience, Asks asks) {
  const auto until = Clock::now() + patience;
  while (true) {
    const Result<bool> goes_on = asks();
    if (!goes_on) return std::unexpected(goes_on.error());
    if (*goes_on) return {};
    if (Clock::now() >= until) return std::unexpected(Error{Fault::Temporary, "others make the queues of this spool, and do not come to an end", ETIMEDOUT});
    std::this_thread::sleep_for(kLook);
  }
}

// A queue after the one that its messages may go to on their own.
Result<void> declare(Connection& connection, const Queues& queues, const std::string& name) {
  const auto spec = queues.spec(name);
  if (!spec.dead_letter_queue.empty())
    if (const auto declared = declare(connection, queues, spec.dead_letter_queue); !declared) return declared;
  return connection.declare(spec);
}

Result<void> make_all(Connection& connection, const Making& making, const std::string& name) {
  auto names = making.queues.all_known();
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  bool is_new = false;
  for (const auto& one : names) {
    const auto there = connection.count(one);
    if (!there) return base::fail_within("queue " + one, there.error());
    if (*there) continue;
    if (const auto declared = declare(connection, making.queues, one); !declared) return declared;
    is_new = true;
  }
  if (is_new) std::this_thread::sleep_for(making.settling);
  return {};
}

class Confirmation : public Listener {
 public:
  std::optional<Result<void>> result;

  // What was returned is confirmed too, afterwards.
  void on_confirmed(std::uint64_t, bool, bool is_safe) override {
    if (!result) result = is_safe ? Result<void>() : base::fail(Fault::Temporary, "the broker refused the message");
  }
  void on_returned(std::uint64_t, std::string why) override { result = base::fail(Fault::Temporary, std::move(why)); }
  void on_arrived(Incoming) override {}
  void on_blocked(std::string why) override { result = std::unexpected(Error{Fault::Temporary, std::move(why), ENOSPC}); }
};

}  // namespace

Result<void> ready_queue(Connection& connection, const Making& making, const std::string& name) {
  const auto there = connection.count(name);
  if (!there) return base::fail_within("queue " + name, there.error());
  const auto turn = turn_of(making.queues);
  const auto patience = making.settling + connection.timeout();
  if (*there) {
    // Whoever made it has his turn until it has settled.
    const auto free = wait_until(patience, [&]() -> Result<bool> {
      auto taken = connection.is_anyones_turn(turn);
      if (taken) *taken = !*taken;
      return taken;
    });
    return free ? declare(connection, making.queues, name) : free;
  }
  if (const auto ours = wait_until(patience, [&] { return connection.take_turn(turn); }); !ours) return ours;
  const auto made = make_all(connection, making, name);
  const auto ended = connection.end_turn(turn);
  return made ? ended : made;
}

Result<void> publish_and_wait(Connection& connection, const std::string& queue, const Parcel& parcel, std::chrono::milliseconds patience) {
  const auto published = connection.publish(queue, parcel);
  if (!published) return std::unexpected(published.error());
  Confirmation confirmation;
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!confirmation.result) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::unexpected(Error{Fault::Temporary, "the broker did not confirm the message in time", ETIMEDOUT});
    if (const auto pumped = connection.pump(left, confirmation); !pumped) return pumped;
  }
  return *confirmation.result;
}

}  // namespace broker
