#include "qctl/estimate.h"

#include <algorithm>
#include <array>

#include "lib/queue/catalog.h"
#include "lib/queue/control.h"
#include "lib/queue/view.h"

namespace qctl {
namespace {

constexpr auto kLimits = [] {
  std::array<std::chrono::seconds, kAgeLimits.size()> limits{};
  for (std::size_t i = 0; i < limits.size(); ++i) limits[i] = std::chrono::minutes(kAgeLimits[i]);
  return limits;
}();

std::optional<Glance> ask_queue_run(const queue::Spool& spool) {
  constexpr std::uint64_t kPatienceMilliseconds = 1000;
  const auto summary = queue::Control(spool, kPatienceMilliseconds).summary(kLimits);
  if (!summary) return std::nullopt;
  Glance glance{.counts = {}, .oldest = summary->oldest, .octets = summary->octets, .next_attempt = summary->next_attempt};
  glance.counts.total = summary->messages;
  std::ranges::copy(summary->by_age, glance.counts.by_age.begin());
  return glance;
}

void add(Glance& glance, const queue::Id& id, base::WallTime now) {
  glance.counts.add(std::chrono::duration_cast<std::chrono::seconds>(now - id.time()));
  if (!glance.oldest || id < *glance.oldest) glance.oldest = id;
}

// Those that queue-run has not got to yet are not counted.
std::optional<Glance> count_in(const queue::Catalog& catalog, base::WallTime now) {
  Glance glance{.counts = {}, .oldest = {}, .octets = 0, .next_attempt = {}};
  const auto counted = queue::count_catalog(catalog, [&](const queue::Brief& brief) {
    add(glance, brief.listed.id, now);
    *glance.octets += brief.listed.octets;
    glance.next_attempt = std::min(glance.next_attempt.value_or(brief.listed.modified), brief.listed.modified);
  });
  return counted ? std::optional(glance) : std::nullopt;
}

base::Result<Glance> count_names(const queue::Spool& spool, const queue::Place& place, base::WallTime now) {
  Glance glance;
  const auto on_name = [&](const queue::Id& id) { return add(glance, id, now), true; };
  const auto listed = place.state == queue::State::Working ? queue::View(spool).list(place, [&](const queue::Listed& one) { return on_name(one.id); })
                                                           : spool.list_names(place, on_name);
  if (!listed) return std::unexpected(listed.error());
  return glance;
}

base::Result<void> sample(const queue::Spool& spool, const queue::Place& place, const std::function<void(const Entry&)>& on_sample) {
  std::size_t read = 0;
  const queue::Visitor visitor{.on_seen = [&](const queue::Seen& seen) { return on_sample(entry_of(seen)), ++read < kSample; }};
  return queue::View(spool).visit(place, visitor);
}

}  // namespace

base::Result<bool> is_large(const queue::Spool& spool, const queue::Place& place) {
  std::size_t count = 0;
  const auto listed = spool.list_names(place, [&](const queue::Id&) { return ++count <= kMostRead; });
  if (!listed) return std::unexpected(listed.error());
  return count > kMostRead;
}

base::Result<Glance> glance_at(const queue::Spool& spool, const queue::Place& place, base::WallTime now, const std::function<void(const Entry&)>& on_sample) {
  const bool is_deferred = place.state == queue::State::Deferred;
  auto catalog = is_deferred ? queue::whole_catalog(spool) : std::nullopt;
  auto glance = is_deferred ? ask_queue_run(spool) : std::nullopt;
  if (!glance && catalog) glance = count_in(catalog->catalog, now);
  if (!glance) {
    auto counted = count_names(spool, place, now);
    if (!counted) return counted;
    glance = std::move(*counted);
  }
  if (!on_sample) return std::move(*glance);
  const auto sampled = catalog ? queue::sample_catalog(catalog->catalog, kSample, [&](const queue::Brief& brief) { on_sample(entry_of(brief)); })
                               : sample(spool, place, on_sample);
  if (!sampled) return std::unexpected(sampled.error());
  return std::move(*glance);
}

}  // namespace qctl
