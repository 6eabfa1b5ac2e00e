#include "lib/authn/reverse_names.h"

#include <netinet/in.h>

#include <array>

#include "lib/base/text.h"

namespace authn {

using net::dns::Status;
using net::dns::Type;

namespace {

bool has_failed(const net::dns::Answer& answer) { return answer.status == Status::Temporary || answer.status == Status::Bogus; }

}  // namespace

namespace iprev {

namespace {

constexpr std::size_t kMostNames = 10;
constexpr std::array<std::string_view, 4> kWords = {"pass", "fail", "temperror", "permerror"};

bool is_ipv6(const net::Address& plain) { return plain.system()->sa_family == AF_INET6; }

}  // namespace

std::string_view word(Result result) { return kWords[static_cast<std::size_t>(result)]; }

std::string reverse_name(const net::Address& address) {
  const auto plain = net::Address::from_ip(address.ip(), 0);  // IPv4 that came as IPv6 is IPv4
  if (!plain) return {};
  std::string name;
  if (!is_ipv6(*plain)) {
    const auto* octets = reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in*>(plain->system())->sin_addr);
    for (int i = 3; i >= 0; --i) name += std::to_string(octets[i]) + '.';
    return name + "in-addr.arpa";
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto* octets = reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in6*>(plain->system())->sin6_addr);
  for (int i = 15; i >= 0; --i) name += {kHex[octets[i] & 15], '.', kHex[octets[i] >> 4], '.'};
  return name + "ip6.arpa";
}

Outcome check(const net::Address& client, const LookUp& look_up) {
  const auto plain = net::Address::from_ip(client.ip(), 0);
  if (!plain) return {Result::PermError, {}, "no address"};
  const auto pointers = look_up(reverse_name(*plain), Type::Ptr);
  if (has_failed(pointers)) return {Result::TempError, {}, pointers.problem};
  auto names = pointers.names();
  if (names.empty()) return {Result::PermError, {}, "the address has no name"};
  if (names.size() > kMostNames) names.resize(kMostNames);
  std::string problem;
  for (const auto& name : names) {
    const auto forward = look_up(name, is_ipv6(*plain) ? Type::Aaaa : Type::A);
    for (const auto& address : forward.addresses())
      if (const auto found = net::Address::from_ip(address, 0); found && found->ip() == plain->ip()) return {Result::Pass, name, {}};
    if (has_failed(forward) && problem.empty()) problem = forward.problem;
  }
  // The one that could not be asked for may be the one.
  if (!problem.empty()) return {Result::TempError, {}, std::move(problem)};
  return {Result::Fail, {}, "no name of the address leads back to it"};
}

}  // namespace iprev

namespace null_mx {

Answer ask(const std::string& domain, const LookUp& look_up) {
  const auto answer = look_up(domain, Type::Mx);
  if (has_failed(answer)) return Answer::Unknown;
  const auto hosts = answer.mx();
  return answer.records.size() == 1 && hosts.size() == 1 && hosts.front().host.empty() ? Answer::Yes : Answer::No;
}

}  // namespace null_mx

}  // namespace authn
