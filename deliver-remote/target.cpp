#include "deliver-remote/target.h"

#include <utility>

#include "lib/base/text.h"
#include "lib/net/domain_name.h"

namespace remote {
namespace {

namespace text = base::text;

base::Result<Target> bad(std::string_view what, std::string_view why) {
  return base::fail(base::Fault::Permanent, "destination '" + text::printable(what) + "': " + std::string(why));
}

// Takes ":PORT" off the end of `rest`.
bool consume_port(std::string_view& rest, std::uint16_t& port) {
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos) return true;
  const auto number = text::parse_number<std::uint16_t>(rest.substr(colon + 1));
  if (!number || *number == 0) return false;
  port = *number;
  rest = rest.substr(0, colon);
  return true;
}

}  // namespace

base::Result<Target> Target::parse(std::string_view given, std::uint16_t standard_port) {
  Target target;
  target.port = standard_port;
  if (given.starts_with("unix:")) {
    auto address = net::Address::parse(given);
    if (!address) return std::unexpected(std::move(address.error()));
    target.kind = Kind::Address;
    target.name = given;
    target.address = *address;
    return target;
  }

  auto rest = given;
  if (text::consume(rest, "[")) {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) return bad(given, "expected ]");
    auto behind = rest.substr(end + 1);
    if (!consume_port(behind, target.port) || !behind.empty()) return bad(given, "expected a port from 1 to 65535 behind :");
    rest = rest.substr(0, end);
    if (text::starts_with_ignoring_case(rest, "IPv6:")) rest.remove_prefix(5);  // RFC 5321 section 4.1.3
    target.kind = Kind::Host;
  } else if (rest.find(':') == rest.rfind(':') && !consume_port(rest, target.port)) {  // several: an IPv6 address
    return bad(given, "expected a port from 1 to 65535 behind :");
  }

  if (auto address = net::Address::from_ip(rest, target.port)) {
    target.kind = Kind::Address;
    target.name = rest;
    target.address = *address;
    return target;
  }
  if (rest.ends_with('.')) rest.remove_suffix(1);
  if (rest.empty() || rest.find_first_of(":[]@/ ") != std::string_view::npos) return bad(given, "expected a name or an address");
  auto name = net::to_a_labels(rest);
  if (!name) return std::unexpected(std::move(name.error()));
  target.name = std::move(*name);
  return target;
}

}  // namespace remote
