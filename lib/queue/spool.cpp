#include "lib/queue/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "lib/base/durable.h"
#include "lib/base/io.h"
#include "lib/base/text.h"
#include "lib/queue/folder_reader.h"
#include "lib/queue/folders.h"
#include "lib/queue/share_out.h"
#include "lib/queue/take_unread.h"

namespace queue {
namespace {

using base::Fault;
using base::Result;

constexpr std::size_t kRemovers = 16;  // threads: where blocks are discarded at once, unlink(2) waits for the disk

constexpr auto kOtherFolders = std::to_array<std::string_view>({"progress", "tmp", "log", "lock"});

std::vector<std::string> all_folders() {
  std::vector<std::string> folders;
  for (const auto& row : kStates) folders.emplace_back(row.folder);
  folders.insert(folders.end(), kOtherFolders.begin(), kOtherFolders.end());
  return folders;
}

// The path in "dir:PATH" or "PATH".
Result<std::string> path_of(std::string_view where) {
  if (where.starts_with("amqp:") || where.starts_with("amqps:"))  // it may hold a password
    return base::fail(Fault::Config, "spool: it is on a broker; expected here: PATH or dir:PATH");
  const auto colon = where.find(':');
  if (colon != std::string_view::npos && where.substr(0, colon).find('/') == std::string_view::npos) {
    if (where.substr(0, colon) != "dir") return base::fail(Fault::Config, "spool " + std::string(where) + ": expected: PATH or dir:PATH");
    where.remove_prefix(colon + 1);
  }
  while (where.size() > 1 && where.ends_with('/')) where.remove_suffix(1);
  if (where.empty()) return base::fail(Fault::Config, "spool: expected: PATH or dir:PATH");
  return std::string(where);
}

}  // namespace

// The header is read in growing pieces: the message behind it may be large, the recipients many.
Result<Item> read_item_header(int fd, std::uint64_t size, std::uint64_t& message_offset) {
  std::string octets;
  for (std::size_t want = 4096;; want *= 4) {
    const std::size_t before = octets.size();
    octets.resize(std::min<std::uint64_t>(want, size));
    std::size_t have = before;
    while (have < octets.size()) {
      const auto n = ::pread(fd, octets.data() + have, octets.size() - have, static_cast<off_t>(have));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return base::fail_errno("read");
      if (n == 0) return base::fail(Fault::Permanent, "not a message of the spool: it shrinks");
      have += static_cast<std::size_t>(n);
    }
    auto item = parse_item(octets, size, message_offset);
    if (item || item.error().fault == Fault::Permanent || octets.size() == size) return item;
  }
}

Result<void> check_id(const Spool& spool, const Place& place, const Id& id, const Item& item) {
  if (item.id == id) return {};
  return base::fail(Fault::Permanent, spool.file_path(place, id) + ": not a message of the spool: it says that its id is " + item.id.string());
}

Result<Spool> Spool::open(std::string_view where) {
  auto path = path_of(where);
  if (!path) return std::unexpected(path.error());
  for (const auto& folder : all_folders()) {
    struct stat status;
    const std::string full = *path + "/" + folder;
    if (::stat(full.c_str(), &status) != 0) {
      auto error = base::fail_errno("spool " + *path + ": folder " + folder, Fault::Config);
      if (error.error().error_number == ENOENT) error.error().cause += " (queue-inject --make-spool makes one)";
      return error;
    }
    if (!S_ISDIR(status.st_mode)) return base::fail(Fault::Config, "spool " + *path + ": " + folder + " is not a folder");
  }
  return Spool(std::move(*path));
}

Result<Spool> Spool::create(std::string_view where) {
  const auto path = path_of(where);
  if (!path) return std::unexpected(path.error());
  for (const auto& folder : all_folders())
    if (const auto made = base::make_directories(*path + "/" + folder, 0700); !made) return std::unexpected(made.error());
  return open(where);
}

std::string Spool::folder_path(const Place& place) const { return path_ + "/" + place.folder(); }
std::string Spool::file_path(const Place& place, const Id& id) const { return folder_path(place) + "/" + id.string(); }
std::string Spool::progress_path(const Id& id) const { return path_ + "/progress/" + id.string(); }

// is_locked() has the lock for a moment: who wants to keep it looks again before it gives up.
static bool lock_for_good(int fd) {
  constexpr int kAttempts = 20;
  constexpr useconds_t kPauseMicroseconds = 5000;
  for (int attempt = 0; ::flock(fd, LOCK_EX | LOCK_NB) != 0; ++attempt) {
    if (errno != EWOULDBLOCK || attempt == kAttempts) return false;
    ::usleep(kPauseMicroseconds);
  }
  return true;
}

Result<base::UniqueFd> Spool::lock(std::string_view name) const {
  const std::string path = path_ + "/lock/" + std::string(name);
  auto file = base::open_file(path, O_RDWR | O_CREAT);
  if (!file) return file;
  if (!lock_for_good(file->get())) {
    if (errno != EWOULDBLOCK) return base::fail_errno("lock " + path);
    const auto holder = base::read_file(path, 100);
    auto error = base::fail(Fault::Temporary, "another " + std::string(name) + " serves this spool (" + path + ", process " +
                                                  (holder && !holder->empty() ? base::text::printable(holder->substr(0, holder->find('\n'))) : "unknown") + ")");
    error.error().error_number = EWOULDBLOCK;
    return error;
  }
  // For people and for the error above; a full disk does not matter here.
  if (::ftruncate(file->get(), 0) == 0) (void)base::pwrite_all(file->get(), std::to_string(::getpid()) + "\n", 0);
  return file;
}

bool Spool::is_locked(std::string_view name) const {
  const auto file = base::open_file(path_ + "/lock/" + std::string(name), O_RDONLY);
  // Shared, so that two who only look do not take each other for the holder.
  return file && ::flock(file->get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

// Whether the folder of a quarantine may have others in it. Most file systems count the folders in a folder as links to it.
static bool may_have_folders(const struct stat& status) { return S_ISDIR(status.st_mode) && status.st_nlink != 2; }

// The folders below `folder`, which is that of all quarantines or of the one called `above`.
static void add_quarantines(std::vector<Place>& places, const std::string& folder, const std::string& above) {
  (void)for_each_name(folder, [&](const char* each) {
    const std::string name = above.empty() ? each : above + "/" + each;
    if (!Place::is_quarantine_name(name)) return true;
    struct stat status;
    const std::string path = folder + "/" + each;
    if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return true;
    places.push_back({State::Quarantine, name});
    if (may_have_folders(status)) add_quarantines(places, path, name);
    return true;
  });
}

std::vector<Place> Spool::places() const {
  std::vector<Place> places;
  for (const auto& row : kStates) {
    if (row.state == State::Quarantine) {
      add_quarantines(places, path_ + "/" + std::string(row.folder), {});
    } else {
      places.push_back({row.state, {}});
    }
  }
  return places;
}

Result<void> Spool::list(const Place& place, const std::function<bool(const Entry&)>& on_entry, std::vector<Foreign>* foreign) const {
  auto reader = FolderReader::open(*this, place);
  if (!reader) return std::unexpected(reader.error());
  std::vector<Entry> entries;
  // The first ones come at once, however many there are.
  for (std::size_t piece = 64;; piece = std::min<std::size_t>(piece * 2, 16'384)) {
    const auto more = reader->next(piece, entries, foreign);
    if (!more) return std::unexpected(more.error());
    for (const auto& entry : entries)
      if (!on_entry(entry)) return {};
    if (!*more) return {};
  }
}

Result<void> Spool::list_names(const Place& place, const std::function<bool(const Id&)>& on_name) const {
  auto reader = FolderReader::open(*this, place);
  if (!reader) return std::unexpected(reader.error());
  std::vector<FolderReader::Name> names;
  for (;;) {
    const auto more = reader->next_names(4096, names, nullptr);
    if (!more) return std::unexpected(more.error());
    for (const auto& name : names)
      if (!on_name(name.id)) return {};
    if (!*more) return {};
  }
}

Result<std::optional<Entry>> Spool::find(const Id& id) const {
  // Twice: a message that moves from a folder not yet looked into to one already looked into is not missed both times.
  for (int round = 0; round < 2; ++round) {
    for (const auto& place : places()) {
      struct stat status;
      if (::lstat(file_path(place, id).c_str(), &status) == 0) return entry_of(id, place, status);
      if (errno != ENOENT && errno != ENOTDIR) return base::fail_errno("look at " + file_path(place, id));
    }
  }
  return std::optional<Entry>();
}

Result<StoredItem> Spool::open_item(const Place& place, const Id& id, bool locked) const {
  const std::string path = file_path(place, id);
  // O_NONBLOCK: a foreign FIFO of that name must not stop us.
  auto file = locked ? take_unread(*this, place, id) : base::open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!file) return std::unexpected(file.error());
  const auto size = base::file_size(file->get());
  if (!size) return base::fail(Fault::Permanent, path + ": not a regular file");
  std::uint64_t offset = 0;
  auto item = read_item_header(file->get(), *size, offset);
  if (!item) return base::fail_within(path, std::move(item.error()));
  if (const auto right = check_id(*this, place, id, *item); !right) return std::unexpected(right.error());
  const auto octets = item->message_octets;
  return StoredItem{std::move(*item), base::Blob::of_file(std::move(*file), offset, octets), place};
}

Result<StoredItem> Spool::read(const Place& place, const Id& id) const { return open_item(place, id, false); }
Result<StoredItem> Spool::take(const Place& place, const Id& id) const { return open_item(place, id, true); }

Result<void> Spool::store(const Item& item, const base::Blob& message, const Place& place) const {
  auto draft = Draft::begin(*this, item.id);
  if (!draft) return std::unexpected(draft.error());
  if (const auto written = draft->write(item, message); !written) return written;
  if (const auto synced = draft->sync(); !synced) return synced;
  if (const auto published = draft->publish(*this, place); !published) return published;
  const auto synced = sync_folder(place);
  if (!synced) draft->unpublish();
  return synced;
}

Result<void> Spool::set_modified(const Id& id, const Place& place, base::WallTime modified) {
  // Both times: a change of the modification time alone is IN_MODIFY to inotify(7), as if somebody had written.
  const timespec times[2] = {{0, UTIME_NOW}, to_timespec(modified)};
  const std::string path = file_path(place, id);
  if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) return base::fail_errno("set time of " + path);
  return {};
}

Result<void> Spool::move(const Id& id, const Place& from, const Place& to, std::optional<base::WallTime> modified) {
  // Before the rename: who is told of the new file by inotify reads its time.
  if (modified)
    if (const auto set = set_modified(id, from, *modified); !set) return set;
  if (const auto made = make_folder_of(*this, to); !made) return made;
  if (const auto renamed = rename(id, from, to); !renamed) return renamed;
  must_sync(to);
  must_sync_leave(from);
  return {};
}

Result<void> Spool::rename(const Id& id, const Place& from, const Place& to) const { return rename_new(file_path(from, id), file_path(to, id)); }

Result<void> Spool::unlink(const Id& id, const Place& place) const {
  const std::string path = file_path(place, id);
  return ::unlink(path.c_str()) == 0 ? Result<void>() : base::fail_errno("remove " + path);
}

Result<void> Spool::remove(const Id& id, const Place& place) {
  if (const auto removed = unlink(id, place); !removed) return removed;
  must_sync_leave(place);
  must_forget_progress(id);
  return {};
}

Result<base::UniqueFd> Spool::write_progress(const Id& id, std::span<const Event> events) const {
  const std::string path = progress_path(id);
  auto file = base::open_file(path, O_RDWR | O_APPEND | O_CREAT);
  if (!file) return file;
  std::string lines;
  // A line that a crash cut short is ended, so that it cannot swallow the next one.
  const auto size = base::file_size(file->get());
  char last = '\n';
  if (size && *size > 0 && ::pread(file->get(), &last, 1, static_cast<off_t>(*size - 1)) == 1 && last != '\n') lines += '\n';
  for (const auto& event : events) lines += to_line(event);
  if (const auto written = base::write_all(file->get(), lines); !written) return base::fail_within(path, written.error());
  return file;
}

Result<void> Spool::append_progress(const Id& id, std::span<const Event> events) {
  const auto progress = write_progress(id, events);
  if (!progress) return std::unexpected(progress.error());
  if (std::ranges::none_of(events, must_last, &Event::kind)) return {};
  if (const auto synced = base::sync_data(progress->get(), progress_path(id)); !synced) return synced;
  return base::sync_directory(path_ + "/progress");  // the file may have been made without a sync: by us, or by remark()
}

void Spool::remark(const Id& id, std::string text) {
  const Event note{.kind = EventKind::Note, .recipient = {}, .destination = {}, .address = {}, .text = std::move(text)};
  (void)write_progress(id, std::span(&note, 1));  // no more than a remark
}

Result<std::vector<Event>> read_progress_at(int progress_folder, const std::string& name) {
  constexpr std::size_t kMaxProgressOctets = 256 << 20;
  const base::UniqueFd file = open_to_look(progress_folder, name);
  if (!file.is_open() && errno == ENOENT) return std::vector<Event>();
  if (!file.is_open()) return base::fail_errno("open");
  const auto octets = base::read_all(file.get(), kMaxProgressOctets);
  if (!octets) return std::unexpected(octets.error());
  return parse_events(*octets);
}

Result<std::vector<Event>> Spool::read_progress(const Id& id) const {
  auto events = read_progress_at(AT_FDCWD, progress_path(id));
  if (!events) return base::fail_within(progress_path(id), std::move(events.error()));
  return events;
}

Result<void> Spool::sync_folder(const Place& place) const { return base::sync_directory(folder_path(place)); }

// Where messages came to, before where they left: a power cut between the two leaves them in both, and not in none.
static Result<void> sync_in_order(const std::set<std::string>& changed, const std::set<std::string>& left) {
  for (const auto& folder : changed)
    if (const auto synced = base::sync_directory(folder); !synced) return synced;
  for (const auto& folder : left)
    if (const auto synced = changed.contains(folder) ? Result<void>() : base::sync_directory(folder); !synced) return synced;
  return {};
}

Result<void> Spool::sync() {
  auto changed = std::exchange(changed_, {}), left = std::exchange(left_, {});
  auto progress = std::exchange(progress_to_remove_, {});
  const auto synced = sync_in_order(changed, left);
  if (!synced) {  // all of it next time
    changed_.merge(changed);
    left_.merge(left);
    progress_to_remove_.insert(progress_to_remove_.end(), progress.begin(), progress.end());
    return synced;
  }
  share_out(progress.size(), [&](std::size_t i) { (void)::unlink(progress_path(progress[i]).c_str()); }, kShare / 2, kRemovers);
  return {};
}

}  // namespace queue
