#include "vsl-filter/api/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "lib/base/text.h"

namespace rules {

namespace {

constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

std::uint64_t read_big_endian(const unsigned char* octets) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | octets[i];
  return value;
}

void write_big_endian(std::uint64_t value, unsigned char* octets) {
  for (int i = 7; i >= 0; --i, value >>= 8) octets[i] = static_cast<unsigned char>(value);
}

// The lowest `bits` bits of 64; 64 and more: all.
constexpr std::uint64_t ones(unsigned bits) { return bits >= 64 ? kAll : (std::uint64_t{1} << bits) - 1; }

IpRange prefix_of(const Ip& ip, unsigned length) {
  IpRange range{ip, ip};
  const unsigned host_bits = (ip.is_v6 ? 128 : 32) - length;
  const std::uint64_t low = ones(host_bits);
  const std::uint64_t high = host_bits > 64 ? ones(host_bits - 64) : 0;
  range.first.low &= ~low;
  range.first.high &= ~high;
  range.last.low |= low;
  range.last.high |= high;
  return range;
}

// The length of the prefix that is exactly this range.
std::optional<unsigned> length_of(const IpRange& range) {
  const std::uint64_t low = range.first.low ^ range.last.low, high = range.first.high ^ range.last.high;
  const unsigned host_bits = static_cast<unsigned>(high != 0 ? 64 + std::bit_width(high) : std::bit_width(low));
  const unsigned bits = range.first.is_v6 ? 128 : 32;
  const unsigned length = bits - host_bits;
  if (prefix_of(range.first, length) == range) return length;
  return std::nullopt;
}

// The address behind this one; nullopt behind the last.
std::optional<Ip> next(Ip ip) {
  if (ip.low == (ip.is_v6 ? kAll : 0xFFFFFFFF)) {
    if (!ip.is_v6 || ip.high == kAll) return std::nullopt;
    ++ip.high;
  }
  ++ip.low;
  return ip;
}

}  // namespace

std::optional<Ip> Ip::parse(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  char terminated[INET6_ADDRSTRLEN] = {};
  text.copy(terminated, text.size());
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  unsigned char octets[16];
  if (::inet_pton(AF_INET, terminated, octets) == 1)
    return Ip{false, 0, std::uint64_t{octets[0]} << 24 | std::uint64_t{octets[1]} << 16 | std::uint64_t{octets[2]} << 8 | octets[3]};
  if (::inet_pton(AF_INET6, terminated, octets) == 1) return Ip{true, read_big_endian(octets), read_big_endian(octets + 8)};
  return std::nullopt;
}

std::string Ip::text() const {
  if (!is_v6) {  // nearly all, and inet_ntop(3) goes through printf(3) for them
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text.append(shift == 24 ? "" : ".").append(std::to_string(low >> shift & 255));
    return text;
  }
  unsigned char octets[16];
  write_big_endian(high, octets);
  write_big_endian(low, octets + 8);
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET6, octets, text, sizeof text);
  return text;
}

std::optional<IpRange> IpRange::parse(std::string_view text) {
  namespace t = base::text;
  if (text.find('-') != std::string_view::npos) {
    const auto [left, right] = t::split_once(text, '-');
    const auto first = Ip::parse(t::trim(left)), last = Ip::parse(t::trim(right));
    if (!first || !last || first->is_v6 != last->is_v6 || *last < *first) return std::nullopt;
    return IpRange{*first, *last};
  }
  const auto slash = text.find('/');
  const auto ip = Ip::parse(text.substr(0, slash));
  if (!ip) return std::nullopt;
  if (slash == std::string_view::npos) return IpRange{*ip, *ip};
  const auto length = t::parse_number<unsigned>(text.substr(slash + 1));
  if (!length || *length > (ip->is_v6 ? 128U : 32U)) return std::nullopt;
  return prefix_of(*ip, *length);
}

std::string IpRange::text() const {
  if (const auto length = length_of(*this)) return first.text() + "/" + std::to_string(*length);
  return first.text() + "-" + last.text();
}

void IpRanges::finish() {
  std::ranges::sort(all_, {}, &IpRange::first);
  std::vector<IpRange> merged;
  for (const IpRange& range : all_) {
    if (!merged.empty() && merged.back().first.is_v6 == range.first.is_v6) {
      IpRange& before = merged.back();
      const auto behind = next(before.last);
      if (!behind || range.first <= *behind) {
        before.last = std::max(before.last, range.last);
        continue;
      }
    }
    merged.push_back(range);
  }
  all_ = std::move(merged);
}

bool IpRanges::contains(const Ip& ip) const {
  const auto behind = std::ranges::upper_bound(all_, ip, {}, &IpRange::first);
  return behind != all_.begin() && std::prev(behind)->contains(ip);
}

}  // namespace rules
