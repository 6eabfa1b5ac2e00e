// Work on many messages at once: the system calls for several files overlap in threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace queue {

inline constexpr std::size_t kShare = 128;  // messages that a thread takes at a time

// Calls `work(i)` for 0 <= i < count, in several threads when there are many: at most `threads`, each of which takes `share` at a time.
template <class Work>
void share_out(std::size_t count, const Work& work, std::size_t share = kShare, std::size_t threads = std::min(4U, std::thread::hardware_concurrency())) {
  std::atomic<std::size_t> next{0};
  const auto take_shares = [&] {
    for (;;) {
      const std::size_t begin = next.fetch_add(share);
      if (begin >= count) return;
      for (std::size_t i = begin; i < std::min(begin + share, count); ++i) work(i);
    }
  };
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < std::min(count / share, threads); ++i) helpers.emplace_back(take_shares);
  take_shares();
}

}  // namespace queue
