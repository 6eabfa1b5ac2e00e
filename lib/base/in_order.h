// The same work on many things in several threads, with the results in the order of the things.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <mutex>
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
  constexpr std::size_t kMostAtOnce = 16;  // since a meeting of threads costs as much as a little work
  constexpr std::size_t kGroupsAhead = 64;  // that wait for an earlier one
  if (threads <= 1 || count <= 1) {
    for (std::size_t i = 0; i < count; ++i)
      if (!take(work(i))) return;
    return;
  }
  // Each thread takes a group of neighbours; small ones where there is little, so that all have some.
  const std::size_t at_once = std::clamp<std::size_t>(count / (threads * 8), 1, kMostAtOnce);
  const std::size_t groups = (count + at_once - 1) / at_once;
  std::mutex mutex;
  std::condition_variable may_begin;
  std::vector<std::vector<Product>> waiting(std::min(groups, kGroupsAhead));  // empty: not there yet
  std::size_t next = 0, taken = 0;
  bool has_ended = false;
  const auto work_on = [&](std::size_t group) {
    std::vector<Product> products;
    products.reserve(at_once);
    for (std::size_t i = group * at_once; i < std::min(count, (group + 1) * at_once); ++i) products.push_back(work(i));
    return products;
  };
  const auto worker = [&] {
    std::unique_lock lock(mutex);
    for (;;) {
      may_begin.wait(lock, [&] { return has_ended || next == groups || next < taken + waiting.size(); });
      if (has_ended || next == groups) return;
      const std::size_t mine = next++;
      lock.unlock();
      auto products = work_on(mine);
      lock.lock();
      waiting[mine % waiting.size()] = std::move(products);
      if (mine != taken) continue;
      for (auto* first = &waiting[taken % waiting.size()]; !first->empty(); first = &waiting[taken % waiting.size()]) {
        for (auto& product : *first) has_ended = has_ended || !take(std::move(product));
        first->clear();
        ++taken;
      }
      may_begin.notify_all();
    }
  };
  std::vector<std::jthread> others;
  try {
    for (std::size_t i = 1; i < std::min(threads, groups); ++i) others.emplace_back(worker);
  } catch (const std::system_error&) {
    // No more threads to be had now: those that are there do it.
  }
  worker();
}

}  // namespace base
