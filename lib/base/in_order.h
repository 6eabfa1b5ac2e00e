// The same work on many things in several threads, with the results in the order of the things.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace base {

// Calls `work(i)` for 0 <= i < count in up to `threads` threads, this one among them, and `take(result)` with what it returned, one at a
// time and in the order of i, in any of them. When take() says false no more work is begun. No exceptions.
template <class Work, class Take>
void for_each_in_order(std::size_t count, std::size_t threads, const Work& work, const Take& take) {
  using Product = decltype(work(std::size_t{}));
  constexpr std::size_t kAhead = 1024;  // results that wait for an earlier one
  if (threads <= 1 || count <= 1) {
    for (std::size_t i = 0; i < count; ++i)
      if (!take(work(i))) return;
    return;
  }
  std::mutex mutex;
  std::condition_variable may_begin;
  std::vector<std::optional<Product>> waiting(std::min(count, kAhead));
  std::size_t next = 0, taken = 0;
  bool has_ended = false;
  const auto worker = [&] {
    std::unique_lock lock(mutex);
    for (;;) {
      may_begin.wait(lock, [&] { return has_ended || next == count || next < taken + waiting.size(); });
      if (has_ended || next == count) return;
      const std::size_t mine = next++;
      lock.unlock();
      auto product = work(mine);
      lock.lock();
      waiting[mine % waiting.size()] = std::move(product);
      if (mine != taken) continue;
      for (auto* first = &waiting[taken % waiting.size()]; first->has_value(); first = &waiting[taken % waiting.size()]) {
        auto product_of_first = *std::exchange(*first, std::nullopt);
        ++taken;
        if (!has_ended) has_ended = !take(std::move(product_of_first));
      }
      may_begin.notify_all();
    }
  };
  std::vector<std::jthread> others;
  try {
    for (std::size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(worker);
  } catch (const std::system_error&) {
    // No more threads to be had now: those that are there do it.
  }
  worker();
}

}  // namespace base
