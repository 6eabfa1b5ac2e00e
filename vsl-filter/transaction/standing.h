// What smtpd's shield knows of a client: how much it did lately, what lists of addresses say, how it behaved (vsmtp-chain(7)).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rules {

constexpr auto kCountNames = std::to_array<std::string_view>({"connections", "messages", "recipients", "octets", "errors", "failed_log_ins", "accepted"});

struct Standing {
  using Counts = std::array<std::int64_t, kCountNames.size()>;
  Counts client{}, network{};  // of its address, of its network
  std::string reputation = "unknown";  // or "good", "bad"
  std::int64_t dnsbl_score = 0;
  std::vector<std::string> dnsbl_lists;
  bool is_early_talker = false, is_stressed = false;
  friend bool operator==(const Standing&, const Standing&) = default;
};

// The counts of "connections=3 messages=1 ..."; what is not a count of ours is left out.
[[nodiscard]] Standing::Counts counts_of(std::string_view text);

}  // namespace rules
