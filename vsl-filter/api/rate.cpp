// Limits on events by key, shared between processes (vsl.md 5.4).
#include <chrono>

#include "vsl-filter/api/needs.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/soft_refusal.h"
#include "vsl-filter/services/facilities.h"
#include "vsl-filter/services/rate_table.h"

namespace rules {

using vsl::Expected;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

constexpr std::int64_t kMostCount = 1'000'000'000;

Expected<RateTable*> table_of(Run& run) {
  const Site& site = scene_of(run).site;
  auto table = site.facilities->rates(site.state_directory, site.settings.count("rules.rate_keys_max"));
  if (!table) return fail_with(table.error());
  return *table;
}

std::uint64_t now_of(Run& run) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(scene_of(run).site.now().time_since_epoch()).count());
}

Expected<std::uint32_t> number(const Value& value, std::string_view what, std::int64_t least) {
  const std::int64_t given = value.as_int();
  if (given < least || given > kMostCount)
    return vsl::fail_api("the " + std::string(what) + " of a rate must be from " + std::to_string(least) + " to " + std::to_string(kMostCount) + ", not " +
                         std::to_string(given));
  return static_cast<std::uint32_t>(given);
}

Result limit(Run& run, Arguments a) {
  auto count = number(a[1], "count", 0);
  if (!count) return pass_on(count);
  auto seconds = number(a[2], "time in seconds", 1);
  if (!seconds) return pass_on(seconds);
  Reply reply{450, "4.7.1", "Too many requests, try again later"};
  if (a.size() > 3) {
    auto given = reply_argument(a[3]);
    if (!given) return pass_on(given);
    reply = *std::move(given);
  }
  auto table = table_of(run);
  if (!table) return pass_on(table);
  const auto is_within = (*table)->take(name_argument(a[0]), *count, *seconds, now_of(run));
  if (!is_within) return fail_with(is_within.error());
  return *is_within ? value_of(run.heap(), Status{}) : soft_refusal(run, std::move(reply));
}

Result count(Run& run, Arguments a) {
  auto seconds = number(a[1], "time in seconds", 1);
  if (!seconds) return pass_on(seconds);
  auto table = table_of(run);
  if (!table) return pass_on(table);
  const auto counted = (*table)->count(name_argument(a[0]), *seconds, now_of(run));
  if (!counted) return fail_with(counted.error());
  return Value(std::int64_t{*counted});
}

Result penalty(Run& run, Arguments a) {
  auto points = number(a[1], "points", 0);
  if (!points) return pass_on(points);
  auto table = table_of(run);
  if (!table) return pass_on(table);
  return done((*table)->penalty(name_argument(a[0]), *points, now_of(run)));
}

using enum vsl::Type;
constexpr ApiRow kRows[] = {
    api<limit>("rate::limit", "", {Any, Int, Int}, kEvery, "next() for the first COUNT events of a key within SECONDS, then a refusal: rate::limit(client_ip(), 10, 60)",
               vsl::kMustUse | kNoHandle | kGivesStatus | kKeeps),
    api<limit>("rate::limit", "", {Any, Int, Int, Any}, kEvery, "... with this reply", vsl::kMustUse | kNoHandle | kGivesStatus | kKeeps),
    api<count>("rate::count", "", {Any, Int}, kEvery, "how many events of a key rate::limit has counted within SECONDS", vsl::kMustUse | kNoHandle | kKeeps),
    api<penalty>("rate::penalty", "", {Any, Int}, kEvery, "counts POINTS events of a key at once, whatever the window", kNoHandle | kKeeps),
};

}  // namespace

std::span<const ApiRow> rate_rows() { return kRows; }

}  // namespace rules
