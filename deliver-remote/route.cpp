#include "deliver-remote/route.h"

#include <sys/random.h>

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "lib/base/text.h"

namespace remote {
namespace {

using Class = Verdict::Class;
using net::dns::Answer;
using net::dns::Status;

// What an answer that is neither yes nor no means for the mail.
std::optional<Verdict> trouble(const Answer& answer) {
  switch (answer.status) {
    case Status::Temporary: return our_verdict(Class::Temporary, 451, "4.4.3", "DNS: " + answer.problem);
    case Status::Bogus: return our_verdict(Class::Temporary, 451, "4.7.5", "DNSSEC: " + answer.problem);
    case Status::Found:
    case Status::NoData:
    case Status::NoName: break;
  }
  return std::nullopt;
}

bool is_own(std::string_view host, std::span<const std::string> own_names) {
  return std::ranges::any_of(own_names, [&](const std::string& own) { return base::text::equal_ignoring_case(host, own); });
}

// std::shuffle with numbers of our choice.
template <class Range>
void shuffle(Range&& range, const Choose& choose) {
  const auto count = static_cast<std::size_t>(std::ranges::size(range));
  for (std::size_t left = count; left > 1; --left) std::swap(range[left - 1], range[choose(left)]);
}

void shuffle_equals(std::vector<net::dns::Mx>& hosts, const Choose& choose) {
  for (std::size_t begin = 0, end = 0; begin < hosts.size(); begin = end) {
    for (end = begin; end < hosts.size() && hosts[end].preference == hosts[begin].preference;) ++end;
    shuffle(std::span(hosts).subspan(begin, end - begin), choose);
  }
}

std::vector<std::string> addresses_of(const Answer& answer, const Choose& choose) {
  auto addresses = answer.addresses();
  shuffle(addresses, choose);
  return addresses;
}

}  // namespace

std::size_t choose_at_random(std::size_t bound) {
  static std::minstd_rand generator = [] {
    unsigned seed = 1;
    if (::getrandom(&seed, sizeof seed, 0) < 0) seed = static_cast<unsigned>(::getpid());
    return std::minstd_rand(seed);
  }();
  return std::uniform_int_distribution<std::size_t>(0, bound - 1)(generator);
}

namespace {

std::unexpected<Verdict> loops(const std::string& domain, const std::string& own) {
  return std::unexpected(our_verdict(Class::Permanent, 554, "5.4.6", "mail for " + domain + " loops back: its best mail exchanger " + own + " is this host"));
}

}  // namespace

std::expected<std::vector<net::dns::Mx>, Verdict> choose_hosts(const std::string& domain, const Answer& mx, std::span<const std::string> own_names,
                                                               const Choose& choose) {
  if (auto verdict = trouble(mx)) return std::unexpected(std::move(*verdict));
  if (mx.status == Status::NoName) return std::unexpected(our_verdict(Class::Permanent, 550, "5.1.2", "no such domain: " + domain));
  if (mx.status == Status::NoData) {
    if (is_own(domain, own_names)) return loops(domain, domain);
    return std::vector{net::dns::Mx{0, domain}};
  }

  auto hosts = mx.mx();
  const bool is_null = hosts.size() == 1 && hosts[0].host.empty();
  // RFC 7505 section 3; a root beside other hosts is no null MX, and no host either.
  if (is_null) return std::unexpected(our_verdict(Class::Permanent, 556, "5.1.10", domain + " accepts no mail (null MX)"));
  std::erase_if(hosts, [](const auto& host) { return host.host.empty(); });
  if (hosts.empty()) return std::unexpected(our_verdict(Class::Permanent, 550, "5.4.4", "no MX record of " + domain + " names a host"));
  std::ranges::sort(hosts, {}, &net::dns::Mx::preference);

  // RFC 5321 section 5.1: a relay that is in the list itself uses what is better than itself, or mail would go in circles.
  const auto own = std::ranges::find_if(hosts, [&](const auto& host) { return is_own(host.host, own_names); });
  if (own != hosts.end()) {
    const auto [name, preference] = std::pair(own->host, own->preference);
    std::erase_if(hosts, [&](const auto& host) { return host.preference >= preference; });
    if (hosts.empty()) return loops(domain, name);
  }

  shuffle_equals(hosts, choose);
  std::vector<net::dns::Mx> chosen;
  for (auto& host : hosts) {
    const bool is_new = std::ranges::none_of(chosen, [&](const auto& one) { return base::text::equal_ignoring_case(one.host, host.host); });
    if (is_new) chosen.push_back(std::move(host));
  }
  return chosen;
}

std::string Candidate::text() const {
  if (!address.is_ip()) return address.text();
  const bool is_bare = name.empty() || name == address.ip();
  return (is_bare ? "" : name) + "[" + address.ip() + "]:" + std::to_string(address.port());
}

namespace {

// In the order in which they are tried.
std::vector<Candidate> candidates_of(const Host& host, const AddressRules& rules, const Choose& choose) {
  const auto ipv6 = addresses_of(host.ipv6, choose), ipv4 = addresses_of(host.ipv4, choose);
  std::vector<Candidate> candidates;
  const auto add = [&](const std::vector<std::string>& addresses, std::size_t i) {
    if (i >= addresses.size()) return;
    if (auto address = net::Address::from_ip(addresses[i], rules.port)) candidates.push_back({host.name, *address, false});
  };
  for (std::size_t i = 0; i < std::max(ipv6.size(), ipv4.size()); ++i) {
    add(ipv6, i);
    add(ipv4, i);
  }
  const auto is_preferred = [&](const Candidate& candidate) { return (candidate.address.system()->sa_family == AF_INET) == (rules.family == AddressFamily::PreferIpv4); };
  if (rules.family == AddressFamily::PreferIpv4 || rules.family == AddressFamily::PreferIpv6) std::ranges::stable_partition(candidates, is_preferred);
  return candidates;
}

}  // namespace

std::expected<std::vector<Candidate>, Verdict> choose_addresses(const std::string& domain, std::span<const Host> hosts, const AddressRules& rules, const Choose& choose) {
  std::vector<std::vector<Candidate>> by_host;
  const Host* own = nullptr;  // the best of them
  std::optional<Verdict> problem;
  std::string names;
  for (const auto& host : hosts) {
    by_host.push_back(candidates_of(host, rules, choose));
    const bool is_own = rules.is_own && std::ranges::any_of(by_host.back(), [&](const Candidate& candidate) { return rules.is_own(candidate.address); });
    if (is_own && (own == nullptr || host.preference < own->preference)) own = &host;
    if (!problem) problem = trouble(host.ipv4);
    if (!problem) problem = trouble(host.ipv6);
    names += (names.empty() ? "" : ", ") + host.name;
  }
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (own != nullptr && hosts[i].preference >= own->preference) continue;  // RFC 5321 section 5.1, as choose_hosts() by name
    for (auto& candidate : by_host[i])
      if (candidates.size() < rules.max_addresses) candidates.push_back(std::move(candidate));
  }
  if (!candidates.empty()) return candidates;
  if (problem) return std::unexpected(std::move(*problem));
  if (own != nullptr) return loops(domain, own->name);
  const bool is_itself = hosts.size() == 1 && hosts[0].name == domain;
  if (is_itself) return std::unexpected(our_verdict(Class::Permanent, 550, "5.1.2", domain + " has no address"));
  return std::unexpected(our_verdict(Class::Permanent, 550, "5.4.4", "no mail exchanger of " + domain + " has an address: " + names));
}

}  // namespace remote
