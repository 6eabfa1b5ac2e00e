#include "mta-sts/finder.h"

#include <utility>

#include "lib/base/log.h"

namespace mta_sts {
namespace {

Found busy() { return {std::nullopt, "sts-policy-fetch-error", "too many policies are being fetched"}; }

}  // namespace

Finder::Finder(Store store, authn::LookUp look_up, Fetch fetch, const Times& times, std::function<std::uint64_t()> now, const Limits& limits)
    : store_(std::move(store)), look_up_(std::move(look_up)), fetch_(std::move(fetch)), times_(times), now_(std::move(now)), limits_(limits) {}

Found Finder::find(const std::string& domain) {
  if (auto kept = store_.read(domain); kept && kept->is_fresh(now_())) return {std::move(kept), {}, {}};
  if (auto failed = recent_failure(domain)) return std::move(*failed);
  {
    const std::scoped_lock lock(mutex_);
    if (questions_ >= limits_.questions) return busy();
    ++questions_;
  }
  auto found = find_anew(domain);
  const std::scoped_lock lock(mutex_);
  --questions_;
  return found;
}

Found Finder::find_anew(const std::string& domain) {
  if (!enter(domain, true)) return {std::nullopt, "sts-policy-fetch-error", "its server takes long"};
  Found found;
  if (auto kept = store_.read(domain); kept && kept->is_fresh(now_())) {  // another thread has been there
    found.kept = std::move(kept);
  } else if (auto failed = recent_failure(domain)) {
    found = std::move(*failed);
  } else if (const auto id = published_id(domain)) {
    found = fetch_if_possible(domain, *id);
  }
  leave(domain);
  return found;
}

// A failure for want of room is not remembered: the next message may find some.
Found Finder::fetch_if_possible(const std::string& domain, const std::string& id) {
  {
    const std::scoped_lock lock(mutex_);
    if (fetches_ >= limits_.fetches) return busy();
    ++fetches_;
  }
  auto found = fetch(domain, id);
  const std::scoped_lock lock(mutex_);
  --fetches_;
  return found;
}

bool Finder::refresh(const std::string& domain) {
  if (!enter(domain, false)) return false;
  bool is_fetched = false;
  const auto kept = store_.read(domain);
  const auto id = kept && !recent_failure(domain) ? published_id(domain) : std::nullopt;
  if (id && (*id != kept->id || now_() >= kept->fetched_seconds + times_.refresh_seconds)) {
    is_fetched = true;
    if (const auto found = fetch(domain, *id); !found.kept)
      base::log::warning("MTA-STS policy stays as it is", {{"domain", domain}, {"cause", found.problem}});
  }
  leave(domain);
  return is_fetched;
}

std::optional<std::string> Finder::published_id(const std::string& domain) const {
  const auto answer = look_up_("_mta-sts." + domain, net::dns::Type::Txt);
  return answer.status == net::dns::Status::Found ? authn::sts::find_id(answer.texts()) : std::nullopt;
}

Found Finder::fetch(const std::string& domain, const std::string& id) {
  auto fetched = fetch_(domain);
  Found found{std::nullopt, std::move(fetched.failure), std::move(fetched.problem)};
  if (found.failure.empty()) {
    auto policy = authn::sts::parse_policy(fetched.text);
    if (policy) {
      found.kept = Kept{id, now_(), std::move(fetched.text), std::move(*policy)};
      if (const auto written = store_.write(domain, *found.kept); !written) base::log::error("MTA-STS policy cannot be kept", {{"domain", domain}, {"cause", written.error().cause}});
      return found;
    }
    found.failure = "sts-policy-invalid";
    found.problem = policy.error();
  }
  note_failure(domain, found);
  return found;
}

std::optional<Found> Finder::recent_failure(const std::string& domain) {
  const std::scoped_lock lock(mutex_);
  const auto found = failed_.find(domain);
  if (found == failed_.end()) return std::nullopt;
  if (found->second.until_seconds > now_()) return found->second.found;
  failed_.erase(found);
  return std::nullopt;
}

void Finder::note_failure(const std::string& domain, const Found& found) {
  constexpr std::size_t kMost = 10'000;
  const std::scoped_lock lock(mutex_);
  if (failed_.size() >= kMost) failed_.clear();
  failed_[domain] = {found, now_() + times_.retry_seconds};
}

bool Finder::enter(const std::string& domain, bool waits) {
  std::unique_lock lock(mutex_);
  if (busy_.contains(domain)) {
    if (!waits || waiting_ >= limits_.waiting) return false;
    ++waiting_;
    const bool is_free = left_.wait_for(lock, limits_.patience, [&] { return !busy_.contains(domain); });
    --waiting_;
    if (!is_free) return false;
  }
  busy_.insert(domain);
  return true;
}

void Finder::leave(const std::string& domain) {
  const std::scoped_lock lock(mutex_);
  busy_.erase(domain);
  left_.notify_all();
}

}  // namespace mta_sts
