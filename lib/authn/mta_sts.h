// MTA-STS (RFC 8461): what a domain publishes of how its mail exchangers are to be reached. Texts in, facts out.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace authn::sts {

enum class Mode : std::uint8_t { None, Testing, Enforce };
[[nodiscard]] std::string_view word(Mode mode);  // "enforce"
[[nodiscard]] std::optional<Mode> read_mode(std::string_view word);

// Of the TXT records at _mta-sts.DOMAIN the id, which changes with the policy (section 3.1). nullopt: there is no policy, also where there
// are several records.
[[nodiscard]] std::optional<std::string> find_id(std::span<const std::string> texts);

struct Policy {
  static constexpr std::uint64_t kLongestSeconds = 31'557'600;  // section 3.2

  Mode mode = Mode::None;
  std::uint64_t max_age_seconds = 0;
  std::vector<std::string> mx;  // patterns, lower case: "mx.example.org", "*.example.org"

  [[nodiscard]] bool takes(std::string_view host) const;  // section 4.1
};

// Section 3.2; what it does not know is left aside. The error says what is wrong.
[[nodiscard]] std::expected<Policy, std::string> parse_policy(std::string_view text);

// Section 4.1: a wildcard is the whole first label of the pattern, and stands for one.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view host);

}  // namespace authn::sts
