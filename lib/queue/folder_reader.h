// Reads a folder of messages piece by piece: a million of them are neither waited for nor held at once. A name costs a third
// of a microsecond, a look at its file several times that, and on a cold disk a seek: so files are looked at in the order
// of their inodes, and only when somebody asks for more than names.
#pragma once

#include <dirent.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "lib/base/result.h"
#include "lib/queue/spool.h"

namespace queue {

class FolderReader {
 public:
  struct Name {
    Id id;
    std::uint64_t inode = 0;
  };

  [[nodiscard]] static base::Result<FolderReader> open(const Spool& spool, const Place& place);

  // Puts the next names into `names`, which is emptied first: at most `limit`, in no order, of regular files. false: these are the
  // last. What is not a message goes to `foreign` when given; other quarantines are neither.
  [[nodiscard]] base::Result<bool> next_names(std::size_t limit, std::vector<Name>& names, std::vector<Foreign>* foreign);
  // The same with a look at each file, by inode. Fewer than `limit` are no sign of the end: some may have gone.
  [[nodiscard]] base::Result<bool> next(std::size_t limit, std::vector<Entry>& entries, std::vector<Foreign>* foreign);

  [[nodiscard]] int folder_fd() const { return ::dirfd(directory_.get()); }  // for openat(2)

 private:
  struct Close {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  FolderReader(DIR* directory, std::string path, Place place) : directory_(directory), path_(std::move(path)), place_(std::move(place)) {}
  // nothing: a message; "": neither message nor foreign; else why it is foreign
  [[nodiscard]] std::optional<std::string_view> why_foreign(const dirent& entry, bool is_id) const;

  std::unique_ptr<DIR, Close> directory_;
  std::string path_;
  Place place_;
  std::vector<Name> names_;  // of next()
};

}  // namespace queue
