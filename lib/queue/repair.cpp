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

  Result<std::vector<std::string>> run() {
    if (const auto done = remove_old_drafts(); !done) return std::unexpected(done.error());
    if (const auto done = remove_second_copies(); !done) return std::unexpected(done.error());
    if (const auto done = spool_->sync(); !done) return std::unexpected(done.error());
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
    std::vector<Place> large;
    for (const auto& place : spool_->places()) {
      if (is_large(spool_->folder_path(place))) {
        large.push_back(place);
      } else if (const auto listed = note_all(place); !listed) {
        return listed;
      }
    }
    for (auto& [id, place] : places_)
      for (const auto& other : large) place = keep_one_if_in_both(id, place, other);
    for (std::size_t i = 0; i < large.size(); ++i)
      for (std::size_t j = i + 1; j < large.size(); ++j)
        if (const auto compared = compare(large[i], large[j]); !compared) return compared;
    return {};
  }

  Result<void> note_all(const Place& place) {
    return spool_->list_names(place, [&](const Id& id) {
      const auto [seen, is_new] = places_.try_emplace(id, place);
      if (!is_new) seen->second = keep_one(id, seen->second, place);
      return true;
    });
  }

  Result<void> compare(const Place& one, const Place& other) {
    return spool_->list_names(one, [&](const Id& id) {
      keep_one_if_in_both(id, one, other);
      return true;
    });
  }

  Place keep_one_if_in_both(const Id& id, const Place& one, const Place& other) {
    return ::access(spool_->file_path(other, id).c_str(), F_OK) == 0 ? keep_one(id, one, other) : one;
  }

  Place keep_one(const Id& id, const Place& one, const Place& other) {
    const Place& stays = care(one) <= care(other) ? one : other;
    const Place& goes = care(one) <= care(other) ? other : one;
    const std::string path = spool_->file_path(goes, id), other_path = spool_->file_path(stays, id);
    if (::access(path.c_str(), F_OK) != 0 || ::access(other_path.c_str(), F_OK) != 0) return stays;  // moved while we looked
    const std::string names = goes.folder() + "/" + id.string() + " and " + stays.folder() + "/" + id.string();
    if (!are_same(path, other_path) && !are_of_one_message(id, goes, stays)) {
      said_.push_back(names + " are different messages of one id: left alone");
    } else if (::unlink(path.c_str()) == 0) {
      said_.push_back("removed the first of " + names + ": one message in two folders");
    }
    return stays;
  }

  // A crash came while rules replaced it: the one that they made is where it sends less. Or they have to run again.
  [[nodiscard]] bool are_of_one_message(const Id& id, const Place& one, const Place& other) const {
    const auto first = spool_->read(one, id), second = spool_->read(other, id);
    return first && second && first->item.arrived == second->item.arrived;
  }

  Spool* spool_;
  std::unordered_map<Id, Place> places_;
  std::vector<std::string> said_;
};

// The ids of progress/ that have no message now, and were not written since `before`.
Result<std::vector<Id>> lone_progress(const Spool& spool, base::WallTime before, const std::function<bool(const Id&)>& is_in_log) {
  std::vector<Id> lone;
  const auto has_message = [&](const Id& id) {
    if (::access(spool.file_path({State::Deferred, {}}, id).c_str(), F_OK) == 0) return true;  // where most are
    const auto found = spool.find(id);
    return !found || found->has_value();
  };
  const auto listed = for_each_name(spool.path() + "/progress", [&](const char* name) {
    const auto id = Id::parse(name);
    struct stat status;
    if (id && !has_message(*id) && !is_in_log(*id) && ::lstat(spool.progress_path(*id).c_str(), &status) == 0 && time_of(status.st_mtim) < before) lone.push_back(*id);
    return true;
  });
  if (!listed) return std::unexpected(listed.error());
  return lone;
}

}  // namespace

Result<std::vector<std::string>> Spool::repair() { return Repair(*this).run(); }

Result<std::vector<std::string>> Spool::remove_lone_progress(base::WallTime before, const std::function<bool(const Id&)>& is_in_log) const {
  const auto lone = lone_progress(*this, before, is_in_log);
  if (!lone) return std::unexpected(lone.error());
  std::vector<std::string> said;
  if (lone->empty()) return said;
  // A message may have been removed just now, and come back after a power cut: its record goes when that is durable.
  for (const auto& place : places())
    if (const auto synced = sync_folder(place); !synced) return std::unexpected(synced.error());
  for (const auto& id : *lone)
    if (::unlink(progress_path(id).c_str()) == 0) said.push_back("removed progress/" + id.string() + ": its message is gone");
  return said;
}

}  // namespace queue
