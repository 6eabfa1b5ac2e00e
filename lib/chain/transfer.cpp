#include "lib/chain/transfer.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/mail/address.h"

namespace chain {
namespace {

namespace text = base::text;
using Kind = ForwardTarget::Kind;
using Tls = ForwardTarget::Tls;

constexpr auto kMethods = std::to_array<std::string_view>({"Deliver", "Mbox", "Maildir", "None", "Forward", "Lmtp", "Pipe", "File", "Program", "Expanded"});
constexpr auto kKinds = std::to_array<std::string_view>({"Domain", "Ip", "Socket", "Url"});
constexpr auto kTls = std::to_array<std::string_view>({"none", "opportunistic", "required", "tunnel"});
constexpr std::size_t kMaxInterfaceOctets = 15;  // IFNAMSIZ of if_nametoindex(3), without the NUL

template <class Enumerator>
constexpr std::size_t index_of(Enumerator value) { return static_cast<std::size_t>(value); }

bool is_ip(int family, std::string_view octets) {
  std::array<char, INET6_ADDRSTRLEN + 1> copy{};  // inet_pton(3) wants a NUL at the end
  if (octets.size() >= copy.size() || octets.contains('\0')) return false;
  std::ranges::copy(octets, copy.begin());
  in6_addr address;
  return ::inet_pton(family, copy.data(), &address) == 1;
}

// zone of RFC 4007 section 11.2, as Linux names interfaces
bool is_scope(std::string_view scope) {
  return !scope.empty() && scope.size() <= kMaxInterfaceOctets && std::ranges::all_of(scope, [](char c) {
    return text::is_alpha(c) || text::is_digit(c) || std::string_view("._-").contains(c);
  });
}

bool reads_as_ipv6(std::string_view octets) {
  const auto scope = octets.find('%');
  if (scope == std::string_view::npos) return is_ip(AF_INET6, octets);
  return is_scope(octets.substr(scope + 1)) && is_ip(AF_INET6, octets.substr(0, scope));
}

// A name that ends in a number would be an address if it were right.
bool is_domain(std::string_view name) {
  if (!mail::check_domain(name, {.smtputf8 = true})) return false;
  const auto last = name.substr(name.rfind('.') + 1);
  return !std::ranges::all_of(last, text::is_digit);
}

std::optional<std::uint16_t> port_of(std::string_view digits) {
  const auto port = text::parse_number<std::uint16_t>(digits);
  return port && *port != 0 ? port : std::nullopt;
}

// host [":" port] where an IPv6 address stands in brackets. `target.kind` becomes Ip or Domain by the host.
bool take_authority(std::string_view authority, ForwardTarget& target) {
  std::string_view host = authority, behind;
  if (text::consume(host, "[")) {
    const auto end = host.find(']');
    if (end == std::string_view::npos) return false;
    behind = host.substr(end + 1);
    host = host.substr(0, end);
    if (!reads_as_ipv6(host) && !is_ip(AF_INET, host)) return false;
  } else if (const auto colon = host.find(':'); colon != std::string_view::npos) {
    behind = host.substr(colon);
    host = host.substr(0, colon);
  }
  if (!behind.empty()) {
    const auto port = text::consume(behind, ":") ? port_of(behind) : std::nullopt;
    if (!port) return false;
    target.port = *port;
  }
  target.is_ipv6 = reads_as_ipv6(host);
  if (host.size() < authority.size() && host.ends_with('.')) return false;
  if (!target.is_ipv6 && !is_ip(AF_INET, host) && !is_domain(host)) return false;
  target.kind = target.is_ipv6 || is_ip(AF_INET, host) ? Kind::Ip : Kind::Domain;
  target.host = host;
  return true;
}

int hex_digit(char c) {
  if (text::is_digit(c)) return c - '0';
  const char low = text::lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// pct-encoded  RFC 3986 section 2.1. What decodes to a control character is no user and no password of SMTP.
std::optional<std::string> percent_decoded(std::string_view octets) {
  std::string decoded;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    char c = octets[i];
    if (c == '%') {
      if (i + 2 >= octets.size()) return std::nullopt;
      const int high = hex_digit(octets[i + 1]), low = hex_digit(octets[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 32 || c == 127) return std::nullopt;
    decoded += c;
  }
  return decoded;
}

void append_percent_encoded(std::string& out, std::string_view octets) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : octets) {
    if (text::is_alpha(c) || text::is_digit(c) || std::string_view("-._~").contains(c)) {  // unreserved
      out += c;
    } else {
      const auto octet = static_cast<unsigned char>(c);
      out += {'%', kDigits[octet >> 4], kDigits[octet & 15]};
    }
  }
}

bool take_user_information(std::string_view information, ForwardTarget& target) {
  const auto [user, password] = text::split_once(information, ':');
  auto user_octets = percent_decoded(user), password_octets = percent_decoded(password);
  if (!user_octets || !password_octets || user_octets->empty()) return false;
  target.user = std::move(*user_octets);
  target.password = std::move(*password_octets);
  return true;
}

bool take_query(std::string_view query, ForwardTarget& target) {
  if (!text::consume(query, "tls=")) return false;
  const auto row = std::ranges::find(kTls, query);
  if (row == kTls.end()) return false;
  target.tls = static_cast<Tls>(row - kTls.begin());
  return true;
}

std::optional<ForwardTarget> parse_url(std::string_view rest, bool is_tunnel) {
  ForwardTarget target;
  if (is_tunnel) target.tls = Tls::Tunnel;
  if (const auto query = rest.find('?'); query != std::string_view::npos) {
    if (!take_query(rest.substr(query + 1), target)) return std::nullopt;
    if (is_tunnel && target.tls != Tls::Tunnel) return std::nullopt;  // smtps is the tunnel
    rest = rest.substr(0, query);
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    if (!take_user_information(rest.substr(0, at), target)) return std::nullopt;
    rest = rest.substr(at + 1);
  }
  if (!take_authority(rest, target)) return std::nullopt;
  target.kind = Kind::Url;
  return target;
}

void append_host(std::string& out, const ForwardTarget& target) {
  if (target.is_ipv6) out += '[';
  out += target.host;
  if (target.is_ipv6) out += ']';
  if (target.port != 0) out.append(":").append(std::to_string(target.port));
}

}  // namespace

std::optional<ForwardTarget> ForwardTarget::parse(std::string_view given) {
  for (const std::string_view scheme : {"smtp://", "smtps://"})
    if (text::starts_with_ignoring_case(given, scheme)) return parse_url(given.substr(scheme.size()), scheme == "smtps://");
  ForwardTarget target;
  if (reads_as_ipv6(given)) {  // without brackets and port
    target.kind = Kind::Ip;
    target.host = given;
    target.is_ipv6 = true;
    return target;
  }
  if (given.ends_with('.')) given.remove_suffix(1);  // the root of DNS
  if (!take_authority(given, target)) return std::nullopt;
  if (target.port == 0) return target;
  target.kind = Kind::Socket;
  return target;
}

std::string ForwardTarget::public_text() const {
  if (kind == Kind::Ip || kind == Kind::Domain) return host;
  std::string out;
  if (kind == Kind::Url) out = tls == Tls::Tunnel ? "smtps://" : "smtp://";
  if (!user.empty()) {
    append_percent_encoded(out, user);
    out += '@';
  }
  append_host(out, *this);
  if (kind == Kind::Url && tls != Tls::Opportunistic && tls != Tls::Tunnel) out.append("?tls=").append(kTls[index_of(tls)]);
  return out;
}

std::string ForwardTarget::text() const {
  std::string out = public_text();
  if (password.empty()) return out;
  std::string encoded = ":";
  append_percent_encoded(encoded, password);
  return out.insert(out.rfind('@'), encoded);
}

std::string ForwardTarget::delivery_host() const {
  std::string out = is_ipv6 ? "[IPv6:" : "[";  // RFC 5321 section 4.1.3
  out.append(host).append("]");
  if (port != 0) out.append(":").append(std::to_string(port));
  return out;
}

bool ForwardTarget::is_plain() const { return user.empty() && (tls == Tls::None || tls == Tls::Opportunistic); }

std::string_view name_of(TransferMethod method) { return kMethods[index_of(method)]; }
std::string_view name_of(ForwardTarget::Kind kind) { return kKinds[index_of(kind)]; }

std::optional<TransferMethod> transfer_method_of(std::string_view name) {
  const auto row = std::ranges::find(kMethods, name);
  if (row == kMethods.end()) return std::nullopt;
  return static_cast<TransferMethod>(row - kMethods.begin());
}

}  // namespace chain
