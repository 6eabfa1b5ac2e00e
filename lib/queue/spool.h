// The spool as a directory (vsmtp-spool(5)): one file a message, its folder is its state.
//
//   working/ deliver/ deferred/ delegated/ hold/ dead/ quarantine/NAME/    messages; file name = id
//   progress/   what happened to them: one append-only text file a message, of the same name
//   tmp/        files being written; nothing in it counts
//   log/        messages of the last seconds (log_writer.h, log_reader.h)
//   lock/       queue-run, queue-inject: one of each a spool
//
// Invariants:
//   - working/ID and its brothers exist => the file is whole and was durable before it got that name;
//   - a message file never changes; to move is one rename(2). So an operator's `mv hold/ID working/` is right, and the
//     progress file need not follow, since it never moves;
//   - progress/ID goes only after the removal of the message is durable: a message that comes back after a power cut
//     comes with the record of what was done to it.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/blob.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/base/unique_fd.h"
#include "lib/queue/id.h"
#include "lib/queue/item.h"
#include "lib/queue/place.h"
#include "lib/queue/progress.h"

namespace queue {

// A message file as a listing shows it, without a read.
struct Entry {
  Id id;
  Place place;
  std::uint64_t file_octets = 0;
  base::WallTime arrived;   // from the id
  base::WallTime modified;  // of State::Deferred: time of the next attempt
  base::WallTime changed = {};  // when that was set, or the file was moved here
};

// Something in a folder that is not a message: reported, never delivered, never touched.
struct Foreign {
  std::string path;  // relative to the spool
  std::string why;
};

// A message file that was opened.
struct StoredItem {
  Item item;
  base::Blob message;  // a window of the file. A lock taken with it lasts as long as a copy of this Blob.
  Place place;
};

class Spool {
 public:
  // `where` is PATH or dir:PATH. Fault::Config when it is no spool (a missing folder is named); never makes one: on a
  // disk that is not mounted, mail must wait, not land below the mount point.
  [[nodiscard]] static base::Result<Spool> open(std::string_view where);
  // Makes the folders that are missing (mode 0700), durably. For installers, `queue-inject --make-spool`, and tests.
  [[nodiscard]] static base::Result<Spool> create(std::string_view where);
  Spool(Spool&&) noexcept = default;
  Spool& operator=(Spool&&) noexcept = default;

  // Absolute or relative as given to open(), for messages and inotify.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string folder_path(const Place& place) const;
  [[nodiscard]] std::string file_path(const Place& place, const Id& id) const;
  [[nodiscard]] std::string progress_path(const Id& id) const;

  // lock/NAME ("queue-run", "queue-inject"), held until the descriptor is closed or the process ends.
  // Fault::Temporary with error_number EWOULDBLOCK and the pid of the holder in the cause when another has it.
  [[nodiscard]] base::Result<base::UniqueFd> lock(std::string_view name) const;
  [[nodiscard]] bool is_locked(std::string_view name) const;

  // ---- looking --------------------------------------------------------------------------------------------------

  [[nodiscard]] std::vector<Place> places() const;  // all states; for quarantine, the names that have a folder now
  // Calls `on_entry` for each message in `place`, in no order, until it returns false. What is not a message goes to
  // `foreign` when given. Files may come and go meanwhile.
  [[nodiscard]] base::Result<void> list(const Place& place, const std::function<bool(const Entry&)>& on_entry,
                                        std::vector<Foreign>* foreign = nullptr) const;
  // The ids alone, in a tenth of the time: the files are not looked at.
  [[nodiscard]] base::Result<void> list_names(const Place& place, const std::function<bool(const Id&)>& on_name) const;
  [[nodiscard]] base::Result<std::optional<Entry>> find(const Id& id) const;
  // Opens and parses. error_number ENOENT: not (any more) there. Fault::Permanent: not an item, or half-written.
  [[nodiscard]] base::Result<StoredItem> read(const Place& place, const Id& id) const;
  // The same with flock(2) held on the file, for whoever delivers, moves or removes it (queue-run, qctl).
  // error_number EWOULDBLOCK: somebody else is at it.
  [[nodiscard]] base::Result<StoredItem> take(const Place& place, const Id& id) const;

  // ---- changing -------------------------------------------------------------------------------------------------

  // A new message, durable on return. Draft is the same in steps.
  [[nodiscard]] base::Result<void> store(const Item& item, const base::Blob& message, const Place& place) const;
  // rename(2); makes the quarantine's folder. error_number ENOENT: not there (moved by hand?), EEXIST: `to` has one of
  // that id. `modified` becomes the modification time: the next attempt when `to` is Deferred. Durable after sync();
  // losing it in a power cut is harmless, the message is then still in its old state.
  [[nodiscard]] base::Result<void> move(const Id& id, const Place& from, const Place& to,
                                        std::optional<base::WallTime> modified = std::nullopt);
  // Sets the modification time: the next attempt of a deferred message. Like touch(1).
  [[nodiscard]] base::Result<void> set_modified(const Id& id, const Place& place, base::WallTime modified);
  // Forgets a message. Its progress file goes in the next sync().
  [[nodiscard]] base::Result<void> remove(const Id& id, const Place& place);
  // The system calls of move() and remove() alone, for several threads at once (bulk.h), which then say what sync() has to do.
  [[nodiscard]] base::Result<void> rename(const Id& id, const Place& from, const Place& to) const;
  [[nodiscard]] base::Result<void> unlink(const Id& id, const Place& place) const;

  // Appends to progress/ID. Durable on return if an event must last; others may be lost in a power cut, and then
  // an attempt is made too early, or a note is missing.
  [[nodiscard]] base::Result<void> append_progress(const Id& id, std::span<const Event> events);
  // The same without a sync, for whoever shares syncs: the file, whose entry in progress/ may be new.
  [[nodiscard]] base::Result<base::UniqueFd> write_progress(const Id& id, std::span<const Event> events) const;
  // A Note about the whole message. Not synced: nothing depends on it, and a bulk change writes thousands.
  void remark(const Id& id, std::string text);
  [[nodiscard]] base::Result<std::vector<Event>> read_progress(const Id& id) const;  // none when there is no file

  // Makes moves and removals so far durable, with one fsync a folder that changed. queue-run calls it every 100 ms when
  // something changed, qctl at its end.
  [[nodiscard]] base::Result<void> sync();
  // A folder was changed by other means: a message came (Draft), or left.
  void must_sync(const Place& place) { changed_.insert(folder_path(place)); }
  void must_sync_leave(const Place& place) { left_.insert(folder_path(place)); }
  // A message was removed by unlink().
  void must_forget_progress(const Id& id) { progress_to_remove_.push_back(id); }
  [[nodiscard]] base::Result<void> sync_folder(const Place& place) const;
  [[nodiscard]] bool needs_sync() const { return !changed_.empty() || !left_.empty() || !progress_to_remove_.empty(); }

  // What crashes leave behind, for the start of queue-run (which holds its lock): drafts in tmp/ older than an hour are
  // removed; of a message in two folders the one in the more careful state stays. Says what it did, a line each.
  // Large folders are not read, so that new mail need not wait for a million old messages.
  [[nodiscard]] base::Result<std::vector<std::string>> repair();
  // Progress files without a message that are older than `before`, a time of the spool's disk, are removed. This may take a
  // while and may be done in a thread, beside the work of queue-run. A message that lives in the log keeps its progress
  // file. Says what it did.
  [[nodiscard]] base::Result<std::vector<std::string>> remove_lone_progress(base::WallTime before, const std::function<bool(const Id&)>& is_in_log) const;

 private:
  explicit Spool(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] base::Result<StoredItem> open_item(const Place& place, const Id& id, bool locked) const;

  std::string path_;
  std::set<std::string> changed_;  // folders to which messages came, and that is not durable yet
  std::set<std::string> left_;     // folders that they left; synced later: where there is no journal, none may be in neither
  std::vector<Id> progress_to_remove_;
};

// A message on its way into the spool: a file in tmp/. Removed when destroyed before publish(). The steps of a store,
// for callers that answer each failure with its own exit code or that share syncs between many.
class Draft {
 public:
  [[nodiscard]] static base::Result<Draft> begin(const Spool& spool, const Id& id);
  Draft(Draft&& other) noexcept;
  Draft& operator=(Draft&& other) noexcept;
  ~Draft();

  [[nodiscard]] base::Result<void> write(const Item& item, const base::Blob& message);
  // Octets that are an item already (of a log record).
  [[nodiscard]] base::Result<void> write(const base::Blob& item);
  void start_writing() const;                // asks the kernel to begin, so that syncs of several files overlap
  [[nodiscard]] base::Result<void> sync();   // fsync(2). A failure is final: the draft is lost
  // Gives it its name. The entry is durable after a sync of the folder: Spool::sync() once must_sync() was called, or
  // sync_folder(). error_number EEXIST: the place has a message of that id.
  [[nodiscard]] base::Result<void> publish(const Spool& spool, const Place& place, std::optional<base::WallTime> modified = std::nullopt);
  // The same in the place of the file that has this name there.
  [[nodiscard]] base::Result<void> publish_over(const Spool& spool, const Place& place, std::optional<base::WallTime> modified = std::nullopt);
  // Best effort to take it back, when the sync of the folder failed: the caller will say that it was not stored.
  void unpublish();

 private:
  [[nodiscard]] base::Result<void> give_name(const Spool& spool, const Place& place, std::optional<base::WallTime> modified, bool replaces);
  Draft(std::string path, Id id, base::UniqueFd file) : path_(std::move(path)), id_(id), file_(std::move(file)) {}
  std::string path_;  // of the file now; "" when this draft is over
  bool is_published_ = false;
  Id id_;
  base::UniqueFd file_;
};

}  // namespace queue
