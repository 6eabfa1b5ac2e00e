// What makes a search in a long list quick: its elements by what they can be equal to.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

#include "vsl-filter/api/object.h"

namespace rules {

// Of a list that does not change any more.
class GroupIndex {
 public:
  // Shorter lists are searched from front to back.
  static constexpr std::size_t kWorthIt = 8;

  explicit GroupIndex(const vsl::Array& elements);

  // To be filled one by one; then finish().
  GroupIndex() = default;
  void reserve(std::size_t elements);
  void add_text(std::string_view text);
  // A domain name in ASCII without a dot at its end, which outlives the index: no copy is made.
  void add_lasting_domain(std::string_view domain) { enter(By::Domain, domain); }
  // False: the index knows nothing about such objects.
  [[nodiscard]] bool add_object(const RuleObject& object);
  void finish() { ranges_.finish(); }

  // Whether an element equals `sought`, or has it as a range or list of its own. nullopt: `sought` is of a kind that the index says
  // nothing about, so all elements are to be asked.
  [[nodiscard]] std::optional<bool> find(const vsl::Value& sought) const;
  // Elements of which the index knows nothing: to be asked one by one when find() says false.
  [[nodiscard]] const std::vector<std::size_t>& others() const { return others_; }

 private:
  // What an element is found by, and of what kind the element is.
  enum class By : std::uint8_t {
    Text,             // of a text
    Identifier,       // of an identifier
    Mailbox,          // of an address
    TextAsMailbox,    // of a text
    LocalPart,        // of an address
    Domain,           // of an fqdn
    TextAsDomain,     // of a text
    DomainOfMailbox,  // of an address
    Ip,               // of an ip4 or ip6
    TextAsIp,         // of a text
  };
  struct Key {
    const char* octets;
    std::uint32_t length;
    By by;

    [[nodiscard]] std::string_view text() const { return {octets, length}; }
    [[nodiscard]] bool is(By by, std::string_view text) const;
  };

  void enter(By by, std::string_view lasting);
  void enter_copy(By by, std::string_view key);
  // Where a key is, with so much of its hash that nearly all others are told apart without being looked at.
  struct Place {
    std::uint32_t hash = 0;
    std::uint32_t key = 0;  // 0: free; else 1 + a position in keys_
  };

  void spread(std::size_t places);
  // Of this key, or the free one where it belongs.
  [[nodiscard]] std::size_t place_of(std::size_t hash, By by, std::string_view key) const;
  [[nodiscard]] bool has(By by, std::string_view key) const;
  [[nodiscard]] bool has_ip(const Ip& ip) const;
  [[nodiscard]] bool has_text(std::string_view text) const;
  [[nodiscard]] bool has_object(const RuleObject& object) const;

  std::vector<Key> keys_;
  std::vector<Place> places_;  // by hash, a power of two of them
  std::pmr::monotonic_buffer_resource copies_;
  IpRanges ranges_;
  std::vector<std::size_t> others_;
};

}  // namespace rules
