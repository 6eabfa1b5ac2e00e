#include "lib/queue/replacement.h"

#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "lib/base/durable.h"
#include "lib/base/io.h"
#include "lib/queue/folders.h"

namespace queue {
namespace {

using base::Result;

std::string draft_path(const Spool& spool, const Id& id) { return spool.path() + "/tmp/" + id.string(); }

Result<std::optional<Draft>> write_draft(const Spool& spool, const Replacement& replacement) {
  // One that a crash left: nobody else writes this message.
  (void)::unlink(draft_path(spool, replacement.item.id).c_str());
  auto draft = Draft::begin(spool, replacement.item.id);
  if (!draft) return std::unexpected(draft.error());
  if (const auto written = draft->write(replacement.item, replacement.message); !written) return std::unexpected(written.error());
  draft->start_writing();
  return std::optional(std::move(*draft));
}

// Somebody may have moved or removed the file by hand meanwhile: then the message is his.
Result<void> require_old(const Spool& spool, const Replacement& replacement) {
  if (!replacement.from) return {};
  const std::string path = spool.file_path(*replacement.from, replacement.item.id);
  if (::access(path.c_str(), F_OK) != 0) return base::fail_errno("replace " + path);
  return {};
}

Result<void> name(const Spool& spool, const Replacement& replacement, Draft& draft) {
  if (const auto is_there = require_old(spool, replacement); !is_there) return is_there;
  const bool is_in_place = replacement.from && *replacement.from == replacement.to;
  if (is_in_place) return draft.publish_over(spool, replacement.to, replacement.modified);
  const auto published = draft.publish(spool, replacement.to, replacement.modified);
  // Of an earlier try that could not take out the old one.
  return published || published.error().error_number != EEXIST ? published : draft.publish_over(spool, replacement.to, replacement.modified);
}

Result<void> take_out_old(const Spool& spool, const Replacement& replacement) {
  if (!replacement.events.empty())
    if (const auto written = spool.write_progress(replacement.item.id, replacement.events); !written) return std::unexpected(written.error());
  if (!replacement.from || *replacement.from == replacement.to) return {};
  const std::string path = spool.file_path(*replacement.from, replacement.item.id);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return base::fail_errno("remove " + path);
  return {};
}

}  // namespace

void write_replacements(const Spool& spool, std::span<Replacement> replacements) {
  std::vector<std::optional<Draft>> drafts(replacements.size());
  const auto each = [&](auto&& step) {
    for (std::size_t i = 0; i < replacements.size(); ++i)
      if (replacements[i].end) step(replacements[i], drafts[i]);
  };
  const auto note = [](Replacement& replacement, const Result<void>& done) {
    if (!done) replacement.end = std::unexpected(done.error());
  };
  each([&](Replacement& one, std::optional<Draft>& draft) {
    auto written = write_draft(spool, one);
    if (written) draft = std::move(*written);
    else one.end = std::unexpected(written.error());
  });
  each([&](Replacement& one, std::optional<Draft>& draft) { note(one, draft->sync()); });
  std::map<Place, Result<void>> folders;
  each([&](Replacement& one, std::optional<Draft>& draft) {
    note(one, name(spool, one, *draft));
    if (one.end) folders.try_emplace(one.to);
  });
  for (auto& [place, synced] : folders) synced = spool.sync_folder(place);
  // What is not certain to be there leaves the old one alone; a second try finds the new file in its way only when it moved.
  each([&](Replacement& one, std::optional<Draft>& draft) {
    note(one, folders.at(one.to));
    if (!one.end && !(one.from && *one.from == one.to)) draft->unpublish();
  });
  each([&](Replacement& one, std::optional<Draft>&) { note(one, take_out_old(spool, one)); });
}

}  // namespace queue
