// qctl repair: puts right what check finds, without losing a message: what nobody can use is set aside, not removed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <set>
#include <unordered_set>

#include "lib/base/durable.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/queue/log_check.h"
#include "lib/queue/catalog_writer.h"
#include "lib/queue/log_reader.h"
#include "qctl/commands.h"
#include "qctl/examination.h"

namespace qctl {
namespace {
using Kind = Finding::Kind;

// Stillness: no queue-run. A queue-inject may run: it makes new files and segments only, with ids that nobody had.
enum class Needs : std::uint8_t { Nothing, Stillness, Hand };

struct Cure {
  Kind kind;
  Needs needs;
  std::string_view plan;  // what is done about it
};
constexpr auto kCures = std::to_array<Cure>({
    {Kind::Foreign,      Needs::Nothing,   "is moved to foreign/"},
    {Kind::Damaged,      Needs::Nothing,   "is moved to damaged/"},
    {Kind::Draft,        Needs::Nothing,   "is removed: nobody was told that it is safe"},
    {Kind::TwoPlaces,    Needs::Stillness, "the copy that sends more is removed, if they are the same"},
    {Kind::LoneProgress, Needs::Stillness, "is removed"},
    {Kind::LostHeader,   Needs::Stillness, "is written again"},
    {Kind::LoneJournal,  Needs::Stillness, "is removed"},
    {Kind::OldSegment,   Needs::Stillness, "is removed: it never held a message"},
    {Kind::Unreadable,   Needs::Hand,      "is left alone: the disk, or whose file it is, must be looked at"},
    {Kind::LogDamage,    Needs::Hand,      "is left alone: no copy is left of what was there"},
    {Kind::Stranger,     Needs::Hand,      "is left alone: it is in nobody's way"},
});
const Cure& cure_of(Kind kind) { return *std::ranges::find(kCures, kind, &Cure::kind); }

class Repair {
 public:
  explicit Repair(Session& session) : session_(session) {}

  base::Result<int> run() {
    const bool dry_run = session_.line.has("dry-run");
    const bool has_catalog = queue::whole_catalog(session_.spool).has_value();
    if (dry_run) {
      is_served_ = session_.spool.is_locked("queue-run");
    } else if (auto lock = session_.spool.lock("queue-run")) {
      lock_ = std::move(*lock);
    } else {
      is_served_ = true;
    }
    const auto examination = examine(session_.spool, session_.now);
    if (!examination) return std::unexpected(examination.error());
    for (const auto& finding : examination->findings) tell_plan(finding);
    if (dry_run) return examination->findings.empty() ? 0 : base::exit_row(base::Fault::Permanent).by_hand;
    const auto wanted = is_wanted(examination->findings);
    if (!wanted) return std::unexpected(wanted.error());
    if (!*wanted) return exit_code();
    const auto done = carry_out(examination->findings);
    if (!done) return std::unexpected(done.error());
    if (!is_served_ && !has_catalog)
      if (const auto made = make_catalog(); !made) return std::unexpected(made.error());
    if (!session_.wants_json()) session_.out.put(std::to_string(done_) + " repaired, " + std::to_string(waiting_) + " for later, " + std::to_string(by_hand_) + " left alone\n");
    return exit_code();
  }

 private:
  [[nodiscard]] bool must_wait(const Cure& cure) const { return cure.needs == Needs::Stillness && is_served_; }

  void tell_plan(const Finding& finding) {
    const auto& cure = cure_of(finding.kind);
    const std::string plan = must_wait(cure) ? "waits until queue-run is stopped" : std::string(cure.plan);
    if (session_.wants_json()) {
      std::string json = "{";
      base::json::append_member(json, "path", finding.path);
      base::json::append_member(json, "why", finding.why);
      base::json::append_member(json, "plan", plan);
      session_.out.put(json + "}\n");
      return;
    }
    const bool utf8 = session_.out.screen().utf8;
    session_.out.put(printable_text(finding.path, utf8) + ": " + printable_text(finding.why, utf8) + "; " + plan + "\n");
  }

  [[nodiscard]] base::Result<bool> is_wanted(const std::vector<Finding>& findings) {
    std::size_t count = 0;
    for (const auto& finding : findings) {
      const auto& cure = cure_of(finding.kind);
      ++(cure.needs == Needs::Hand ? by_hand_ : must_wait(cure) ? waiting_ : count);
    }
    if (count == 0 || session_.line.has("yes")) return true;
    if (::isatty(STDIN_FILENO) == 0) return base::fail(base::Fault::Usage, "repair asks first, and standard input is no terminal; expected: --yes, or --dry-run");
    const auto flushed = session_.out.flush();
    if (!flushed) return std::unexpected(flushed.error());
    (void)base::write_all(2, "Repair " + std::to_string(count) + (count == 1 ? " finding? [y/N] " : " findings? [y/N] "));
    std::string answer;
    std::getline(std::cin, answer);
    const auto word = base::text::to_lower(base::text::trim(answer));
    if (word == "y" || word == "yes") return true;
    (void)base::write_all(2, "Canceled\n");
    return false;
  }

  [[nodiscard]] base::Result<void> carry_out(const std::vector<Finding>& findings) {
    for (const auto& finding : findings)
      if (!must_wait(cure_of(finding.kind)))
        if (const auto done = carry_out(finding); !done) complain(finding, done.error());
    // Before the spool's own repair, which must not take the progress of a damaged message for nobody's.
    for (const auto& folder : changed_)
      if (const auto synced = base::sync_directory(folder); !synced) return synced;
    return is_served_ ? base::Result<void>() : repair_spool();
  }

  [[nodiscard]] base::Result<void> carry_out(const Finding& finding) {
    switch (finding.kind) {
      case Kind::Foreign: return set_aside(finding.path, std::string(kForeignFolder) + "/" + finding.path);
      case Kind::Damaged: return set_damaged_aside(finding.path);
      case Kind::Draft:
      case Kind::LoneJournal:
      case Kind::OldSegment: return remove(finding.path);
      case Kind::LostHeader: {
        auto restored = queue::restore_segment_header(session_.spool, finding.path);
        if (restored) ++done_;
        return restored;
      }
      case Kind::TwoPlaces:
      case Kind::LoneProgress:  // by the spool's own repair
      case Kind::Unreadable:
      case Kind::LogDamage:
      case Kind::Stranger: break;
    }
    return {};
  }

  // What has come meanwhile to the place of what was found is not meant.
  [[nodiscard]] base::Result<void> set_damaged_aside(const std::string& path) {
    const auto slash = path.rfind('/');
    const auto place = queue::Place::parse(path.substr(0, slash));
    const auto id = queue::Id::parse(path.substr(slash + 1));
    const auto taken = session_.spool.take(*place, *id);
    if (taken || taken.error().fault != base::Fault::Permanent) return taken ? base::Result<void>() : std::unexpected(taken.error());
    const std::string name = std::string(kDamagedFolder) + "/" + id->string();
    if (const auto moved = set_aside(path, name); !moved) return moved;
    // Its progress goes along unless a whole message of that id is somewhere else.
    const auto other = session_.spool.find(*id);
    if (!other || *other || ::access(session_.spool.progress_path(*id).c_str(), F_OK) != 0) return {};
    --done_;  // counted once
    return set_aside("progress/" + id->string(), name + ".progress");
  }

  [[nodiscard]] base::Result<void> set_aside(const std::string& from, const std::string& to) {
    const std::string root = session_.spool.path() + "/";
    if (const auto made = base::make_directories((root + to).substr(0, (root + to).rfind('/')), 0700); !made) return made;
    constexpr int kMostNames = 1000;
    for (int n = 0; n < kMostNames; ++n) {
      const std::string name = n == 0 ? root + to : root + to + "." + std::to_string(n);
      // RENAME_NOREPLACE: what was set aside before stays.
      if (::renameat2(AT_FDCWD, (root + from).c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) {
        changed_.insert((root + from).substr(0, (root + from).rfind('/')));
        changed_.insert(name.substr(0, name.rfind('/')));
        ++done_;
        return {};
      }
      if (errno == ENOENT) return {};  // gone meanwhile
      if (errno != EEXIST) return base::fail_errno("move " + root + from + " to " + name);
    }
    return base::fail(base::Fault::Permanent, root + to + ": too many of that name");
  }

  [[nodiscard]] base::Result<void> remove(const std::string& path) {
    const std::string full = session_.spool.path() + "/" + path;
    if (::unlink(full.c_str()) != 0 && errno != ENOENT) return base::fail_errno("remove " + full);
    changed_.insert(full.substr(0, full.rfind('/')));
    ++done_;
    return {};
  }

  // What queue-run does at its start too: second copies, progress files without their message.
  [[nodiscard]] base::Result<void> repair_spool() {
    auto reader = queue::LogReader::open(session_.spool, {});
    if (!reader) return std::unexpected(reader.error());
    const auto live = reader->live_ids();
    if (!live) return std::unexpected(live.error());
    const std::unordered_set<queue::Id> in_log(live->begin(), live->end());
    auto written = reader->write_results();
    if (written) written = reader->sync_results();
    if (!written) return written;
    auto said = session_.spool.repair();
    if (!said) return std::unexpected(said.error());
    const auto more = session_.spool.remove_lone_progress(session_.now, [&](const queue::Id& id) { return in_log.contains(id); });
    if (!more) return std::unexpected(more.error());
    said->insert(said->end(), more->begin(), more->end());
    done_ += said->size();
    if (session_.wants_json()) return {};
    for (const auto& line : *said) session_.out.put(printable_text(line, session_.out.screen().utf8) + "\n");
    return {};
  }

  // Nothing is wrong without it: but what lists a million messages would have to read them all.
  [[nodiscard]] base::Result<void> make_catalog() {
    Progress progress("cataloged", 0);
    const auto made = queue::rebuild_catalog(session_.spool, [&] { progress.step(); });
    return made ? base::Result<void>() : std::unexpected(made.error());
  }

  void complain(const Finding& finding, const base::Error& error) {
    (void)session_.out.flush();
    (void)base::write_all(2, "qctl: " + finding.path + ": " + error.cause + "\n");
    ++waiting_;
  }

  [[nodiscard]] int exit_code() const {
    if (waiting_ > 0) return base::exit_row(base::Fault::Temporary).by_hand;
    return by_hand_ > 0 ? base::exit_row(base::Fault::Permanent).by_hand : 0;
  }

  Session& session_;
  bool is_served_ = false;  // by a queue-run
  base::UniqueFd lock_;     // its lock, if there is none
  std::set<std::string> changed_;
  std::size_t done_ = 0, waiting_ = 0, by_hand_ = 0;
};

}  // namespace

base::Result<int> repair(Session& session) { return Repair(session).run(); }

}  // namespace qctl
