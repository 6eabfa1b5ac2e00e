#include "deliver-maildir/maildir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

#include "lib/base/durable.h"
#include "lib/base/io.h"

namespace maildir {
namespace {

constexpr auto kStaleAfter = std::chrono::hours(36);  // maildir(5)

// An unnamed file gets its name through /proc, which a chroot may lack.
bool can_name_unnamed_files() {
  static const bool can = ::access("/proc/self/fd", X_OK) == 0;
  return can;
}

bool lacks_unnamed_files(int error_number) {
  return error_number == EOPNOTSUPP || error_number == EISDIR || error_number == EINVAL;  // the last two: kernels that do not know O_TMPFILE
}

}  // namespace

base::Result<std::shared_ptr<const Maildir>> Maildir::open(const std::string& path) {
  auto tmp = base::open_file(path + "/tmp", O_RDONLY | O_DIRECTORY);
  if (!tmp) return std::unexpected(tmp.error());
  auto incoming = base::open_file(path + "/new", O_RDONLY | O_DIRECTORY);
  if (!incoming) return std::unexpected(incoming.error());
  struct stat status;
  if (::fstat(incoming->get(), &status) != 0) return base::fail_errno("fstat " + path + "/new");
  const std::shared_ptr<Maildir> maildir(new Maildir(path));
  maildir->tmp_ = std::move(*tmp);
  maildir->new_ = std::move(*incoming);
  maildir->device_ = status.st_dev;
  maildir->inode_ = status.st_ino;
  return maildir;
}

base::Result<void> Maildir::create(const std::string& path) {
  for (const auto* part : {"/tmp", "/new", "/cur"})
    if (auto made = base::make_directories(path + part, 0700); !made) return made;
  return {};
}

base::Result<void> Maildir::create_folder(const std::string& path) {
  if (auto made = create(path); !made) return made;
  const auto mark = base::open_file(path + "/maildirfolder", O_WRONLY | O_CREAT);
  if (!mark) return std::unexpected(mark.error());
  return base::sync_directory(path);
}

bool Maildir::is_in_place() const {
  struct stat status;
  return ::stat((path_ + "/new").c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

void Maildir::remove_stale_files(base::WallTime now) const {
  base::UniqueFd listing(::openat(tmp(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!listing.is_open()) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(listing.get()), &::closedir);
  if (!entries) return;
  (void)listing.release();  // closedir does it
  const auto oldest = std::chrono::system_clock::to_time_t(now - kStaleAfter);
  while (const dirent* entry = ::readdir(entries.get())) {
    struct stat status;
    if (::fstatat(tmp(), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) continue;
    if (status.st_mtime < oldest) ::unlinkat(tmp(), entry->d_name, 0);
  }
}

base::Result<NewFile> NewFile::create(std::shared_ptr<const Maildir> maildir, const std::string& name) {
  if (can_name_unnamed_files()) {
    base::UniqueFd fd(::openat(maildir->tmp(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
    if (fd.is_open()) return NewFile(std::move(maildir), std::move(fd), "");
    if (!lacks_unnamed_files(errno)) return base::fail_errno("create a file in " + maildir->path() + "/tmp");
  }
  base::UniqueFd fd(::openat(maildir->tmp(), name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  if (!fd.is_open()) return base::fail_errno("create " + maildir->path() + "/tmp/" + name);
  return NewFile(std::move(maildir), std::move(fd), name);
}

NewFile::~NewFile() {
  if (maildir_ && !temporary_name_.empty()) ::unlinkat(maildir_->tmp(), temporary_name_.c_str(), 0);
}

NewFile& NewFile::operator=(NewFile&& other) noexcept {
  std::swap(maildir_, other.maildir_);
  std::swap(fd_, other.fd_);
  std::swap(temporary_name_, other.temporary_name_);
  return *this;
}

base::Result<void> NewFile::publish(const std::string& name) {
  int failed;
  if (temporary_name_.empty()) {
    const std::string unnamed = "/proc/self/fd/" + std::to_string(fd_.get());
    failed = ::linkat(AT_FDCWD, unnamed.c_str(), maildir_->incoming(), name.c_str(), AT_SYMLINK_FOLLOW);
  } else {
    // Not rename(2), which replaces. The name in tmp/ goes with this object; if we die before, in 36 hours.
    failed = ::linkat(maildir_->tmp(), temporary_name_.c_str(), maildir_->incoming(), name.c_str(), 0);
  }
  if (failed != 0) return base::fail_errno("link into " + maildir_->path() + "/new/" + name);
  return {};
}

}  // namespace maildir
