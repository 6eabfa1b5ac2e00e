#include "queue-run/requests_many.h"

#include <algorithm>
#include <memory>

#include "lib/base/log.h"
#include "lib/queue/control.h"

namespace run {
namespace {

using Letter = queue::Control::Answer;

constexpr Milliseconds kPatience = 2000;

char letter(Letter answer) { return static_cast<char>(answer); }

Letter answer_of(const base::Result<void>& done) {
  if (done) return Letter::Done;
  return done.error().error_number == ENOENT ? Letter::Gone : Letter::NotDone;
}

class Many {
 public:
  Many(net::Loop& loop, Runner& runner, std::size_t count, std::function<void(base::Result<std::string>)> reply)
      : runner_(runner), letters_(count, letter(Letter::Waits)), open_(count), reply_(std::move(reply)), timer_(loop, [this] { end(); }) {
    timer_.start(kPatience);
  }

  void set(std::size_t which, Letter answer) {
    letters_[which] = letter(answer);
    if (--open_ == 0) end();
  }

 private:
  void end() {
    timer_.stop();
    const auto reply = std::exchange(reply_, nullptr);
    if (!reply) return;
    // One sync for all; nothing is told as done before.
    if (letters_.contains(letter(Letter::Done))) {
      if (const auto synced = runner_.sync(); !synced) {
        base::log::error("sync failed", {{"cause", synced.error().cause}});
        std::ranges::replace(letters_, letter(Letter::Done), letter(Letter::NotDone));
      }
    }
    reply(letters_);
  }

  Runner& runner_;
  std::string letters_;
  std::size_t open_;
  std::function<void(base::Result<std::string>)> reply_;
  net::Timer timer_;
};

}  // namespace

void change_each(net::Loop& loop, Runner& runner, std::span<const std::string> ids, const std::optional<queue::Place>& to,
                 std::function<void(base::Result<std::string>)> reply) {
  const auto many = std::make_shared<Many>(loop, runner, ids.size(), std::move(reply));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto id = queue::Id::parse(ids[i]);
    const auto answer = [many, i](const base::Result<void>& done) { many->set(i, answer_of(done)); };
    if (!id) {
      many->set(i, Letter::NotDone);
    } else {
      runner.change_unsynced(*id, to, answer);
    }
  }
}

}  // namespace run
