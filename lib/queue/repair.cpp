// What crashes leave behind, put right at the start of queue-run.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "lib/base/io.h"
#include "lib/queue/folders.h"
#include "lib/queue/spool.h"

namespace queue {
namespace {

using base::Result;

constexpr auto kDraftAge = std::chrono::hours(1);  // no store takes that long

// Of two copies the one stays that sends least: an operator's hold is never undone by a crash.
constexpr auto kMostCarefulFirst = std::to_array<State>(
    {State::Hold, State::Quarantine, State::Dead, State::Delegated, State::Deferred, State::Deliver, State::Working});
static_assert(kMostCarefulFirst.size() == kStates.size());

std::ptrdiff_t care(const Place& place) { return std::ranges::find(kMostCarefulFirst, place.state) - kMostCarefulFirst.begin(); }

bool are_same(const std::string& a, const std::string& b) {
  struct stat first, second;
  if (::lstat(a.c_str(), &first) != 0 || ::lstat(b.c_str(), &second) != 0) return false;
  if (first.st_dev == second.st_dev && first.st_ino == second.st_ino) return true;
  if (first.st_size != second.st_size) return false;
  const auto size = static_cast<std::uint64_t>(first.st_size);
  auto one = base::open_file(a, O_RDONLY), other = base::open_file(b, O_RDONLY);
  if (!one || !other) return false;
  const auto one_octets = base::Mapping::of(one->get(), 0, size), other_octets = base::Mapping::of(other->get(), 0, size);
  return one_octets && other_octets && one_octets->octets() == other_octets->octets();
}

class Repair {
 public:
  explicit Repair(Spool& spool) : spool_(&spool) {}

  Result<std::vector<std::string>> run(const std::function<bool(const Id&)>& is_in_log) {
    if (const auto done = remove_old_drafts(); !done) return std::unexpected(done.error());
    if (const auto done = remove_second_copies(); !done) return std::unexpected(done.error());
    if (const auto done = spool_->sync(); !done) return std::unexpected(done.error());
    if (const auto done = remove_lone_progress(is_in_log); !done) return std::unexpected(done.error());
    return std::move(said_);
  }

 private:
  Result<void> remove_old_drafts() {
    const std::string folder = spool_->path() + "/tmp";
    const auto limit = base::wall_now() - kDraftAge;
    return for_each_name(folder, [&](const char* name) {
      const std::string path = folder + "/" + name;
      struct stat status;
      // Only what is named like a draft of ours, and by the clock of the disk, since ids carry the clock of their maker.
      if (Id::parse(name) && ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
          std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec) < limit && ::unlink(path.c_str()) == 0)
        said_.push_back(std::string("removed tmp/") + name + ": a message that was never finished");
      return true;
    });
  }

  // As a rename leaves them on a file system that does it in two steps.
  Result<void> remove_second_copies() {
    for (const auto& place : spool_->places()) {
      const auto listed = spool_->list(place, [&](const Entry& entry) {
        const auto [seen, is_new] = places_.try_emplace(entry.id, entry.place);
        if (!is_new) seen->second = keep_one(entry.id, seen->second, entry.place);
        return true;
      });
      if (!listed) return listed;
    }
    return {};
  }

  Place keep_one(const Id& id, const Place& one, const Place& other) {
    const Place& stays = care(one) <= care(other) ? one : other;
    const Place& goes = care(one) <= care(other) ? other : one;
    const std::string path = spool_->file_path(goes, id), other_path = spool_->file_path(stays, id);
    if (::access(path.c_str(), F_OK) != 0 || ::access(other_path.c_str(), F_OK) != 0) return stays;  // moved while we looked
    const std::string names = goes.folder() + "/" + id.string() + " and " + stays.folder() + "/" + id.string();
    if (!are_same(path, other_path)) {
      said_.push_back(names + " are different messages of one id: left alone");
    } else if (::unlink(path.c_str()) == 0) {
      said_.push_back("removed the first of " + names + ": one message in two folders");
    }
    return stays;
  }

  Result<void> remove_lone_progress(const std::function<bool(const Id&)>& is_in_log) {
    const std::string folder = spool_->path() + "/progress";
    return for_each_name(folder, [&](const char* name) {
      const auto id = Id::parse(name);
      // A message that was stored since the listing has no progress yet: only queue-run writes it.
      if (id && !places_.contains(*id) && !is_in_log(*id) && ::unlink((folder + "/" + name).c_str()) == 0)
        said_.push_back(std::string("removed progress/") + name + ": its message is gone");
      return true;
    });
  }

  Spool* spool_;
  std::unordered_map<Id, Place> places_;
  std::vector<std::string> said_;
};

}  // namespace

Result<std::vector<std::string>> Spool::repair(const std::function<bool(const Id&)>& is_in_log) { return Repair(*this).run(is_in_log); }

}  // namespace queue
