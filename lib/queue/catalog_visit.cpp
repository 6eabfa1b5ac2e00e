// Going through the catalog, and from there to the files of those messages that its rows do not settle.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <unordered_set>

#include "lib/queue/catalog.h"
#include "lib/queue/folders.h"
#include "lib/queue/share_out.h"
#include "lib/queue/visit.h"

namespace queue {
namespace {

using base::Result;
using catalog_format::Row;

constexpr std::size_t kFirstPiece = 128;    // the first ones come at once
constexpr std::size_t kMostPiece = 32'768;  // rows in memory at once

enum class Standing : std::uint8_t { Unknown, Right, Changed, Gone };

class CatalogVisit {
 public:
  CatalogVisit(const Spool& spool, WholeCatalog& whole, const BriefVisitor& visitor, std::vector<Foreign>* foreign)
      : spool_(spool), catalog_(whole.catalog), unlisted_(whole.unlisted), visitor_(visitor), foreign_(foreign), looks_at_files_(visitor.looks_at_files) {}

  Result<void> run() {
    if (const auto opened = open(); !opened) return opened;
    // From the end: what a message's last row says comes before what was said earlier.
    std::size_t piece = kFirstPiece;
    for (std::uint64_t end = catalog_.rows(); end > 0 && !has_enough_; piece = std::min(piece * 4, kMostPiece)) {
      const auto count = std::min<std::uint64_t>(piece, end);
      end -= count;
      if (const auto done = go_through(end, count); !done) return done;
    }
    if (!has_enough_) read(unlisted_, false);
    if (!has_enough_ && !is_whole_ && end_) read_others();
    return end_;
  }

 private:
  Result<void> open() {
    const Place deferred{State::Deferred, {}};
    folder_ = base::UniqueFd(::open(spool_.folder_path(deferred).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder_.is_open()) return base::fail_errno("open " + spool_.folder_path(deferred));
    if (looks_at_files_) return {};
    auto present = catalog_.present();
    if (!present) return std::unexpected(present.error());
    present_ = std::move(present->is_last);
    looks_at_files_ = !present->is_whole;
    return {};
  }

  Result<void> go_through(std::uint64_t first, std::size_t count) {
    if (const auto rows = catalog_.read_rows(first, count, rows_); !rows) return rows;
    if (const auto texts = catalog_.read_texts(rows_); !texts) return texts;
    candidates_.clear();
    for (std::size_t i = rows_.size(); i-- > 0;) {
      const Row& row = rows_[i];
      const bool is_readable = row.kind == Row::Kind::Gone || (row.kind == Row::Kind::Message && catalog_.fill(brief_, row, true));
      is_whole_ = is_whole_ && is_readable;
      if (!is_readable || row.kind == Row::Kind::Gone || (!looks_at_files_ && !present_[first + i])) continue;
      if (brief_.must_look || visitor_.wants(brief_)) candidates_.push_back(brief_);
    }
    look_at_files();
    settle();
    return end_;
  }

  void look_at_files() {
    standings_.assign(candidates_.size(), looks_at_files_ ? Standing::Unknown : Standing::Right);
    if (!looks_at_files_) return;
    share_out(candidates_.size(), [this](std::size_t i) { standings_[i] = standing_of(candidates_[i]); });
  }

  Standing standing_of(const Brief& brief) const {
    struct stat status;
    if (::fstatat(folder_.get(), brief.listed.id.string().c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return Standing::Gone;
    const bool is_same = time_of(status.st_mtim) == brief.listed.modified && static_cast<std::uint64_t>(status.st_size) == brief.listed.octets;
    return is_same ? Standing::Right : Standing::Changed;
  }

  void settle() {
    std::vector<Id> to_read;
    for (std::size_t i = 0; i < candidates_.size() && !has_enough_; ++i) {
      const Brief& brief = candidates_[i];
      if (standings_[i] == Standing::Gone || !seen_.insert(brief.listed.id).second) continue;
      if (standings_[i] == Standing::Right && !brief.must_look && visitor_.on_brief) {
        has_enough_ = !visitor_.on_brief(brief);
      } else {
        to_read.push_back(brief.listed.id);
      }
    }
    read(to_read, true);
  }

  void read(std::vector<Id>& ids, bool is_seen) {
    if (!is_seen) std::erase_if(ids, [this](const Id& id) { return !seen_.insert(id).second; });
    if (ids.empty() || has_enough_ || !end_) return;
    end_ = FolderVisit(spool_, {State::Deferred, {}}, watched(), foreign_).run_over(ids);
  }

  // A part of the catalog cannot be read, and nobody knows which messages it told of.
  void read_others() {
    Visitor others = watched();
    others.wants = [this](const Listed& listed) { return !seen_.contains(listed.id); };
    end_ = FolderVisit(spool_, {State::Deferred, {}}, others, foreign_).run();
  }

  const Visitor& watched() {
    watched_ = visitor_.read;
    watched_.on_seen = [this](const Seen& seen) { return !(has_enough_ = !visitor_.read.on_seen(seen)); };
    return watched_;
  }

  const Spool& spool_;
  Catalog& catalog_;
  std::vector<Id>& unlisted_;
  const BriefVisitor& visitor_;
  std::vector<Foreign>* foreign_;
  bool looks_at_files_;
  Visitor watched_;
  base::UniqueFd folder_;
  std::vector<bool> present_;
  std::vector<Row> rows_;
  Brief brief_;
  std::vector<Brief> candidates_;
  std::vector<Standing> standings_;
  std::unordered_set<Id> seen_;
  bool has_enough_ = false;
  bool is_whole_ = true;
  Result<void> end_;
};

}  // namespace

Result<void> visit_catalog(const Spool& spool, WholeCatalog& whole, const BriefVisitor& visitor, std::vector<Foreign>* foreign) {
  return CatalogVisit(spool, whole, visitor, foreign).run();
}

}  // namespace queue
