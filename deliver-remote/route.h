// Which addresses a message may be sent to, and in which order: RFC 5321 section 5.1, RFC 7505. DNS answers in, addresses out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "deliver-remote/outcome.h"
#include "lib/net/dane.h"
#include "lib/net/dns.h"
#include "lib/net/socket.h"

namespace remote {

// A number below `bound`, for choices among equals.
using Choose = std::function<std::size_t(std::size_t bound)>;
std::size_t choose_at_random(std::size_t bound);

enum class AddressFamily : std::uint8_t { Any, Ipv4, Ipv6, PreferIpv4, PreferIpv6 };

// The hosts that take mail for `domain`, best first, from the answer to its MX question: in random order where preferences are
// equal, none that is not better than a host of `own_names`, the domain itself when there is no MX.
[[nodiscard]] std::expected<std::vector<net::dns::Mx>, Verdict> choose_hosts(const std::string& domain, const net::dns::Answer& mx,
                                                                            std::span<const std::string> own_names, const Choose& choose);

// What TLSA records say of a host, which DNSSEC vouches for: RFC 7672.
struct DaneHost {
  std::string base;                        // the name that they are of, which is the one to ask for under TLS
  std::vector<std::string> names;          // of which the certificate must have one where an authority of DANE-TA has signed it
  std::vector<net::dane::Record> records;  // none: there are some, and none that can be used
  std::string problem;                     // they could not be looked up: nobody knows what they say
};

struct Host {
  std::string name;
  net::dns::Answer ipv4, ipv6;  // NoData for a question that was not asked
  std::uint16_t preference = 0;
};
// An address to connect to.
struct Candidate {
  std::string name;  // of the host; empty when an address was given
  net::Address address;
  bool is_authentic = false;  // no answer of DNS that could be forged has led from the destination to this name
  std::shared_ptr<const DaneHost> dane = {};  // nullptr: there are no TLSA records, or nobody has asked

  [[nodiscard]] std::string text() const;  // "mx.example.org[192.0.2.1]:25"
};

struct AddressRules {
  std::uint16_t port = 25;
  std::size_t max_addresses = 5;
  AddressFamily family = AddressFamily::Any;
  std::function<bool(const net::Address&)> is_own = {};  // of this host itself
};

// The first `max_addresses` addresses of these hosts, host by host, IPv6 and IPv4 in turn or the preferred ones first, each kind in random
// order; of no host that is not better than one that is this host.
[[nodiscard]] std::expected<std::vector<Candidate>, Verdict> choose_addresses(const std::string& domain, std::span<const Host> hosts, const AddressRules& rules,
                                                                              const Choose& choose);

}  // namespace remote
