// Recipients -> whom the maps make of them. Looks into maps, does nothing else.
//
// An address is looked up in the virtual maps, whatever its domain: user+ext@domain, user@domain, then, where the domain is
// local, user+ext and user, at last @domain. What is in none of them, and local, is looked up in the aliases: user+ext, user.
// Each address that comes out is looked up again. One that leads to itself stays, so that it may stand among others; each is
// expanded once, so that lists may hold each other.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "address-map/maps.h"
#include "lib/mail/domain_list.h"

namespace address_map {

struct Rules {
  mail::DomainList local_domains;
  mail::DomainList virtual_domains;  // all of whose recipients are in the virtual maps
  std::string delimiter = "+";       // "": none
  std::size_t results_max = 1000;    // of one recipient
  std::size_t depth_max = 50;
};

// One that nothing more is made of.
struct Result {
  Target::Kind kind = Target::Kind::Address;  // or Command, File
  std::string text;      // the address, command line or path
  std::string alias;     // of Command and File: the address that has led there; else as `text`
  std::string owner;     // the reverse-path of a list that has one; "" is the sender's
  bool is_list = false;  // there is an owner

  friend bool operator==(const Result&, const Result&) = default;
};

class Expander {
 public:
  // Both are borrowed.
  Expander(const Maps& maps, const Rules& rules) : maps_(maps), rules_(rules) {}

  // Errors are temporary: a map cannot be read, too many results, too deep, nothing but a loop.
  [[nodiscard]] base::Result<std::vector<Result>> expand(std::string_view recipient) const;
  // Whether a map has it.
  [[nodiscard]] base::Result<bool> is_in_maps(std::string_view recipient) const;
  [[nodiscard]] bool is_local(std::string_view domain) const { return domain.empty() || rules_.local_domains.contains(domain); }
  // What is looked up for it in a map of that format, in order.
  [[nodiscard]] std::vector<std::string> keys(Format format, std::string_view address) const;

 private:
  struct Run;
  base::Result<void> expand(Run& run, const std::string& address, const std::string& owner, std::size_t depth) const;
  base::Result<void> expand_alias(Run& run, const std::string& address, std::string owner, std::size_t depth) const;
  base::Result<void> follow(Run& run, const Targets& targets, const std::string& address, const std::string& owner, std::size_t depth) const;
  base::Result<void> add(Run& run, Result result) const;
  // The address that a target of a virtual map means, found by `key` for `address`.
  [[nodiscard]] std::string virtual_target(const std::string& target, const std::string& key, const std::string& address) const;

  const Maps& maps_;
  const Rules& rules_;
};

}  // namespace address_map
