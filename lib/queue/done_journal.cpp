#include "lib/queue/done_journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "lib/base/durable.h"
#include "lib/base/io.h"
#include "lib/base/text.h"
#include "lib/queue/folders.h"
#include "lib/queue/log_format.h"
#include "lib/queue/spool.h"

namespace queue {
namespace {

using base::Result;

constexpr std::size_t kMaxJournalOctets = std::size_t{1} << 32;

std::string first_line(std::uint64_t nonce) {
  char line[48];
  const int length = std::snprintf(line, sizeof line, "vsmtp-done 1 %016llx\n", static_cast<unsigned long long>(nonce));
  return {line, static_cast<std::size_t>(length)};
}

}  // namespace

Result<DoneRecords> read_done(const std::string& path, std::uint64_t nonce) {
  DoneRecords records;
  const auto octets = base::read_file(path, kMaxJournalOctets);
  if (!octets && octets.error().error_number == ENOENT) return records;
  if (!octets) return std::unexpected(octets.error());
  std::string_view left = *octets;
  if (!base::text::consume(left, first_line(nonce))) return records;
  for (auto end = left.find('\n'); end != std::string_view::npos; end = left.find('\n')) {
    const auto [name, rest] = base::text::split_once(left.substr(0, end), ' ');
    left.remove_prefix(end + 1);
    const auto id = Id::parse(name);
    auto event = id ? parse_event(rest) : std::nullopt;
    if (!event) continue;
    if (event->kind == EventKind::Finished) {
      records.finished.insert(*id);
      records.events.erase(*id);
    } else {
      records.events[*id].push_back(std::move(*event));
    }
  }
  return records;
}

Result<std::vector<Event>> events_in_journals(const Spool& spool, const Id& id) {
  std::vector<Event> events;
  const std::string folder = spool.path() + "/log";
  const auto listed = for_each_name(folder, [&](const char* name) {
    const auto file = log_format::parse_log_file_name(name);
    if (!file || file->kind != "done") return true;
    const auto octets = base::read_file(folder + "/" + name, kMaxJournalOctets);
    std::string_view left = octets ? std::string_view(*octets) : std::string_view();  // one may be removed meanwhile
    for (auto end = left.find('\n'); end != std::string_view::npos; end = left.find('\n')) {
      const auto line = left.substr(0, end);
      left.remove_prefix(end + 1);
      if (!line.starts_with(id.text()) || line.size() <= Id::kOctets) continue;
      if (auto event = parse_event(line.substr(Id::kOctets + 1))) events.push_back(std::move(*event));
    }
    return true;
  });
  if (!listed) return std::unexpected(listed.error());
  std::ranges::stable_sort(events, {}, &Event::time);
  return events;
}

void DoneJournal::add(const Id& id, const Event& event) { unwritten_.append(id.text()).append(" ").append(to_line(event)); }

Result<void> DoneJournal::open() {
  auto file = base::open_file(path_, O_RDWR | O_CREAT);
  if (!file) return std::unexpected(file.error());
  const std::string first = first_line(nonce_);
  auto size = base::file_size(file->get());
  if (!size) return std::unexpected(size.error());
  std::string begin(first.size(), '\0');
  const bool is_ours = ::pread(file->get(), begin.data(), begin.size(), 0) == static_cast<ssize_t>(begin.size()) && begin == first;
  octets_ = is_ours ? *size : 0;
  if (::ftruncate(file->get(), static_cast<off_t>(octets_)) != 0) return base::fail_errno("cut " + path_);
  is_new_ = !is_ours;
  // The empty line ends one that a crash cut short.
  unwritten_.insert(0, is_ours ? "\n" : first);
  file_ = std::move(*file);
  return {};
}

Result<void> DoneJournal::write() {
  if (unwritten_.empty()) return {};
  if (!file_.is_open())
    if (const auto opened = open(); !opened) return opened;
  if (const auto written = base::pwrite_all(file_.get(), unwritten_, octets_); !written) return base::fail_within(path_, written.error());
  octets_ += unwritten_.size();
  unwritten_.clear();
  is_unsynced_ = true;
  return {};
}

Result<void> DoneJournal::sync() {
  if (!is_unsynced_) return {};
  is_unsynced_ = false;
  if (::fdatasync(file_.get()) != 0) return base::fail_errno("sync " + path_);
  if (!std::exchange(is_new_, false)) return {};
  return base::sync_directory(path_.substr(0, path_.rfind('/')));
}

}  // namespace queue
