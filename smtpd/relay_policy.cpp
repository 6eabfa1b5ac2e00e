#include "smtpd/relay_policy.h"

#include <algorithm>

#include "lib/mail/address.h"

namespace smtpd {

base::Result<RelayPolicy> RelayPolicy::from(const base::Settings& settings) {
  RelayPolicy policy;
  policy.local_domains_ = mail::DomainList(settings.words("delivery.local_domains"));
  policy.relay_domains_ = mail::DomainList(settings.words("smtp.relay_domains"));
  for (const auto& word : settings.words("smtp.relay_clients")) {
    const auto network = net::Network::parse(word);
    if (!network) return base::fail(base::Fault::Config, "smtp.relay_clients: " + network.error().cause);
    policy.relay_clients_.push_back(*network);
  }
  return policy;
}

bool RelayPolicy::is_relay_client(const net::Address& client) const {
  return std::ranges::any_of(relay_clients_, [&](const net::Network& network) { return network.contains(client); });
}

bool RelayPolicy::takes(std::string_view recipient, bool is_relay_client) const {
  if (is_relay_client) return true;
  const auto domain = mail::split_address(recipient).second;
  return domain.empty() || local_domains_.contains(domain) || relay_domains_.contains(domain);
}

}  // namespace smtpd
