#include "deliver-remote/route_search.h"

#include <algorithm>
#include <utility>

namespace remote {

using net::dns::Answer;
using net::dns::Type;

RouteSearch::RouteSearch(net::dns::Resolver& resolver, const Options& options, const Target& target, bool asks_dane, Done done)
    : resolver_(resolver), options_(options), target_(target), done_(std::move(done)), asks_dane_(asks_dane) {
  if (target_.kind == Target::Kind::Host) {
    ask_for_hosts({{0, target_.name}});
    return;
  }
  ask(target_.name, Type::Mx, [this](const Answer& mx) {
    is_mx_secure_ = mx.is_secure;
    expanded_ = mx.canonical_name;
    auto hosts = choose_hosts(target_.name, mx, options_.own_names, choose_at_random);
    if (!hosts) return finish(std::unexpected(std::move(hosts.error())));
    ask_for_hosts(std::move(*hosts));
  });
}

RouteSearch::~RouteSearch() {
  for (const auto question : questions_) resolver_.cancel(question);
}

void RouteSearch::ask(const std::string& name, Type type, std::function<void(const Answer&)> on_answer) {
  ++open_;
  questions_.push_back(resolver_.resolve(name, type, [this, on_answer = std::move(on_answer)](const Answer& answer) {
    --open_;
    on_answer(answer);
  }));
}

void RouteSearch::ask_for_hosts(std::vector<net::dns::Mx> hosts) {
  if (hosts.size() > kMaxHosts) hosts.resize(kMaxHosts);
  for (auto& [preference, name] : hosts) {
    auto& host = hosts_.emplace_back();
    host.name = std::move(name);
    host.preference = preference;
    host.ipv4.status = host.ipv6.status = net::dns::Status::NoData;
  }
  const auto on_answer = [this](Answer& slot, const Answer& answer) {
    slot = answer;
    if (open_ == 0) on_hosts();
  };
  for (auto& host : hosts_) {
    if (options_.family != AddressFamily::Ipv6) ask(host.name, Type::A, [&, on_answer](const Answer& answer) { on_answer(host.ipv4, answer); });
    if (options_.family != AddressFamily::Ipv4) ask(host.name, Type::Aaaa, [&, on_answer](const Answer& answer) { on_answer(host.ipv6, answer); });
  }
}

// Who names a host means it, also if it is this one.
AddressRules RouteSearch::rules() const {
  AddressRules rules{target_.port, options_.max_addresses, options_.family};
  if (target_.kind == Target::Kind::Domain) rules.is_own = [this](const net::Address& address) { return options_.own_places.contains(address); };
  return rules;
}

void RouteSearch::on_hosts() {
  auto route = choose_addresses(target_.name, hosts_, rules(), choose_at_random);
  if (!route) return finish(std::unexpected(std::move(route.error())));
  for (auto& to : *route) to.is_authentic = target_.kind != Target::Kind::Domain || is_mx_secure_ || to.name == target_.name;
  if (!asks_dane_) return finish(std::move(*route));
  candidates_ = std::move(*route);
  ask_for_tlsa();
}

// Of hosts that nobody but DNSSEC can have named: RFC 7672 section 2.2.1. Where there is no MX, that must be certain too.
void RouteSearch::ask_for_tlsa() {
  if (target_.kind == Target::Kind::Domain && !is_mx_secure_) return finish(std::move(candidates_));
  std::vector names{target_.name};
  if (!expanded_.empty()) names.push_back(expanded_);
  std::vector<const Host*> asked;
  for (const auto& host : hosts_) {
    if (std::ranges::none_of(candidates_, [&](const Candidate& to) { return to.name == host.name; })) continue;
    asked.push_back(&host);
    const auto on_found = [this, name = host.name](std::shared_ptr<const DaneHost> found) {
      for (auto& to : candidates_)
        if (to.name == name) to.dane = found;
      on_tlsa();
    };
    dane_searches_.push_back(std::make_unique<DaneSearch>(resolver_, target_.port, names, on_found));
  }
  open_ = asked.size() + 1;  // one for us: a search may be over at once
  for (std::size_t i = 0; i < asked.size(); ++i) dane_searches_[i]->start(*asked[i]);
  on_tlsa();
}

void RouteSearch::on_tlsa() {
  if (--open_ == 0) finish(std::move(candidates_));
}

void RouteSearch::finish(std::expected<std::vector<Candidate>, Verdict> route) {
  const auto done = std::move(done_);
  done(std::move(route));
}

}  // namespace remote
