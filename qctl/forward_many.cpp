#include "qctl/forward_many.h"

#include <unistd.h>

#include <optional>

#include "lib/queue/share_out.h"
#include "lib/queue/view.h"
#include "qctl/forward.h"

namespace qctl {
namespace {

constexpr std::size_t kThreads = 16;  // they wait for the disk, whose syncs then come together

// To deliver/: the rules that set the original aside would find it in the copy.
const queue::Place kTo{queue::State::Deliver, {}};

struct Copy {
  std::optional<queue::Draft> draft;
  base::Result<queue::Id> id;
};

// The copy as a file that has no name in the queue yet, synced.
base::Result<queue::Id> write_copy(const queue::Spool& spool, const queue::Id& id, const std::string& address, const std::string& server, std::optional<queue::Draft>& draft) {
  const auto seen = queue::View(spool).find(id);
  if (!seen) return std::unexpected(seen.error());
  const auto copy = forwarded(*seen, address, server, base::wall_now());
  if (!copy) return std::unexpected(copy.error());
  auto begun = queue::Draft::begin(spool, copy->item.id);
  if (!begun) return std::unexpected(begun.error());
  draft = std::move(*begun);
  auto written = draft->write(copy->item, copy->octets);
  if (written) written = draft->sync();
  if (!written) return std::unexpected(written.error());
  return copy->item.id;
}

}  // namespace

std::vector<base::Result<queue::Id>> forward_many(queue::Spool& spool, std::span<const queue::Id> ids, const std::string& address, const std::string& server) {
  std::vector<Copy> copies(ids.size());
  queue::share_out(ids.size(), [&](std::size_t i) { copies[i].id = write_copy(spool, ids[i], address, server, copies[i].draft); }, 1, kThreads);
  for (auto& copy : copies)
    if (copy.id)
      if (const auto named = copy.draft->publish(spool, kTo); !named) copy.id = std::unexpected(named.error());
  const auto synced = spool.sync_folder(kTo);
  std::vector<base::Result<queue::Id>> done;
  for (std::size_t i = 0; i < copies.size(); ++i) {
    auto& copy = copies[i];
    if (copy.id && !synced) {
      copy.draft->unpublish();
      copy.id = std::unexpected(synced.error());
    }
    if (copy.id) spool.remark(ids[i], "copy " + copy.id->string() + " forwarded to " + address + " with qctl by uid " + std::to_string(::getuid()));
    done.push_back(copy.id);
  }
  return done;
}

}  // namespace qctl
