#include "lib/net/certificate_names.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/net/socket.h"

namespace net::tls {
namespace {

namespace text = base::text;

bool ends_with(std::string_view name, std::string_view end) {
  return name.size() > end.size() && text::equal_ignoring_case(name.substr(name.size() - end.size()), end);
}

std::string_view without_dot(std::string_view name) { return name.ends_with('.') ? name.substr(0, name.size() - 1) : name; }

}  // namespace

bool stands_for(std::string_view presented, std::string_view wanted) {
  presented = without_dot(presented);
  wanted = without_dot(wanted);
  if (presented.empty() || wanted.empty()) return false;
  if (text::equal_ignoring_case(presented, wanted)) return true;
  const bool is_wildcard = presented.starts_with("*.");
  const auto parent = presented.substr(is_wildcard ? 1 : 0);  // ".example.org"
  if (parent.contains('*') || (is_wildcard && parent.find('.', 1) == std::string_view::npos)) return false;
  if (wanted.starts_with('.')) return ends_with(presented, wanted);
  if (!is_wildcard || !ends_with(wanted, parent)) return false;
  return !wanted.substr(0, wanted.size() - parent.size()).contains('.');
}

bool names_one_of(const PeerCertificate& certificate, std::span<const std::string> wanted) {
  const auto is_dns = [](std::string_view name) { return !name.contains('@'); };
  const bool has_dns_names = std::ranges::any_of(certificate.names, is_dns);
  return std::ranges::any_of(wanted, [&](const std::string& name) {
    if (Address::from_ip(name, 0)) return std::ranges::find(certificate.addresses, name) != certificate.addresses.end();
    if (!has_dns_names) return stands_for(certificate.common_name, name);
    return std::ranges::any_of(certificate.names, [&](const std::string& presented) { return is_dns(presented) && stands_for(presented, name); });
  });
}

}  // namespace net::tls
