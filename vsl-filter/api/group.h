// What makes a search in a long list quick: its elements by what they can be equal to.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "vsl-filter/api/object.h"

namespace rules {

// Of a list that does not change any more.
class GroupIndex {
 public:
  // Shorter lists are searched from front to back.
  static constexpr std::size_t kWorthIt = 8;

  explicit GroupIndex(const vsl::Array& elements);

  // Whether an element equals `sought`, or has it as a range or list of its own. nullopt: `sought` is of a kind that the index says
  // nothing about, so all elements are to be asked.
  [[nodiscard]] std::optional<bool> find(const vsl::Value& sought) const;
  // Elements of which the index knows nothing: to be asked one by one when find() says false.
  [[nodiscard]] const std::vector<std::size_t>& others() const { return others_; }

 private:
  // What an element is found by, and of what kind the element is.
  enum class By : char {
    Text = 't',               // of a text
    Identifier = 'i',         // of an identifier
    Mailbox = 'a',            // of an address
    TextAsMailbox = 'A',      // of a text
    LocalPart = 'l',          // of an address
    Domain = 'd',             // of an fqdn
    TextAsDomain = 'D',       // of a text
    DomainOfMailbox = 'm',    // of an address
    Ip = 'n',                 // of an ip4 or ip6
    TextAsIp = 'N',           // of a text
  };
  void add(const vsl::Value& element, std::size_t position);
  void enter(By by, std::string_view key);
  [[nodiscard]] bool has(By by, std::string_view key) const;
  [[nodiscard]] bool has_ip(const Ip& ip) const;
  [[nodiscard]] bool has_text(std::string_view text) const;
  [[nodiscard]] bool has_object(const RuleObject& object) const;

  std::unordered_set<std::string> keys_;
  IpRanges ranges_;
  std::vector<std::size_t> others_;
};

}  // namespace rules
