#include "vsl-filter/services/csv_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <mutex>

#include "lib/base/clock.h"
#include "lib/base/durable.h"
#include "lib/base/io.h"
#include "vsl-filter/services/csv_record.h"

namespace rules {
namespace {

constexpr std::size_t kMostOctets = std::size_t{1} << 30;
constexpr auto kSettlingTime = std::chrono::milliseconds(50);  // several ticks of any kernel

// A lock of the open file, not of the process: it also keeps our own threads apart, and ends with the descriptor.
base::Result<void> lock(int fd, short type, const std::string& path) {
  struct flock whole = {};
  whole.l_type = type;
  whole.l_whence = SEEK_SET;
  while (::fcntl(fd, F_OFD_SETLKW, &whole) != 0)
    if (errno != EINTR) return base::fail_errno("lock " + path);
  return {};
}

bool is_settled(const timespec& changed) {
  timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto age = std::chrono::seconds(now.tv_sec - changed.tv_sec) + std::chrono::nanoseconds(now.tv_nsec - changed.tv_nsec);
  return age > kSettlingTime;
}

std::size_t line_of(std::string_view text, std::size_t offset) {
  std::size_t line = 1;
  for (const char c : text.substr(0, offset)) line += c == '\n' ? 1 : 0;
  return line;
}

std::string_view line_end_of(std::string_view text) {
  const auto end = text.find('\n');
  return end != std::string_view::npos && end > 0 && text[end - 1] == '\r' ? "\r\n" : "\n";
}

}  // namespace

CsvFile::Identity CsvFile::identity_of(const struct stat& status) { return {status.st_dev, status.st_ino, status.st_size, status.st_mtim}; }

base::Result<void> CsvFile::load() {
  const std::unique_lock guard(mutex_);
  if (options_.may_read) return refresh();
  const auto file = base::open_file(options_.path, O_WRONLY | O_APPEND);
  if (!file) return std::unexpected(file.error());
  return {};
}

base::Result<bool> CsvFile::is_current() const {
  if (!options_.refreshes) return true;
  struct stat status;
  if (::stat(options_.path.c_str(), &status) != 0) return base::fail_errno("stat " + options_.path);
  return is_settled_ && identity_of(status) == identity_;
}

base::Result<void> CsvFile::refresh() {
  const auto file = base::open_file(options_.path, O_RDONLY);
  if (!file) return std::unexpected(file.error());
  if (const auto locked = lock(file->get(), F_RDLCK, options_.path); !locked) return locked;
  return read_from(file->get());
}

// Under a lock of the file.
base::Result<void> CsvFile::read_from(int fd) {
  struct stat status;
  if (::fstat(fd, &status) != 0) return base::fail_errno("stat " + options_.path);
  const bool settled = is_settled(status.st_mtim);  // before reading: what changes meanwhile must be seen
  if (::lseek(fd, 0, SEEK_SET) != 0) return base::fail_errno("read " + options_.path);
  auto text = base::read_all(fd, kMostOctets);
  if (!text) return base::fail_within("read " + options_.path, std::move(text.error()));
  const bool has_grown = !text_.empty() && text_.ends_with('\n') && text->starts_with(text_);
  const std::size_t known = has_grown ? text_.size() : 0;
  text_ = std::move(*text);
  identity_ = identity_of(status);
  is_settled_ = settled;
  if (known == 0) index_.clear();
  if (const auto indexed = index_from(known); !indexed) {  // not to be taken for what is in the file
    text_.clear();
    index_.clear();
    is_settled_ = false;
    return indexed;
  }
  return {};
}

base::Result<void> CsvFile::index_from(std::size_t offset) {
  CsvReader reader(std::string_view(text_).substr(offset), options_.delimiter);
  std::vector<std::string> key;
  for (;;) {
    const auto status = reader.next(key, 1);
    if (status == CsvReader::Status::End) return {};
    if (status == CsvReader::Status::UnclosedQuote)
      return base::fail(base::Fault::Config, options_.path + ":" + std::to_string(line_of(text_, offset + reader.begin())) +
                                                 ": a quote in this record is not closed");
    index_.try_emplace(key[0], Place{offset + reader.begin(), offset + reader.end()});
  }
}

std::vector<std::string> CsvFile::find(std::string_view key) const {
  std::vector<std::string> fields;
  const auto found = index_.find(key);
  if (found == index_.end()) return fields;
  const auto [begin, end] = found->second;
  CsvReader(std::string_view(text_).substr(begin, end - begin), options_.delimiter).next(fields);
  return fields;
}

base::Result<std::vector<std::string>> CsvFile::get(std::string_view key) {
  if (!options_.may_read) return base::fail(base::Fault::Config, "it is O_WRONLY and cannot be read");
  {
    const std::shared_lock guard(mutex_);
    const auto current = is_current();
    if (!current) return std::unexpected(current.error());
    if (*current) return find(key);
  }
  const std::unique_lock guard(mutex_);
  if (const auto refreshed = refresh(); !refreshed) return std::unexpected(refreshed.error());
  return find(key);
}

// For writing; the one that the path names now, not one that was replaced while we waited for the lock.
base::Result<base::UniqueFd> CsvFile::open_locked() const {
  for (;;) {
    auto file = base::open_file(options_.path, (options_.may_read ? O_RDWR : O_WRONLY) | O_APPEND);
    if (!file) return file;
    if (const auto locked = lock(file->get(), F_WRLCK, options_.path); !locked) return std::unexpected(locked.error());
    struct stat ours, named;
    if (::fstat(file->get(), &ours) != 0) return base::fail_errno("stat " + options_.path);
    if (::stat(options_.path.c_str(), &named) == 0 && named.st_ino == ours.st_ino && named.st_dev == ours.st_dev) return file;
  }
}

base::Result<void> CsvFile::add(std::span<const std::string> fields) {
  if (!options_.may_write) return base::fail(base::Fault::Config, "it is O_RDONLY and cannot be written");
  if (fields.empty()) return base::fail(base::Fault::Permanent, "a record has one field at least: its key");
  const std::unique_lock guard(mutex_);
  const auto file = open_locked();
  if (!file) return std::unexpected(file.error());
  struct stat before;
  if (::fstat(file->get(), &before) != 0) return base::fail_errno("stat " + options_.path);
  const bool was_known = options_.may_read && identity_of(before) == identity_;
  char last = '\n';
  if (before.st_size > 0 && options_.may_read && ::pread(file->get(), &last, 1, before.st_size - 1) != 1)
    return base::fail_errno("read " + options_.path);
  std::string line = write_csv(fields, options_.delimiter, line_end_of(text_));
  if (last != '\n') line.insert(0, line_end_of(text_));
  if (const auto written = base::write_all(file->get(), line); !written) {
    (void)!::ftruncate(file->get(), before.st_size);  // a disk that is full has taken a part of it, maybe
    return base::fail_within(options_.path, written.error());
  }
  if (!options_.may_read) return {};
  if (options_.refreshes && !was_known) return {};  // the next get() reads all
  // What we have written ourselves need not be read; with `refresh: "no"` it would not be.
  struct stat after;
  if (::fstat(file->get(), &after) != 0) return base::fail_errno("stat " + options_.path);
  if (!text_.empty() && text_.back() != '\n' && line[0] != '\n' && line[0] != '\r') text_ += '\n';
  const std::size_t known = text_.size();
  text_ += line;
  identity_ = identity_of(after);
  is_settled_ = false;
  return index_from(known);
}

// Mode and owner as before.
base::Result<void> CsvFile::replace(const struct stat& old, std::string_view text) const {
  const std::unique_ptr<char, decltype(&std::free)> target(::realpath(options_.path.c_str(), nullptr), &std::free);
  if (!target) return base::fail_errno("find " + options_.path);  // behind a link stands the file, not the link
  const std::string path(target.get());
  std::string fresh_path = path + ".XXXXXX";
  const base::UniqueFd fresh(::mkostemp(fresh_path.data(), O_CLOEXEC));
  if (!fresh.is_open()) return base::fail_errno("create " + fresh_path);
  base::Result<void> done = base::write_all(fresh.get(), text);
  if (::fchown(fresh.get(), old.st_uid, old.st_gid) != 0 && old.st_uid != ::geteuid()) done = base::fail_errno("chown " + fresh_path);
  if (done && ::fchmod(fresh.get(), old.st_mode & 07777) != 0) done = base::fail_errno("chmod " + fresh_path);
  if (done) done = base::sync_data(fresh.get(), fresh_path);
  if (done) done = base::rename_file(fresh_path, path);
  if (!done) {
    ::unlink(fresh_path.c_str());
    return done;
  }
  return base::sync_directory(path.substr(0, path.rfind('/') + 1));
}

base::Result<void> CsvFile::remove(std::string_view key) {
  if (!options_.may_write || !options_.may_read) return base::fail(base::Fault::Config, "records can only be removed with O_RDWR");
  const std::unique_lock guard(mutex_);
  const auto file = open_locked();
  if (!file) return std::unexpected(file.error());
  if (const auto read = read_from(file->get()); !read) return read;
  if (!index_.contains(key)) return {};
  std::string kept;
  CsvReader reader(text_, options_.delimiter);
  std::vector<std::string> fields;
  std::size_t kept_to = 0;
  while (reader.next(fields, 1) == CsvReader::Status::Record) {
    if (fields[0] == key) {
      kept += std::string_view(text_).substr(kept_to, reader.begin() - kept_to);
      kept_to = reader.end();
    }
  }
  kept += std::string_view(text_).substr(kept_to);
  struct stat status;
  if (::fstat(file->get(), &status) != 0) return base::fail_errno("stat " + options_.path);
  if (const auto replaced = replace(status, kept); !replaced) return replaced;
  return refresh();
}

}  // namespace rules
