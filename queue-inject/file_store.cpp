#include "queue-inject/file_store.h"

#include <sys/stat.h>

#include <map>
#include <optional>

using queue::Draft;

namespace {

std::unexpected<StoreFailure> failed(Step step, base::Error error) { return std::unexpected(StoreFailure{step, std::move(error)}); }

std::expected<Draft, StoreFailure> write_draft(const queue::Spool& spool, const Accepted& message) {
  auto draft = Draft::begin(spool, message.item.id);
  if (!draft) return failed(Step::Draft, draft.error());
  if (const auto written = draft->write(message.item, message.message); !written) return failed(Step::Write, written.error());
  return std::move(*draft);
}

}  // namespace

std::expected<queue::Spool, StoreFailure> open_spool(const std::string& where) {
  auto spool = queue::Spool::open(where);
  if (spool) return std::move(*spool);
  return failed(spool.error().error_number == ENOENT ? Step::Home : Step::Spool, spool.error());
}

std::vector<Stored> store(const queue::Spool& spool, std::span<const Accepted> messages) {
  std::vector<Stored> results(messages.size());
  std::vector<std::optional<Draft>> drafts(messages.size());
  const auto each = [&](auto&& step) {
    for (std::size_t i = 0; i < messages.size(); ++i)
      if (results[i]) step(i);
  };
  each([&](std::size_t i) {
    auto draft = write_draft(spool, messages[i]);
    if (!draft) results[i] = std::unexpected(draft.error());
    else drafts[i] = std::move(*draft);
    if (draft && messages.size() > 1) drafts[i]->start_writing();
  });
  each([&](std::size_t i) {
    if (const auto synced = drafts[i]->sync(); !synced) results[i] = failed(Step::Write, synced.error());
  });
  std::map<queue::Place, base::Result<void>> folders;
  each([&](std::size_t i) {
    if (const auto published = drafts[i]->publish(spool, messages[i].place, messages[i].modified); !published) results[i] = failed(Step::Publish, published.error());
    else folders.try_emplace(messages[i].place);
  });
  for (auto& [place, synced] : folders) synced = spool.sync_folder(place);
  each([&](std::size_t i) {
    const auto& synced = folders.at(messages[i].place);
    if (synced) return;
    drafts[i]->unpublish();
    results[i] = failed(Step::Write, synced.error());
  });
  return results;
}
