#include "lib/queue/bulk.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "lib/base/io.h"
#include "lib/queue/bulk_notes.h"
#include "lib/queue/folders.h"
#include "lib/queue/share_out.h"

namespace queue {
namespace {

using base::Result;

// Renames of a file system come one after the other, so few threads; removals wait for the disk, where blocks are discarded at once.
constexpr std::size_t kMovers = 4, kRemovers = 16;

// Those whose time is that of the next attempt.
bool waits_for_time(State state) { return state == State::Deferred || state == State::Delegated; }

// Names are looked up in open folders: a path of nine parts costs as much as the change.
class Changer {
 public:
  Changer(const Spool& spool, const Place& from, const BulkChange& change) : spool_(spool), from_(from), change_(change) {}

  Result<void> open() {
    if (change_.kind == BulkChange::Kind::Move)
      if (const auto made = make_folder_of(spool_, change_.to); !made) return made;
    auto from = base::open_file(spool_.folder_path(from_), O_RDONLY | O_DIRECTORY);
    if (!from) return std::unexpected(from.error());
    from_folder_ = std::move(*from);
    if (change_.kind != BulkChange::Kind::Move) return {};
    auto to = base::open_file(spool_.folder_path(change_.to), O_RDONLY | O_DIRECTORY);
    if (!to) return std::unexpected(to.error());
    to_folder_ = std::move(*to);
    return {};
  }

  // By several threads.
  Result<void> carry_out(const Id& id) const {
    const std::string name = id.string();
    if (change_.kind == BulkChange::Kind::Touch) return touch(name);
    const auto file = take(name);
    if (!file) return std::unexpected(file.error());
    return change_.kind == BulkChange::Kind::Remove ? remove(name) : move(id, name, file->get());
  }

 private:
  [[nodiscard]] std::string path(const std::string& name) const { return spool_.folder_path(from_) + "/" + name; }
  [[nodiscard]] std::array<timespec, 2> times() const { return {timespec{0, UTIME_NOW}, to_timespec(change_.time)}; }

  // As take_unread(). What cannot be read as an item may be moved and removed as well: nobody delivers it. One that has lost its name while we
  // waited is not there any more; one that has another name now, rename(2) and unlink(2) do not find.
  [[nodiscard]] Result<base::UniqueFd> take(const std::string& name) const {
    base::UniqueFd file(::openat(from_folder_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file.is_open()) return base::fail_errno("open " + path(name));
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return base::fail_errno("lock " + path(name));
    struct stat status;
    if (::fstat(file.get(), &status) != 0) return base::fail_errno("look at " + path(name));
    if (status.st_nlink > 0) return file;
    errno = ENOENT;
    return base::fail_errno("lock " + path(name));
  }

  [[nodiscard]] Result<void> touch(const std::string& name) const {
    return ::utimensat(from_folder_.get(), name.c_str(), times().data(), AT_SYMLINK_NOFOLLOW) == 0 ? Result<void>() : base::fail_errno("set time of " + path(name));
  }

  [[nodiscard]] Result<void> remove(const std::string& name) const {
    return ::unlinkat(from_folder_.get(), name.c_str(), 0) == 0 ? Result<void>() : base::fail_errno("remove " + path(name));
  }

  // Its time is set where no queue-run is woken by that: before it comes to where it waits for a time, or after it has left there.
  [[nodiscard]] Result<void> move(const Id& id, const std::string& name, int file) const {
    if (waits_for_time(change_.to.state) && ::futimens(file, times().data()) != 0) return base::fail_errno("set time of " + path(name));
    if (const auto renamed = rename(id, name); !renamed) return renamed;
    if (waits_for_time(from_.state) && !waits_for_time(change_.to.state)) (void)::futimens(file, times().data());  // nothing depends on it there
    return {};
  }

  [[nodiscard]] Result<void> rename(const Id& id, const std::string& name) const {
    if (::renameat2(from_folder_.get(), name.c_str(), to_folder_.get(), name.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno == EINVAL) return spool_.rename(id, from_, change_.to);  // a file system that cannot do that
    return base::fail_errno("rename " + path(name) + " to " + spool_.file_path(change_.to, id));
  }

  const Spool& spool_;
  const Place& from_;
  const BulkChange& change_;
  base::UniqueFd from_folder_, to_folder_;
};

}  // namespace

std::vector<Result<void>> change_many(Spool& spool, const Place& from, std::span<const Id> ids, const BulkChange& change) {
  Changer changer(spool, from, change);
  if (const auto opened = changer.open(); !opened) return {ids.size(), opened};
  std::vector<Result<void>> results(ids.size());
  const bool removes = change.kind == BulkChange::Kind::Remove;
  share_out(ids.size(), [&](std::size_t i) { results[i] = changer.carry_out(ids[i]); }, kShare / 4, removes ? kRemovers : kMovers);
  if (change.kind != BulkChange::Kind::Touch) spool.must_sync_leave(from);
  if (change.kind == BulkChange::Kind::Move) spool.must_sync(change.to);
  std::vector<Id> done;
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (results[i]) done.push_back(ids[i]);
  if (removes)
    for (const auto& id : done) spool.must_forget_progress(id);
  const Event note{.kind = EventKind::Note, .recipient = {}, .destination = {}, .address = {}, .text = change.note};
  if (!change.note.empty()) (void)note_bulk(spool, done, note);  // no more than a remark
  return results;
}

}  // namespace queue
