#include "vsl-filter/transaction/state_octets.h"

#include <mbedtls/md.h>

#include <array>

#include "lib/base/crc32c.h"

namespace rules::state {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr char kWithChecksum = '1', kWithKey = '2';  // the first octet of a token: its form
constexpr std::size_t kChecksumOctets = 4;
constexpr std::size_t kKeyedOctets = 16;  // HMAC-SHA-256, cut in half (RFC 2104 section 5)

constexpr auto kValues = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  return values;
}();

std::string checksum(char form, std::string_view octets, std::string_view key) {
  if (form == kWithChecksum) {
    const auto sum = base::crc32c(octets);
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(sum >> shift & 255);
    return out;
  }
  std::string input(1, form);
  input += octets;
  std::array<unsigned char, 32> digest{};
  const int failed = ::mbedtls_md_hmac(::mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), reinterpret_cast<const unsigned char*>(key.data()), key.size(),
                                       reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest.data());
  if (failed != 0) return {};  // no SHA-256 in this library: then no token is right
  return {reinterpret_cast<const char*>(digest.data()), kKeyedOctets};
}

// In a time that does not tell how many octets agree.
bool are_equal(std::string_view a, std::string_view b) {
  if (a.size() != b.size() || a.empty()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

std::unexpected<base::Error> bad(std::string_view why) { return base::fail(base::Fault::Temporary, "state token: " + std::string(why)); }

}  // namespace

std::string to_base64url(std::string_view octets) {
  std::string text((octets.size() * 4 + 2) / 3, '\0');
  char* out = text.data();
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : octets) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) *out++ = kAlphabet[bits >> (count - 6) & 63];
  }
  if (count > 0) *out = kAlphabet[bits << (6 - count) & 63];
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string octets(text.size() * 3 / 4, '\0');
  char* out = octets.data();
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = kValues[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    *out++ = static_cast<char>(bits >> count & 255);
  }
  if (count == 6 || (bits & ((1U << count) - 1)) != 0) return std::nullopt;
  return octets;
}

std::string seal(std::string_view octets, std::string_view key) {
  const char form = key.empty() ? kWithChecksum : kWithKey;
  return form + to_base64url(std::string(octets) + checksum(form, octets, key));
}

base::Result<std::string> unseal(std::string_view token, std::string_view key) {
  const char form = key.empty() ? kWithChecksum : kWithKey;
  if (!token.starts_with(kWithChecksum) && !token.starts_with(kWithKey)) return bad("of another version, or none at all");
  if (token.front() != form) return bad(key.empty() ? "made with a key, and there is none here" : "made without the key");
  auto octets = from_base64url(token.substr(1));
  const std::size_t sum_octets = form == kWithChecksum ? kChecksumOctets : kKeyedOctets;
  if (!octets || octets->size() < sum_octets) return bad("damaged");
  const std::string sum = octets->substr(octets->size() - sum_octets);
  octets->resize(octets->size() - sum_octets);
  if (!are_equal(checksum(form, *octets, key), sum)) return bad(key.empty() ? "damaged" : "damaged, or made with another key");
  return std::move(*octets);
}

void Writer::number(std::uint64_t value) {
  for (; value >= 128; value >>= 7) octets += static_cast<char>((value & 127) | 128);
  octets += static_cast<char>(value);
}

void Writer::text(std::string_view value) {
  number(value.size());
  octets += value;
}

std::uint64_t Reader::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63; shift += 7) {
    if (rest_.empty()) break;
    const auto octet = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(octet & 127) << shift;
    if (octet < 128) return value;
  }
  fail();
  return 0;
}

std::string_view Reader::text() {
  const auto size = number();
  if (size > rest_.size()) {
    fail();
    return {};
  }
  const auto value = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return value;
}

}  // namespace rules::state
