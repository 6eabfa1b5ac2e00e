// Reads the messages of a folder, many at a time, for View::visit(). A million of them take seconds, not a minute: what nobody
// wants is let go as early as can be, and the system calls of several files overlap in threads.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/unique_fd.h"
#include "lib/queue/folder_reader.h"
#include "lib/queue/view.h"

namespace queue {

class FolderVisit {
 public:
  // All are borrowed.
  FolderVisit(const Spool& spool, const Place& place, const Visitor& visitor, std::vector<Foreign>* foreign)
      : spool_(spool), place_(place), visitor_(visitor), foreign_(foreign) {}
  [[nodiscard]] base::Result<void> run();
  // Of the folder only these, of which some may be gone.
  [[nodiscard]] base::Result<void> run_over(std::span<const Id> ids);

 private:
  // What became of a name.
  struct Look {
    std::optional<Seen> seen;
    std::string why_foreign;
  };
  [[nodiscard]] base::Result<void> open_progress();
  // false: no more are wanted.
  [[nodiscard]] bool hand_out(const std::vector<FolderReader::Name>& names);
  [[nodiscard]] Look look_at(const Id& id) const;
  [[nodiscard]] base::Result<std::optional<Seen>> read(const Id& id) const;

  const Spool& spool_;
  const Place& place_;
  const Visitor& visitor_;
  std::vector<Foreign>* foreign_;
  int folder_ = -1;
  base::UniqueFd progress_;
};

}  // namespace queue
