#include "deliver-maildir/mbox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <thread>

#include "lib/base/clock.h"
#include "lib/base/durable.h"
#include "lib/base/io.h"

namespace maildir {
namespace {

constexpr auto kBetweenTries = std::chrono::milliseconds(50);
constexpr auto kStaleAfter = std::chrono::seconds(500);  // Postfix's stale_lock_time: who made the lock has died
constexpr int kOpenTries = 10;

std::unexpected<Refusal> locked(const std::string& what) { return refuse(Reason::MailboxLocked, what + ": held by another program"); }

// FILE.lock, as long as this lives.
class DotLock {
 public:
  DotLock() = default;
  DotLock(DotLock&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  DotLock& operator=(DotLock&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~DotLock() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  static Accepted<DotLock> take(const std::string& file, std::uint64_t deadline) {
    const std::string path = file + ".lock";
    for (;;) {
      const base::UniqueFd made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
      if (made.is_open()) {
        DotLock lock;
        lock.path_ = path;
        return lock;
      }
      if (errno != EEXIST) return std::unexpected(refusal_of(base::fail_errno("create " + path).error()));
      if (is_stale(path) && ::unlink(path.c_str()) == 0) continue;
      if (base::monotonic_milliseconds() >= deadline) return locked(path);
      std::this_thread::sleep_for(kBetweenTries);
    }
  }

 private:
  static bool is_stale(const std::string& path) {
    struct stat status;
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
    return std::chrono::system_clock::from_time_t(status.st_mtime) + kStaleAfter < base::wall_now();
  }
  std::string path_;
};

// It goes when the file is closed.
Accepted<void> lock_with_fcntl(int fd, const std::string& path, std::uint64_t deadline) {
  for (;;) {
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (::fcntl(fd, F_SETLK, &lock) == 0) return {};
    if (errno != EACCES && errno != EAGAIN) return std::unexpected(refusal_of(base::fail_errno("lock " + path).error()));
    if (base::monotonic_milliseconds() >= deadline) return locked(path);
    std::this_thread::sleep_for(kBetweenTries);
  }
}

struct OpenFile {
  base::UniqueFd fd;
  DotLock dot_lock;
  struct stat status = {};
  bool is_new = false;
};

Accepted<OpenFile> open_file(const std::string& path, bool creates) {
  OpenFile file;
  file.fd.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.fd.is_open() && errno == ENOENT && creates) {
    file.fd.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    file.is_new = file.fd.is_open();
  }
  if (!file.fd.is_open()) {
    const auto error = base::fail_errno("open " + path).error();
    if (error.error_number == ENOENT && !creates) return refuse(Reason::NoSuchMailbox, error.cause);
    return std::unexpected(refusal_of(error));
  }
  if (::fstat(file.fd.get(), &file.status) != 0) return std::unexpected(refusal_of(base::fail_errno("fstat " + path).error()));
  return file;
}

bool is_in_place(const OpenFile& file, const std::string& path) {
  struct stat now;
  return ::stat(path.c_str(), &now) == 0 && now.st_dev == file.status.st_dev && now.st_ino == file.status.st_ino;
}

// Locked, and still what its path leads to: mail programs put a new file in its place.
Accepted<OpenFile> open_locked(const std::string& path, const MboxLocks& locks, bool creates) {
  const auto deadline = base::monotonic_milliseconds() + locks.patience_milliseconds;
  for (int tries = 0; tries < kOpenTries; ++tries) {
    auto file = open_file(path, creates);
    if (!file || !S_ISREG(file->status.st_mode)) return file;
    if (locks.fcntl)
      if (auto taken = lock_with_fcntl(file->fd.get(), path, deadline); !taken) return std::unexpected(std::move(taken.error()));
    if (locks.dot) {
      auto taken = DotLock::take(path, deadline);
      if (!taken) return std::unexpected(std::move(taken.error()));
      file->dot_lock = std::move(*taken);
    }
    if (is_in_place(*file, path)) return file;
  }
  return refuse(Reason::Trouble, path + ": another file again and again");
}

// What the file has to get in front of a message, so that it begins behind an empty line: a crash may have left half of one.
base::Result<std::string> separator(int fd, std::uint64_t size) {
  if (size == 0) return std::string();
  const auto octets = base::pread_text(fd, size > 1 ? 2 : 1, size > 1 ? size - 2 : 0);
  if (!octets) return octets;
  return std::string(octets->ends_with("\n\n") ? "" : octets->ends_with('\n') ? "\n" : "\n\n");
}

base::Result<void> write_message(int fd, const MboxMessage& message, mail::LineEnd line_end) {
  const auto begun = mail::mbox_from_line(message.sender, base::wall_now()) + message.fields;
  const auto written = mail::write_stored(fd, begun, message.message, line_end, mail::FromLines::Quoted);
  if (!written) return std::unexpected(written.error());
  const bool is_ended = message.message.empty() || message.message.back().ends_with('\n');
  return base::write_all(fd, is_ended ? "\n" : "\n\n");
}

base::Result<void> append(const OpenFile& file, std::uint64_t size, const MboxMessage& message, mail::LineEnd line_end, const std::string& path) {
  const int fd = file.fd.get();
  const auto before = separator(fd, size);
  if (!before) return std::unexpected(before.error());
  if (::lseek(fd, static_cast<off_t>(size), SEEK_SET) < 0) return base::fail_errno("lseek");
  if (const auto written = base::write_all(fd, *before); !written) return written;
  if (const auto written = write_message(fd, message, line_end); !written) return written;
  if (const auto synced = base::sync_data(fd, path); !synced) return synced;
  if (!file.is_new) return {};
  const auto slash = path.rfind('/');
  return base::sync_directory(slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash));
}

}  // namespace

Accepted<void> append_to_mbox(const std::string& path, const MboxMessage& message, mail::LineEnd line_end, const MboxLocks& locks, bool creates) {
  const auto file = open_locked(path, locks, creates);
  if (!file) return std::unexpected(file.error());
  const int fd = file->fd.get();
  if (S_ISCHR(file->status.st_mode)) {
    const auto written = write_message(fd, message, line_end);
    return written ? Accepted<void>() : std::unexpected(refusal_of(base::fail_within(path, written.error()).error()));
  }
  if (!S_ISREG(file->status.st_mode)) return refuse(Reason::Trouble, path + ": neither a file nor a device");
  const auto size = base::file_size(fd);
  if (!size) return std::unexpected(refusal_of(size.error()));
  const auto appended = append(*file, *size, message, line_end, path);
  if (appended) return {};
  if (::ftruncate(fd, static_cast<off_t>(*size)) == 0) (void)::fsync(fd);
  return std::unexpected(refusal_of(base::fail_within(path, appended.error()).error()));
}

}  // namespace maildir
