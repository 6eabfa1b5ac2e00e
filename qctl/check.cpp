// qctl check: what lies in the spool and is not a whole message. Looks only.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "lib/base/exits.h"
#include "lib/base/json_text.h"
#include "lib/queue/view.h"
#include "qctl/commands.h"
#include "qctl/look.h"

namespace qctl {
namespace {
using Finding = queue::Foreign;
constexpr std::chrono::seconds kDraftAge = std::chrono::hours(1);       // younger ones are being written
constexpr std::chrono::seconds kProgressAge = std::chrono::minutes(1);  // younger ones may wait for a sync

// What the spool has beside the queues' folders; sockets may be there too.
constexpr auto kOwnNames = std::to_array<std::string_view>({"tmp", "log", "lock", "progress", "quarantine"});

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

class Check {
 public:
  explicit Check(const Session& session) : spool_(session.spool), now_(session.now) {}

  base::Result<void> run() {
    for (const auto step : {&Check::messages, &Check::two_places, &Check::drafts, &Check::orphans, &Check::strangers}) {
      const auto done = (this->*step)();
      if (!done) return done;
    }
    std::ranges::sort(findings, {}, &Finding::path);
    return {};
  }

  std::vector<Finding> findings;
  [[nodiscard]] std::size_t messages_seen() const { return seen_.size(); }

 private:
  struct Seen {
    queue::Id id;
    queue::Place place;
    bool is_in_log;
  };

  base::Result<void> messages() {
    const auto wants = [](const queue::Listed&) { return true; };
    const auto on_seen = [&](const queue::Seen& seen) { return seen_.push_back({seen.item.id, seen.place, seen.is_in_log}), true; };
    for (const auto& place : spool_.places()) {
      const auto visited = queue::View(spool_).visit(place, wants, on_seen, &findings);
      if (!visited) return visited;
    }
    std::ranges::sort(seen_, {}, &Seen::id);
    return {};
  }

  [[nodiscard]] bool is_there(const Seen& seen) const { return ::access(spool_.file_path(seen.place, seen.id).c_str(), F_OK) == 0; }

  // Both still there now: else it moved while the folders were read. One in the log that has a file as well is on its way.
  base::Result<void> two_places() {
    for (std::size_t i = 1; i < seen_.size(); ++i) {
      const auto& one = seen_[i - 1];
      const auto& other = seen_[i];
      if (one.id != other.id || one.is_in_log || other.is_in_log || !is_there(one) || !is_there(other)) continue;
      findings.push_back({other.place.folder() + "/" + other.id.string(), "the same message is in " + one.place.folder() + "/ too"});
    }
    return {};
  }

  base::Result<void> drafts() {
    const auto entries = entries_of(spool_.path() + "/tmp");
    if (!entries) return std::unexpected(entries.error());
    for (const auto& entry : *entries)
      if (age_of(entry, now_) > kDraftAge) findings.push_back({"tmp/" + entry.name, "left by a program that did not end well"});
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
      findings.push_back({"progress/" + entry.name, queue::Id::parse(entry.name) ? "its message is gone" : "no id"});
    }
    return {};
  }

  base::Result<void> strangers() {
    const auto entries = entries_of(spool_.path());
    if (!entries) return std::unexpected(entries.error());
    for (const auto& entry : *entries) {
      const bool is_own = std::ranges::find(kOwnNames, entry.name) != kOwnNames.end() || queue::Place::parse(entry.name) || S_ISSOCK(entry.status.st_mode);
      if (!is_own) findings.push_back({entry.name, "nothing of the spool's"});
    }
    return {};
  }

  const queue::Spool& spool_;
  base::WallTime now_;
  std::vector<Seen> seen_;
};

std::string as_json(const Finding& finding) {
  std::string json = "{";
  base::json::append_member(json, "path", finding.path);
  base::json::append_member(json, "why", finding.why);
  return json + "}";
}

}  // namespace

base::Result<int> check(Session& session) {
  Check look(session);
  const auto done = look.run();
  if (!done) return std::unexpected(done.error());
  const bool utf8 = session.out.screen().utf8;
  for (const auto& finding : look.findings)
    session.out.put((session.wants_json() ? as_json(finding) : printable_text(finding.path, utf8) + ": " + printable_text(finding.why, utf8)) + "\n");
  if (!session.wants_json())
    session.out.put(std::to_string(look.messages_seen()) + " messages, " + std::to_string(look.findings.size()) + " findings\n");
  return look.findings.empty() ? 0 : base::exit_row(base::Fault::Permanent).by_hand;
}

}  // namespace qctl
