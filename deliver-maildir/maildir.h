// One Maildir and the files that come into it, as maildir(5) defines them: a message is written outside of new/, and has
// a name there only when it is complete.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/base/unique_fd.h"

namespace maildir {

class Maildir {
 public:
  // `path`/tmp and `path`/new must be there; error_number is ENOENT when one is not.
  [[nodiscard]] static base::Result<std::shared_ptr<const Maildir>> open(const std::string& path);
  // Makes `path` with tmp, new and cur, and the directories above it, all 0700; what is there already stays.
  [[nodiscard]] static base::Result<void> create(const std::string& path);

  // The same for a folder of a Maildir++, which a file `maildirfolder` tells from a Maildir of its own.
  [[nodiscard]] static base::Result<void> create_folder(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int tmp() const { return tmp_.get(); }
  [[nodiscard]] int incoming() const { return new_.get(); }  // new/
  [[nodiscard]] dev_t device() const { return device_; }
  // Whether `path` still leads here: an administrator may have moved or removed the Maildir since it was opened.
  [[nodiscard]] bool is_in_place() const;
  [[nodiscard]] std::uint64_t opened_at_milliseconds() const { return opened_at_milliseconds_; }  // monotonic
  // Removes files of tmp/ that nobody wrote to for 36 hours: whoever made them has died.
  void remove_stale_files(base::WallTime now) const;

 private:
  explicit Maildir(std::string path) : path_(std::move(path)) {}

  std::string path_;
  base::UniqueFd tmp_;
  base::UniqueFd new_;
  dev_t device_ = 0;
  ino_t inode_ = 0;  // of new/
  std::uint64_t opened_at_milliseconds_ = base::monotonic_milliseconds();
};

// A message on its way into a Maildir. Until publish() it has no name where the file system can do so (O_TMPFILE), else
// `name` in tmp/; destroyed before that, it is gone.
class NewFile {
 public:
  [[nodiscard]] static base::Result<NewFile> create(std::shared_ptr<const Maildir> maildir, const std::string& name);
  NewFile(NewFile&& other) noexcept = default;
  NewFile& operator=(NewFile&& other) noexcept;
  ~NewFile();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const Maildir& maildir() const { return *maildir_; }
  // Gives it `name` in new/; never replaces a file. The octets must be durable before, new/ must be made so afterwards.
  [[nodiscard]] base::Result<void> publish(const std::string& name);

 private:
  NewFile(std::shared_ptr<const Maildir> maildir, base::UniqueFd fd, std::string temporary_name)
      : maildir_(std::move(maildir)), fd_(std::move(fd)), temporary_name_(std::move(temporary_name)) {}

  std::shared_ptr<const Maildir> maildir_;
  base::UniqueFd fd_;
  std::string temporary_name_;  // in tmp/; "" when it has none
};

}  // namespace maildir
