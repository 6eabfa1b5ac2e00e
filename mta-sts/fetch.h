// Gets a policy over HTTPS, by libcurl: RFC 8461 section 3.3.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mta-sts/finder.h"

namespace mta_sts {

struct FetchOptions {
  std::string authorities;  // PEM file, or a folder with hashed names
  std::uint16_t port = 443;
  std::uint64_t timeout_milliseconds = 30'000;
  std::uint64_t size_max = 65'536;
};

// From mta-sts.DOMAIN, which has these addresses. Blocks; by any thread.
[[nodiscard]] Fetched fetch_policy(const std::string& domain, const std::vector<std::string>& addresses, const FetchOptions& options);

}  // namespace mta_sts
