#include "qctl/examination.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "lib/queue/bulk_notes.h"
#include "lib/queue/log_check.h"
#include "lib/queue/view.h"
#include "qctl/look.h"

namespace qctl {
namespace {
using Kind = Finding::Kind;
constexpr std::chrono::seconds kDraftAge = std::chrono::hours(1);       // younger ones are being written
constexpr std::chrono::seconds kProgressAge = std::chrono::minutes(1);  // younger ones may wait for a sync

// What the spool has beside the queues' folders; sockets may be there too.
constexpr auto kOwnNames = std::to_array<std::string_view>({"tmp", "log", "lock", "progress", "quarantine", kDamagedFolder, kForeignFolder, "lost+found",
                                                               "catalog.rows", "catalog.texts", "catalog.rows.new", "catalog.texts.new",
                                                               queue::kBulkNotes, queue::kOldBulkNotes});

struct LogKind {
  queue::LogFinding::Kind log;
  Kind kind;
};
constexpr auto kLogKinds = std::to_array<LogKind>({
    {queue::LogFinding::Kind::LostHeader, Kind::LostHeader},
    {queue::LogFinding::Kind::NoSegment, Kind::LogDamage},
    {queue::LogFinding::Kind::Damage, Kind::LogDamage},
    {queue::LogFinding::Kind::LoneJournal, Kind::LoneJournal},
    {queue::LogFinding::Kind::OldDraft, Kind::OldSegment},
    {queue::LogFinding::Kind::Foreign, Kind::Foreign},
});

struct Found {
  std::string name;
  struct stat status;
};

// All in a folder but . and ..; what leaves meanwhile is left out.
base::Result<std::vector<Found>> entries_of(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  if (!directory) return base::fail_errno("open " + path);
  std::vector<Found> entries;
  for (const dirent* entry = ::readdir(directory.get()); entry != nullptr; entry = ::readdir(directory.get())) {
    Found found{entry->d_name, {}};
    if (found.name == "." || found.name == "..") continue;
    if (::fstatat(::dirfd(directory.get()), entry->d_name, &found.status, AT_SYMLINK_NOFOLLOW) == 0) entries.push_back(std::move(found));
  }
  return entries;
}

std::chrono::seconds age_of(const Found& found, base::WallTime now) {
  return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()) - std::chrono::seconds(found.status.st_mtim.tv_sec);
}

class Examiner {
 public:
  Examiner(const queue::Spool& spool, base::WallTime now) : spool_(spool), now_(now) {}

  base::Result<Examination> run() {
    for (const auto step : {&Examiner::messages, &Examiner::two_places, &Examiner::log, &Examiner::drafts, &Examiner::orphans, &Examiner::strangers}) {
      const auto done = (this->*step)();
      if (!done) return std::unexpected(done.error());
    }
    result_.messages = seen_.size();
    std::ranges::stable_sort(result_.findings, {}, &Finding::path);
    return std::move(result_);
  }

 private:
  struct Seen {
    queue::Id id;
    queue::Place place;
    bool is_in_log;
  };

  base::Result<void> messages() {
    const queue::Visitor visitor{.on_seen = [&](const queue::Seen& seen) { return seen_.push_back({seen.item.id, seen.place, seen.is_in_log}), true; }};
    std::vector<queue::Foreign> foreign;
    for (const auto& place : spool_.places()) {
      const auto visited = queue::View(spool_).visit(place, visitor, &foreign);
      if (!visited) return visited;
    }
    for (auto& each : foreign) {
      const Kind kind = kind_of(each.path);
      if (kind != Kind::Unreadable || !is_gone(each.path)) find(kind, std::move(each.path), std::move(each.why));
    }
    std::ranges::sort(seen_, {}, &Seen::id);
    return {};
  }

  void find(Kind kind, std::string path, std::string why) { result_.findings.push_back({kind, std::move(path), std::move(why)}); }

  [[nodiscard]] bool is_gone(const std::string& path) const { return ::access((spool_.path() + "/" + path).c_str(), F_OK) != 0 && errno == ENOENT; }

  // What has the name of a message and is none is damaged, unless it is that the disk or our rights do not let us read it.
  [[nodiscard]] Kind kind_of(const std::string& path) const {
    const auto slash = path.rfind('/');
    const auto id = queue::Id::parse(path.substr(slash + 1));
    const auto place = queue::Place::parse(path.substr(0, slash));
    struct stat status;
    if (!id || !place || ::lstat((spool_.path() + "/" + path).c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return Kind::Foreign;
    const auto read = spool_.read(*place, *id);
    return !read && read.error().fault == base::Fault::Permanent ? Kind::Damaged : Kind::Unreadable;
  }

  base::Result<void> log() {
    auto check = queue::check_log(spool_);
    if (!check) return std::unexpected(check.error());
    result_.segments = check->segments;
    result_.records = check->records;
    for (auto& each : check->findings) {
      const auto row = std::ranges::find(kLogKinds, each.kind, &LogKind::log);
      find(row->kind, std::move(each.path), std::move(each.why));
    }
    return {};
  }

  [[nodiscard]] bool is_there(const Seen& seen) const { return ::access(spool_.file_path(seen.place, seen.id).c_str(), F_OK) == 0; }

  // Both still there now: else it moved while the folders were read. One in the log that has a file as well is on its way.
  base::Result<void> two_places() {
    for (std::size_t i = 1; i < seen_.size(); ++i) {
      const auto& one = seen_[i - 1];
      const auto& other = seen_[i];
      if (one.id != other.id || one.is_in_log || other.is_in_log || !is_there(one) || !is_there(other)) continue;
      find(Kind::TwoPlaces, other.place.folder() + "/" + other.id.string(), "the same message is in " + one.place.folder() + "/ too");
    }
    return {};
  }

  base::Result<void> drafts() {
    const auto entries = entries_of(spool_.path() + "/tmp");
    if (!entries) return std::unexpected(entries.error());
    for (const auto& entry : *entries)
      if (age_of(entry, now_) > kDraftAge) {
        const bool is_ours = S_ISREG(entry.status.st_mode) && queue::Id::parse(entry.name);
        find(is_ours ? Kind::Draft : Kind::Foreign, "tmp/" + entry.name, "left by a program that did not end well");
      }
    return {};
  }

  [[nodiscard]] bool is_known(const std::string& name) const {
    const auto id = queue::Id::parse(name);
    return id && (std::ranges::binary_search(seen_, *id, {}, &Seen::id) || find_again(spool_, *id).has_value());
  }

  base::Result<void> orphans() {
    const auto entries = entries_of(spool_.path() + "/progress");
    if (!entries) return std::unexpected(entries.error());
    for (const auto& entry : *entries) {
      if (age_of(entry, now_) <= kProgressAge || is_known(entry.name)) continue;
      const bool has_id = queue::Id::parse(entry.name).has_value();
      find(has_id ? Kind::LoneProgress : Kind::Foreign, "progress/" + entry.name, has_id ? "its message is gone" : "no id");
    }
    return {};
  }

  base::Result<void> strangers() {
    const auto entries = entries_of(spool_.path());
    if (!entries) return std::unexpected(entries.error());
    for (const auto& entry : *entries) {
      const bool is_own = std::ranges::find(kOwnNames, entry.name) != kOwnNames.end() || queue::Place::parse(entry.name) || S_ISSOCK(entry.status.st_mode);
      if (!is_own) find(Kind::Stranger, entry.name, "nothing of the spool's");
    }
    return {};
  }

  const queue::Spool& spool_;
  base::WallTime now_;
  std::vector<Seen> seen_;
  Examination result_;
};

}  // namespace

base::Result<Examination> examine(const queue::Spool& spool, base::WallTime now) { return Examiner(spool, now).run(); }

}  // namespace qctl
