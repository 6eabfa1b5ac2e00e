// Keeps the catalog of deferred/ (lib/queue/catalog.h) beside the work of queue-run, in a thread of its own that has little priority. It
// is told what came, went and changed, reads these messages again when they have left the disk's way, and writes their rows.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "lib/queue/catalog_writer.h"
#include "lib/queue/spool.h"

namespace run {

class CatalogKeeper {
 public:
  explicit CatalogKeeper(const queue::Spool& spool) : spool_(spool) {}  // borrowed
  ~CatalogKeeper();

  void start();
  void lies(const queue::Id& id, base::WallTime modified);  // in deferred/ when it was read: its row may be right already
  void changed(const queue::Id& id);                        // it came, or was tried
  void gone(const queue::Id& id);
  void all_lie();  // no more lies(): rows of others are of messages that have gone

  // What the catalog does not tell as it is; nothing: it is not ready, or these are more than `most`.
  [[nodiscard]] std::optional<std::vector<queue::Id>> pending(std::size_t most);
  [[nodiscard]] bool is_ready();

  // Writes what is left, unless that is much. `folder_time`: of deferred/ before the last news of it.
  void stop(std::optional<base::WallTime> folder_time);

 private:
  struct News {
    enum class Kind : std::uint8_t { Lies, Changed, Gone, AllLie };
    Kind kind;
    queue::Id id;
    base::WallTime modified = {};
  };
  void tell(const News& news);
  void work();
  [[nodiscard]] base::Result<void> open();
  [[nodiscard]] base::Result<void> read_known(queue::Catalog& catalog);
  [[nodiscard]] base::Result<void> take(const News& news);
  [[nodiscard]] base::Result<void> take_all(const std::deque<News>& some, std::size_t& done);
  [[nodiscard]] base::Result<void> forget_unseen();
  [[nodiscard]] base::Result<void> tidy();
  bool wait_for_news(std::deque<News>& some);
  void end();

  const queue::Spool& spool_;
  std::thread thread_;

  std::mutex mutex_;  // of what stands here
  std::condition_variable has_news_;
  std::deque<News> news_;
  std::deque<News> under_way_;
  bool is_ready_ = false;
  bool is_stopping_ = false;
  std::optional<base::WallTime> folder_time_;

  // The thread's.
  struct Known {
    queue::Id id;
    base::WallTime modified;
    bool lies = false;
  };
  std::vector<Known> known_;  // by id, until all_lie()
  std::optional<queue::CatalogWriter> writer_;
  std::uint64_t tidy_above_ = 0;
  bool has_all_ = false;  // that lay in deferred/ at the start
  bool has_failed_ = false;
};

}  // namespace run
