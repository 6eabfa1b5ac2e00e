// IP addresses and ranges of them, as rules compare them.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rules {

struct Ip {
  bool is_v6 = false;
  std::uint64_t high = 0;  // of an IPv6 address
  std::uint64_t low = 0;   // an IPv4 address lies here

  // "192.0.2.1", or any text of RFC 4291 section 2.2.
  [[nodiscard]] static std::optional<Ip> parse(std::string_view text);
  [[nodiscard]] std::string text() const;  // RFC 5952

  friend auto operator<=>(const Ip&, const Ip&) = default;
};

// All addresses from first to last, both included, of one family.
struct IpRange {
  Ip first;
  Ip last;

  // "192.0.2.0/24", "192.0.2.1-192.0.2.9", the same for IPv6; without a length a single address. Bits behind the prefix are ignored.
  [[nodiscard]] static std::optional<IpRange> parse(std::string_view text);
  // The shortest of these forms.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] bool contains(const Ip& ip) const { return ip >= first && ip <= last && ip.is_v6 == first.is_v6; }
  [[nodiscard]] bool contains(const IpRange& other) const { return contains(other.first) && contains(other.last); }

  friend bool operator==(const IpRange&, const IpRange&) = default;
};

// Many ranges, asked for single addresses by bisection.
class IpRanges {
 public:
  void add(const IpRange& range) { all_.push_back(range); }
  // To be called once behind the last add().
  void finish();
  [[nodiscard]] bool contains(const Ip& ip) const;
  [[nodiscard]] bool empty() const { return all_.empty(); }

 private:
  std::vector<IpRange> all_;  // finished: in order, and none touches the next
};

}  // namespace rules
