// The DNS of a test of rules: what its key `dns` says, and nothing else exists.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/net/dns.h"

namespace rules {

class TestZone {
 public:
  // "client.example TXT", {"v=spf1 -all"}: types A AAAA MX PTR TXT; MX as "10 mx.example.org", PTR of an address by that address.
  // The only value "timeout" stands for a question that nobody answers. What is wrong; "" if nothing.
  std::string add(std::string_view question, const std::vector<std::string>& values);
  [[nodiscard]] net::dns::Answer answer(const std::string& name, net::dns::Type type) const;

 private:
  std::map<std::string, std::map<net::dns::Type, net::dns::Answer>> names_;
};

}  // namespace rules
