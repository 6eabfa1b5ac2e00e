#include "deliver-remote/deliverer.h"

#include <utility>

namespace remote {

// A log-in is shown to hosts only that the configuration has named for it: what DNS or a rule says is no reason to show a password.
std::shared_ptr<const Profile> Deliverer::profile_of(std::string_view host, std::string_view domain, const Target& target) const {
  const auto* said = options_.hosts.find(domain);
  const auto given = Target::parse(host, options_.port);
  const bool is_domain = !given || given->kind == Target::Kind::Domain;
  const bool goes_own_way = is_domain || (said != nullptr && *said == host) || (said == nullptr && host == options_.relay_host);
  if (const auto* section = options_.profiles.find(domain); section != nullptr && goes_own_way) return *section;
  if (const auto* section = options_.profiles.at(target.name)) return *section;
  const bool is_relay = options_.relay && target.name == options_.relay->name && target.port == options_.relay->port;
  const bool is_by_hand = options_.relay_host.empty() && target.kind != Target::Kind::Domain;
  return is_relay || is_by_hand ? options_.profile : options_.profile_without_login;
}

void Deliverer::deliver(Job job, Done done) {
  const auto on_done = [this, done = std::move(done)](Delivery& delivery, std::vector<Outcome> outcomes) {
    deliveries_.erase(&delivery);
    done(std::move(outcomes));
  };
  auto delivery = std::make_unique<Delivery>(resolver_, pool_, hosts_, journal_, sts_ ? &*sts_ : nullptr, options_, std::move(job), on_done);
  auto& started = *delivery;
  deliveries_.emplace(&started, std::move(delivery));
  started.start();
}

}  // namespace remote
