// Something for some domains, as sections such as [relay "DOMAIN"] give it: "example.org", ".example.org" for every name below
// it (not itself), "*" for all. The most specific one counts. Names are compared as DomainList does.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "lib/mail/domain_list.h"

namespace mail {

template <class Value>
class DomainMap {
 public:
  // False: these domains have something already.
  bool add(std::string_view entry, Value value) { return values_.try_emplace(plain_domain(entry), std::move(value)).second; }

  // The most specific value of a domain of which `is_wanted` is true; nullptr: there is none. No domain has none.
  template <class Predicate>
  [[nodiscard]] const Value* find(std::string_view domain, const Predicate& is_wanted) const {
    const std::string name = plain_domain(domain);
    if (values_.empty() || name.empty()) return nullptr;
    if (const auto* value = at(name, is_wanted)) return value;
    for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
      if (const auto* value = at(name.substr(dot), is_wanted)) return value;
    return at("*", is_wanted);
  }
  [[nodiscard]] const Value* find(std::string_view domain) const {
    return find(domain, [](const Value&) { return true; });
  }
  // That of this very entry; nullptr: there is none.
  [[nodiscard]] const Value* at(std::string_view entry) const {
    return at(plain_domain(entry), [](const Value&) { return true; });
  }
  // That of "*".
  [[nodiscard]] const Value* find_for_all() const { return at("*"); }
  [[nodiscard]] bool is_empty() const { return values_.empty(); }

 private:
  template <class Predicate>
  const Value* at(const std::string& entry, const Predicate& is_wanted) const {
    const auto found = values_.find(entry);
    return found != values_.end() && is_wanted(found->second) ? &found->second : nullptr;
  }

  std::unordered_map<std::string, Value> values_;
};

}  // namespace mail
