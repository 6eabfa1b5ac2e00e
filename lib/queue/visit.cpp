#include "lib/queue/visit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "lib/base/io.h"
#include "lib/queue/folders.h"
#include "lib/queue/share_out.h"

namespace queue {
namespace {

using base::Result;

constexpr std::size_t kFirstPiece = 64;      // the first ones come at once, however many there are
constexpr std::size_t kMostPiece = 16'384;   // in memory at once

bool is_gone(const base::Error& error) { return error.error_number == ENOENT; }

}  // namespace

Result<void> FolderVisit::open_progress() {
  progress_ = base::UniqueFd(::open((spool_.path() + "/progress").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!progress_.is_open()) return base::fail_errno("open " + spool_.path() + "/progress");
  return {};
}

Result<void> FolderVisit::run() {
  auto reader = FolderReader::open(spool_, place_);
  if (!reader) return std::unexpected(reader.error());
  folder_ = reader->folder_fd();
  if (const auto opened = open_progress(); !opened) return opened;
  std::vector<FolderReader::Name> names;
  for (std::size_t piece = kFirstPiece;; piece = std::min(piece * 4, kMostPiece)) {
    const auto more = reader->next_names(piece, names, foreign_);
    if (!more) return std::unexpected(more.error());
    std::ranges::sort(names, {}, &FolderReader::Name::inode);
    if (!hand_out(names) || !*more) return {};
  }
}

Result<void> FolderVisit::run_over(std::span<const Id> ids) {
  const base::UniqueFd folder(::open(spool_.folder_path(place_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return base::fail_errno("open " + spool_.folder_path(place_));
  folder_ = folder.get();
  if (const auto opened = open_progress(); !opened) return opened;
  std::vector<FolderReader::Name> names;
  while (!ids.empty()) {
    const auto some = ids.subspan(0, std::min(ids.size(), kMostPiece));
    ids = ids.subspan(some.size());
    names.clear();
    for (const auto& id : some) names.push_back({id, 0});
    if (!hand_out(names)) return {};
  }
  return {};
}

bool FolderVisit::hand_out(const std::vector<FolderReader::Name>& names) {
  std::vector<Look> looks(names.size());
  share_out(names.size(), [&](std::size_t i) { looks[i] = look_at(names[i].id); });
  for (std::size_t i = 0; i < looks.size(); ++i) {
    if (!looks[i].why_foreign.empty() && foreign_ != nullptr)
      foreign_->push_back({place_.folder() + "/" + names[i].id.string(), std::move(looks[i].why_foreign)});
    if (looks[i].seen && !visitor_.on_seen(*looks[i].seen)) return false;
  }
  return true;
}

FolderVisit::Look FolderVisit::look_at(const Id& id) const {
  auto seen = read(id);
  if (seen) return {std::move(*seen), {}};
  return {std::nullopt, is_gone(seen.error()) ? std::string() : seen.error().cause};
}

Result<std::optional<Seen>> FolderVisit::read(const Id& id) const {
  const std::string name = id.string();
  base::UniqueFd file = open_to_look(folder_, name);
  if (!file.is_open()) return base::fail_errno("open " + spool_.file_path(place_, id));
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return base::fail_errno("look at " + spool_.file_path(place_, id));
  const Entry entry = entry_of(id, place_, status);
  if (visitor_.wants && !visitor_.wants(listed_of(entry))) return std::optional<Seen>();
  std::uint64_t message_offset = 0;
  auto item = read_item_header(file.get(), entry.file_octets, message_offset);
  if (!item) return base::fail_within(spool_.file_path(place_, id), std::move(item.error()));
  if (const auto right = check_id(spool_, place_, id, *item); !right) return std::unexpected(right.error());
  if (visitor_.wants_item && !visitor_.wants_item(*item)) return std::optional<Seen>();
  auto events = read_progress_at(progress_.get(), name);
  if (!events) return base::fail_within(spool_.progress_path(id), std::move(events.error()));
  const auto octets = item->message_octets;
  base::Blob message = visitor_.keeps_message ? base::Blob::of_file(std::move(file), message_offset, octets) : base::Blob();
  return Seen{std::move(*item), std::move(message), place_, false, std::move(*events), entry.modified};
}

}  // namespace queue
