// Reads the messages of a folder, many at a time, for View::visit(). A million of them take seconds, not a minute: what nobody
// wants is let go as early as can be, and the system calls of several files overlap in threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "lib/base/unique_fd.h"
#include "lib/queue/folder_reader.h"
#include "lib/queue/view.h"

namespace queue {

// Calls `work(i)` for 0 <= i < count, in several threads when there are many.
template <class Work>
void share_out(std::size_t count, const Work& work) {
  constexpr std::size_t kShare = 128;  // that a thread takes at a time
  constexpr std::size_t kThreads = 4;  // at most
  std::atomic<std::size_t> next{0};
  const auto take_shares = [&] {
    for (;;) {
      const std::size_t begin = next.fetch_add(kShare);
      if (begin >= count) return;
      for (std::size_t i = begin; i < std::min(begin + kShare, count); ++i) work(i);
    }
  };
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < std::min({count / kShare, kThreads, static_cast<std::size_t>(std::thread::hardware_concurrency())}); ++i) helpers.emplace_back(take_shares);
  take_shares();
}

class FolderVisit {
 public:
  // All are borrowed.
  FolderVisit(const Spool& spool, const Place& place, const Visitor& visitor, std::vector<Foreign>* foreign)
      : spool_(spool), place_(place), visitor_(visitor), foreign_(foreign) {}
  [[nodiscard]] base::Result<void> run();
  // Of the folder only these, of which some may be gone.
  [[nodiscard]] base::Result<void> run_over(std::span<const Id> ids);

 private:
  // What became of a name.
  struct Look {
    std::optional<Seen> seen;
    std::string why_foreign;
  };
  [[nodiscard]] base::Result<void> open_progress();
  // false: no more are wanted.
  [[nodiscard]] bool hand_out(const std::vector<FolderReader::Name>& names);
  [[nodiscard]] Look look_at(const Id& id) const;
  [[nodiscard]] base::Result<std::optional<Seen>> read(const Id& id) const;

  const Spool& spool_;
  const Place& place_;
  const Visitor& visitor_;
  std::vector<Foreign>* foreign_;
  int folder_ = -1;
  base::UniqueFd progress_;
};

}  // namespace queue
