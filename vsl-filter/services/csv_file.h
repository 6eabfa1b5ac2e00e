// A CSV file as a small database: records found by their first field. Service `db:csv` of the specification, 2.6.
//
// The whole file is held in memory with an index by key. It is read again when its time or size has changed; when it has only
// grown, only what is new is indexed. Other processes may use the same file: writers hold a lock on it, remove() puts a new file
// in its place.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"

namespace rules {

class CsvFile {
 public:
  struct Options {
    std::string path;
    std::string delimiter = ",";
    bool may_read = true;
    bool may_write = true;
    bool refreshes = true;  // false: what others write after the load is not seen
  };

  explicit CsvFile(Options options) : options_(std::move(options)) {}
  // To be called once, before the others: the file must exist, and be well-formed when it may be read.
  [[nodiscard]] base::Result<void> load();

  // All may be called by any thread. The fields of the first record whose first field is `key`; empty: there is none.
  [[nodiscard]] base::Result<std::vector<std::string>> get(std::string_view key);
  // Appends a record. In one write(2) under a lock, not synced: a crash of the machine may lose it, but not break the file.
  [[nodiscard]] base::Result<void> add(std::span<const std::string> fields);
  // Deletes all records of the key; durably, all at once.
  [[nodiscard]] base::Result<void> remove(std::string_view key);

 private:
  // What tells one state of the file from another.
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec changed = {};
    friend bool operator==(const Identity& a, const Identity& b) {
      return a.device == b.device && a.inode == b.inode && a.size == b.size && a.changed.tv_sec == b.changed.tv_sec &&
             a.changed.tv_nsec == b.changed.tv_nsec;
    }
  };
  struct Place {
    std::size_t begin, end;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Index = std::unordered_map<std::string, Place, Hash, std::equal_to<>>;

  [[nodiscard]] static Identity identity_of(const struct stat& status);
  [[nodiscard]] base::Result<bool> is_current() const;
  [[nodiscard]] base::Result<void> refresh();
  [[nodiscard]] base::Result<void> read_from(int fd);
  [[nodiscard]] base::Result<void> index_from(std::size_t offset);
  [[nodiscard]] base::Result<base::UniqueFd> open_locked() const;
  [[nodiscard]] base::Result<void> replace(const struct stat& old, std::string_view text) const;
  [[nodiscard]] std::vector<std::string> find(std::string_view key) const;

  const Options options_;
  std::shared_mutex mutex_;  // of all below
  Identity identity_;
  // A file that changes twice within a tick of the file system's clock may look the same: what was read so soon after a change
  // is read again.
  bool is_settled_ = false;
  std::string text_;
  Index index_;
};

}  // namespace rules
