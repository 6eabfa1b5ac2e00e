#include "smtpd/relay_policy.h"

#include <algorithm>

#include "lib/mail/address.h"

namespace smtpd {

namespace {

base::Result<std::vector<net::Network>> networks_of(const base::Settings& settings, std::string_view setting) {
  std::vector<net::Network> networks;
  for (const auto& word : settings.words(setting)) {
    const auto network = net::Network::parse(word);
    if (!network) return base::fail(base::Fault::Config, std::string(setting) + ": " + network.error().cause);
    networks.push_back(*network);
  }
  return networks;
}

bool has(const std::vector<net::Network>& networks, const net::Address& client) {
  return std::ranges::any_of(networks, [&](const net::Network& network) { return network.contains(client); });
}

}  // namespace

base::Result<RelayPolicy> RelayPolicy::from(const base::Settings& settings) {
  RelayPolicy policy;
  policy.local_domains_ = mail::DomainList(settings.words("delivery.local_domains"));
  // Who has no address of its own has clients that cannot be told from others before they ask for its name, and most never do.
  auto relayed = settings.words("smtp.relay_domains");
  for (const auto& domain : settings.names("virtual"))
    if (settings.words(base::Settings::named("virtual", domain, "address")).empty()) std::ranges::move(settings.words(base::Settings::named("virtual", domain, "relay_domains")), std::back_inserter(relayed));
  policy.relay_domains_ = mail::DomainList(relayed);
  auto srs = mail::Srs::from(settings);
  if (!srs) return std::unexpected(srs.error());
  policy.srs_ = std::move(*srs);
  const std::pair<std::string_view, std::vector<net::Network>*> lists[] = {
      {"smtp.relay_clients", &policy.relay_clients_}, {"smtp.proxy_clients", &policy.proxies_}, {"smtp.xclient_clients", &policy.speakers_}};
  for (const auto& [setting, networks] : lists) {
    auto read = networks_of(settings, setting);
    if (!read) return std::unexpected(read.error());
    *networks = std::move(*read);
  }
  return policy;
}

bool RelayPolicy::is_relay_client(const net::Address& client) const { return has(relay_clients_, client); }
bool RelayPolicy::is_proxy(const net::Address& client) const { return has(proxies_, client); }
bool RelayPolicy::may_speak_for_others(const net::Address& client) const { return has(speakers_, client); }

bool RelayPolicy::relays_to(std::string_view recipient) const {
  const auto domain = mail::split_address(recipient).second;
  return relay_domains_.contains(domain) && !local_domains_.contains(domain);
}

std::optional<mail::Srs::Fault> RelayPolicy::fault_of_return(std::string_view recipient) const {
  if (!srs_ || !srs_->is_ours(recipient)) return std::nullopt;
  const auto sender = srs_->reverse(recipient, base::wall_now());
  return sender ? std::nullopt : std::optional(sender.error());
}

bool RelayPolicy::takes(std::string_view recipient, bool is_relay_client) const {
  if (srs_ && srs_->is_ours(recipient)) return !fault_of_return(recipient);
  if (is_relay_client) return true;
  const auto domain = mail::split_address(recipient).second;
  return domain.empty() || local_domains_.contains(domain) || relay_domains_.contains(domain);
}

}  // namespace smtpd
