// Checks of passwords, in threads: hashes take their time, programs too.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "lib/net/loop.h"
#include "lib/net/workers.h"
#include "smtpd/authentication.h"

namespace smtpd {

class Checker {
 public:
  // `most`: checks at once; more wait in line, no longer than a check may take.
  Checker(net::Loop& loop, std::size_t most) : workers_(loop, most) {}

  using Done = std::function<void(CheckAnswer)>;
  // `done` is called later from the loop, never from inside check().
  std::uint64_t check(std::shared_ptr<const AuthenticationConfiguration> configuration, sasl::Question question, Done done);
  // Nobody waits for it any more; one that has not begun never does.
  void cancel(std::uint64_t handle);

 private:
  struct Piece;
  std::map<std::uint64_t, std::shared_ptr<Piece>> open_;
  std::uint64_t last_handle_ = 0;
  net::Workers workers_;  // the first to go: its threads hold pieces
};

}  // namespace smtpd
