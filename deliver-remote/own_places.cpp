#include "deliver-remote/own_places.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "lib/base/text.h"

namespace remote {
namespace {

std::vector<std::string> addresses_of_machine() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(all, &::freeifaddrs);
  std::vector<std::string> addresses;
  for (const auto* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_addr->sa_family != AF_INET && one->ifa_addr->sa_family != AF_INET6)) continue;
    const socklen_t length = one->ifa_addr->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    addresses.push_back(net::Address::from_system(one->ifa_addr, length).ip());
  }
  return addresses;
}

bool is_loopback(std::string_view ip) { return ip.starts_with("127.") || ip == "::1"; }
bool is_any(std::string_view ip) { return ip == "0.0.0.0" || ip == "::"; }

}  // namespace

base::Result<OwnPlaces> OwnPlaces::make(const std::vector<std::string>& listen, const std::vector<std::string>& others, std::vector<std::string> of_machine) {
  OwnPlaces own;
  for (const auto& word : listen) {
    const bool is_port = base::text::parse_number<std::uint16_t>(word).has_value();
    const auto places = is_port ? std::vector{"127.0.0.1:" + word, "[::1]:" + word} : std::vector{word};
    for (const auto& place : places) {
      auto address = net::Address::parse(place);
      if (!address) return base::fail(base::Fault::Config, "smtp.listen '" + word + "': " + address.error().cause);
      if (address->is_ip()) own.listening_.push_back(*address);
    }
  }
  for (const auto& word : others) {
    const auto address = net::Address::from_ip(word, 0);
    if (!address) return base::fail(base::Fault::Config, "remote.own_addresses '" + word + "'; expected: an IPv4 or IPv6 address");
    own.others_.push_back(address->ip());
  }
  own.of_machine_ = std::move(of_machine);
  return own;
}

base::Result<OwnPlaces> OwnPlaces::read(const base::Settings& settings) {
  const auto listen = settings.words("smtp.listen");
  // The interfaces are asked for only where it matters: most calls of a program know their address.
  const bool is_anywhere = std::ranges::any_of(listen, [](const std::string& word) { return word.starts_with("0.0.0.0:") || word.starts_with("[::]:"); });
  return make(listen, settings.words("remote.own_addresses"), is_anywhere ? addresses_of_machine() : std::vector<std::string>());
}

bool OwnPlaces::contains(const net::Address& address) const {
  if (!address.is_ip()) return false;
  const auto ip = address.ip();
  if (std::ranges::find(others_, ip) != others_.end()) return true;
  const bool is_of_machine = is_loopback(ip) || std::ranges::find(of_machine_, ip) != of_machine_.end();
  return std::ranges::any_of(listening_, [&](const net::Address& own) {
    if (own.port() != address.port()) return false;
    const bool is_same_family = own.system()->sa_family == address.system()->sa_family;
    return own.ip() == ip || (is_any(own.ip()) && is_same_family && is_of_machine);
  });
}

}  // namespace remote
