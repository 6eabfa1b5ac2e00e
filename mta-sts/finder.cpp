#include "mta-sts/finder.h"

#include <utility>

#include "lib/base/log.h"

namespace mta_sts {

Finder::Finder(Store store, authn::LookUp look_up, Fetch fetch, const Times& times, std::function<std::uint64_t()> now)
    : store_(std::move(store)), look_up_(std::move(look_up)), fetch_(std::move(fetch)), times_(times), now_(std::move(now)) {}

Found Finder::find(const std::string& domain) {
  if (auto kept = store_.read(domain); kept && kept->is_fresh(now_())) return {std::move(kept), {}, {}};
  enter(domain);
  Found found;
  if (auto kept = store_.read(domain); kept && kept->is_fresh(now_())) {  // another thread has been there
    found.kept = std::move(kept);
  } else if (auto failed = recent_failure(domain)) {
    found = std::move(*failed);
  } else if (const auto id = published_id(domain)) {
    found = fetch(domain, *id);
  }
  leave(domain);
  return found;
}

bool Finder::refresh(const std::string& domain) {
  enter(domain);
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

void Finder::enter(const std::string& domain) {
  std::unique_lock lock(mutex_);
  left_.wait(lock, [&] { return !busy_.contains(domain); });
  busy_.insert(domain);
}

void Finder::leave(const std::string& domain) {
  const std::scoped_lock lock(mutex_);
  busy_.erase(domain);
  left_.notify_all();
}

}  // namespace mta_sts
