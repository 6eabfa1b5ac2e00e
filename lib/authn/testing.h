// A zone for unit tests: answers as a DNS server with these records would give them.
#pragma once

#include <netinet/in.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "lib/authn/look_up.h"
#include "lib/base/text.h"
#include "lib/net/socket.h"

namespace authn::testing {

class Zone {
 public:
  void add(const std::string& name, net::dns::Type type, std::string rdata) { names_[base::text::to_lower(name)][type].push_back(std::move(rdata)); }
  void add_text(const std::string& name, std::string_view text) { add(name, net::dns::Type::Txt, text_rdata({std::string(text)})); }
  void add_address(const std::string& name, const std::string& ip) {
    const bool is_ipv6 = ip.find(':') != std::string::npos;
    const auto address = net::Address::from_ip(ip, 0).value();
    const auto* system = address.system();
    const auto* octets = is_ipv6 ? reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in6*>(system)->sin6_addr)
                                 : reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in*>(system)->sin_addr);
    add(name, is_ipv6 ? net::dns::Type::Aaaa : net::dns::Type::A, std::string(octets, is_ipv6 ? 16 : 4));
  }
  void add_exchanger(const std::string& name, unsigned preference, std::string_view host) {
    std::string rdata = {static_cast<char>(preference >> 8), static_cast<char>(preference & 255)};
    add(name, net::dns::Type::Mx, rdata + wire_name(host));
  }
  void add_pointer(const std::string& name, std::string_view host) { add(name, net::dns::Type::Ptr, wire_name(host)); }
  void add_alias(const std::string& name, std::string target) { aliases_[base::text::to_lower(name)] = base::text::to_lower(target); }
  void add_name(const std::string& name) { names_[base::text::to_lower(name)]; }
  // What has no records there is not answered in time.
  void fail_others(const std::string& name) { failing_.insert(base::text::to_lower(name)); }

  [[nodiscard]] net::dns::Answer answer(std::string_view asked, net::dns::Type type) const {
    std::string name;
    for (; !asked.empty(); asked.remove_prefix(1)) {  // \DDD stands for an octet
      const bool is_number = asked.front() == '\\' && asked.size() > 3;
      name += is_number ? static_cast<char>(std::stoi(std::string(asked.substr(1, 3)))) : base::text::lower(asked.front());
      if (is_number) asked.remove_prefix(3);
    }
    net::dns::Answer answer;
    for (int steps = 0; aliases_.contains(name); ++steps) {
      answer.status = net::dns::Status::NoData;
      if (steps == 10) return answer;  // a loop
      name = aliases_.at(name);
    }
    answer.canonical_name = name;
    answer.ttl_seconds = 300;
    const auto here = names_.find(name);
    if (here != names_.end())
      if (const auto records = here->second.find(type); records != here->second.end()) {
        answer.status = net::dns::Status::Found;
        answer.records = records->second;
        return answer;
      }
    if (failing_.contains(name)) {
      answer.status = net::dns::Status::Temporary;
      answer.problem = std::string(net::dns::type_name(type)) + " " + name + ": no answer";
    } else {
      answer.status = here == names_.end() ? net::dns::Status::NoName : net::dns::Status::NoData;
    }
    return answer;
  }
  [[nodiscard]] LookUp look_up() const {
    return [this](const std::string& name, net::dns::Type type) { return answer(name, type); };
  }

  // character-strings, each behind its length
  static std::string text_rdata(const std::vector<std::string>& strings) {
    std::string rdata;
    for (const auto& each : strings)
      for (std::size_t at = 0; at == 0 || at < each.size(); at += 255) {
        const std::string part = each.substr(at, 255);
        rdata += static_cast<char>(part.size());
        rdata += part;
      }
    return rdata;
  }
  static std::string wire_name(std::string_view name) {
    std::string wire;
    for (const auto label : base::text::split(name, '.')) {
      if (label.empty()) continue;
      wire += static_cast<char>(label.size());
      wire += label;
    }
    return wire + '\0';
  }

 private:
  std::map<std::string, std::map<net::dns::Type, std::vector<std::string>>> names_;
  std::map<std::string, std::string> aliases_;
  std::set<std::string> failing_;
};

inline std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return static_cast<int>(std::string_view("0123456789abcdef").find(base::text::lower(c))); };
  std::string octets;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) octets += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return octets;
}

// Of spf/json of the test data.
inline Zone zone_of_suite(const nlohmann::json& names) {
  Zone zone;
  for (const auto& [name, entry] : names.items()) {
    zone.add_name(name);
    if (entry.value("timeout_for_other_types", false)) zone.fail_others(name);
    for (const auto& record : entry.at("records")) {
      const auto type = record.at("type").get<std::string>();
      if (type == "TXT") {
        std::vector<std::string> strings;
        for (const auto& hex : record.at("strings_hex")) strings.push_back(from_hex(hex.get<std::string>()));
        zone.add(name, net::dns::Type::Txt, Zone::text_rdata(strings));
      } else if (type == "A" || type == "AAAA") {
        zone.add_address(name, record.at("value").get<std::string>());
      } else if (type == "MX") {
        zone.add_exchanger(name, record.at("preference").get<unsigned>(), record.at("exchange").get<std::string>());
      } else if (type == "PTR") {
        zone.add_pointer(name, record.at("value").get<std::string>());
      } else if (type == "CNAME") {
        zone.add_alias(name, record.at("value").get<std::string>());
      }
    }
  }
  return zone;
}

}  // namespace authn::testing
