#include "smtpd/checker.h"

#include <utility>

#include "lib/base/clock.h"

namespace smtpd {

struct Checker::Piece {
  std::shared_ptr<const AuthenticationConfiguration> configuration;
  sasl::Question question;
  Done done;
  std::uint64_t deadline;  // of waiting in line
  std::atomic<bool> is_wanted{true};
  CheckAnswer answer{};

  void work() {
    if (!is_wanted) return;
    if (base::monotonic_milliseconds() < deadline) {
      answer = smtpd::check(*configuration, question);
    } else {
      answer = {CheckAnswer::Kind::Failed, {}, "waited too long for others"};
    }
  }
};

std::uint64_t Checker::check(std::shared_ptr<const AuthenticationConfiguration> configuration, sasl::Question question, Done done) {
  const auto deadline = base::monotonic_milliseconds() + static_cast<std::uint64_t>(configuration->check_timeout.count());
  auto piece = std::make_shared<Piece>(std::move(configuration), std::move(question), std::move(done), deadline);
  const auto handle = ++last_handle_;
  open_.emplace(handle, piece);
  workers_.give([piece] { piece->work(); },
                [this, handle, piece] {
                  open_.erase(handle);
                  if (piece->is_wanted) piece->done(std::move(piece->answer));
                });
  return handle;
}

void Checker::cancel(std::uint64_t handle) {
  const auto found = open_.find(handle);
  if (found == open_.end()) return;
  found->second->is_wanted = false;
  found->second->done = nullptr;
}

}  // namespace smtpd
