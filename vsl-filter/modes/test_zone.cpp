#include "vsl-filter/modes/test_zone.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>

#include "lib/authn/reverse_names.h"
#include "lib/base/text.h"

namespace rules {
namespace {

using net::dns::Type;

std::string wire_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string wire;
  for (const auto label : base::text::split(name, '.')) {
    if (label.empty()) continue;
    wire += static_cast<char>(std::min<std::size_t>(label.size(), 63));
    wire += label.substr(0, 63);
  }
  return wire + '\0';
}

std::optional<std::string> address(int family, std::size_t octets, std::string_view text) {
  std::array<char, 16> address{};
  if (::inet_pton(family, std::string(text).c_str(), address.data()) != 1) return std::nullopt;
  return std::string(address.data(), octets);
}

// RDATA as on the wire; nothing: the text is none of that type.
std::optional<std::string> rdata(Type type, std::string_view text) {
  constexpr std::size_t kStringOctets = 255;
  std::string data;
  switch (type) {
    case Type::A: return address(AF_INET, 4, text);
    case Type::Aaaa: return address(AF_INET6, 16, text);
    case Type::Ptr: return wire_name(text);
    case Type::Mx: {
      const auto [preference, host] = base::text::split_once(text, ' ');
      const auto number = base::text::parse_number<std::uint16_t>(preference);
      if (!number || host.empty()) return std::nullopt;
      data = {static_cast<char>(*number >> 8), static_cast<char>(*number & 255)};
      return data + wire_name(host);
    }
    case Type::Txt:
      do {
        const auto part = text.substr(0, kStringOctets);
        data += static_cast<char>(part.size());
        data += part;
        text.remove_prefix(part.size());
      } while (!text.empty());
      return data;
    case Type::Cname:
    case Type::Tlsa: break;
  }
  return std::nullopt;
}

constexpr auto kTypes = std::to_array<Type>({Type::A, Type::Aaaa, Type::Mx, Type::Ptr, Type::Txt});

}  // namespace

std::string TestZone::add(std::string_view question, const std::vector<std::string>& values) {
  const auto [name, type_text] = base::text::split_once(question, ' ');
  const auto type = std::ranges::find_if(kTypes, [&, text = type_text](Type each) { return base::text::equal_ignoring_case(net::dns::type_name(each), text); });
  if (name.empty() || type == kTypes.end()) return "'" + std::string(question) + "' is no question to DNS; expected: NAME and A, AAAA, MX, PTR or TXT";
  net::dns::Answer answer;
  answer.ttl_seconds = 60;
  if (values != std::vector<std::string>{"timeout"}) {
    answer.status = values.empty() ? net::dns::Status::NoData : net::dns::Status::Found;
    for (const auto& value : values) {
      auto record = rdata(*type, value);
      if (!record) return "'" + value + "' is no record of " + std::string(type_text);
      answer.records.push_back(std::move(*record));
    }
  } else {
    answer.problem = std::string(question) + ": no answer";
  }
  const auto ip = *type == Type::Ptr ? net::Address::from_ip(name, 0) : base::Result<net::Address>(base::fail(base::Fault::Permanent, ""));
  names_[ip ? authn::iprev::reverse_name(*ip) : base::text::to_lower(name)][*type] = std::move(answer);
  return {};
}

net::dns::Answer TestZone::answer(const std::string& name, Type type) const {
  net::dns::Answer answer;
  answer.status = net::dns::Status::NoName;
  const auto found = names_.find(base::text::to_lower(name.ends_with('.') ? name.substr(0, name.size() - 1) : name));
  if (found == names_.end()) return answer;
  answer.status = net::dns::Status::NoData;
  const auto records = found->second.find(type);
  return records == found->second.end() ? answer : records->second;
}

}  // namespace rules
