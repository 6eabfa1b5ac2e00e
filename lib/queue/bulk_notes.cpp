#include "lib/queue/bulk_notes.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "lib/base/io.h"

namespace queue {
namespace {

using base::Result;

std::string path_of(const Spool& spool, std::string_view name) { return spool.path() + "/" + std::string(name); }

// Whether `fd`, which is locked, still has the name: whoever had the lock before may have taken it away.
bool is_named(int fd, const std::string& path, struct stat& opened) {
  struct stat named;
  return ::fstat(fd, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// Locked, with room for more.
Result<base::UniqueFd> open_notes(const Spool& spool, std::uint64_t most_octets) {
  constexpr int kAttempts = 10;
  const std::string path = path_of(spool, kBulkNotes), old = path_of(spool, kOldBulkNotes);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto file = base::open_file(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK);
    if (!file) return file;
    struct stat status;
    if (::flock(file->get(), LOCK_EX) != 0) return base::fail_errno("lock " + path);
    if (!is_named(file->get(), path, status)) continue;
    if (!S_ISREG(status.st_mode)) return base::fail(base::Fault::Permanent, path + ": not a regular file");
    if (static_cast<std::uint64_t>(status.st_size) < most_octets) return file;
    if (::rename(path.c_str(), old.c_str()) != 0) return base::fail_errno("rename " + path + " to " + old);
  }
  return base::fail(base::Fault::Temporary, path + ": others write all the time");
}

// Of a line that has the id in it: the event behind the ids, if it is one of them.
std::optional<Event> event_of(std::string_view line, const Id& id) {
  bool is_about = false;
  while (line.size() > Id::kOctets && line[Id::kOctets] == ' ' && Id::parse(line.substr(0, Id::kOctets))) {
    is_about = is_about || line.starts_with(id.text());
    line.remove_prefix(Id::kOctets + 1);
  }
  return is_about ? parse_event(line) : std::nullopt;
}

}  // namespace

Result<void> note_bulk(const Spool& spool, std::span<const Id> ids, const Event& event, std::uint64_t most_octets) {
  if (ids.empty()) return {};
  std::string line;
  line.reserve(ids.size() * (Id::kOctets + 1) + 200);
  for (const auto& id : ids) line.append(id.text()).append(" ");
  line += to_line(event);
  const auto file = open_notes(spool, most_octets);
  if (!file) return std::unexpected(file.error());
  // What a full disk has cut short is ended, so that it cannot swallow the next one.
  const auto size = base::file_size(file->get());
  char last = '\n';
  if (size && *size > 0 && ::pread(file->get(), &last, 1, static_cast<off_t>(*size - 1)) == 1 && last != '\n') line.insert(0, "\n");
  if (const auto written = base::write_all(file->get(), line); !written) return base::fail_within(path_of(spool, kBulkNotes), written.error());
  return {};
}

std::vector<Event> notes_in(std::string_view lines, const Id& id) {
  std::vector<Event> events;
  for (auto at = lines.find(id.text()); at != std::string_view::npos; at = lines.find(id.text(), at)) {
    const auto before = lines.rfind('\n', at), end = lines.find('\n', at);
    if (end == std::string_view::npos) break;  // torn
    const auto begin = before == std::string_view::npos ? 0 : before + 1;
    if (auto event = event_of(lines.substr(begin, end - begin), id)) events.push_back(std::move(*event));
    at = end;
  }
  return events;
}

Result<std::vector<Event>> bulk_notes_of(const Spool& spool, const Id& id) {
  std::vector<Event> events;
  for (const auto name : {kOldBulkNotes, kBulkNotes}) {
    const auto file = base::open_file(path_of(spool, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!file && file.error().error_number == ENOENT) continue;
    if (!file) return std::unexpected(file.error());
    const auto octets = base::read_all(file->get(), 4 * kMostNotesOctets);
    if (!octets) return base::fail_within(path_of(spool, name), octets.error());
    for (auto& event : notes_in(*octets, id)) events.push_back(std::move(event));
  }
  std::ranges::stable_sort(events, {}, &Event::time);
  return events;
}

}  // namespace queue
