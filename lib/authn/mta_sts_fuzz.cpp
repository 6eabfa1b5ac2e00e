// Records and policies are what a stranger publishes: what is read of them is within its bounds, and no pattern stands for more than it says.
#include <cstdint>
#include <cstdlib>

#include "lib/authn/mta_sts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace sts = authn::sts;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto id = sts::find_id(std::vector{text}); id && (id->empty() || id->size() > 32)) std::abort();
  if (sts::find_id(std::vector{"v=STSv1; id=1;" + text, "v=STSv1; id=1;" + text})) std::abort();
  const auto policy = sts::parse_policy(text);
  if (!policy) {
    if (policy.error().empty()) std::abort();
    return 0;
  }
  if (policy->max_age_seconds > sts::Policy::kLongestSeconds || (policy->mx.empty() && policy->mode != sts::Mode::None)) std::abort();
  for (const auto& pattern : policy->mx) {
    if (pattern.find_first_of("/\r\n \t:") != std::string::npos) std::abort();
    const bool is_wildcard = pattern.starts_with('*');
    if (sts::matches(pattern, is_wildcard ? "a.b" + pattern.substr(1) : "a." + pattern)) std::abort();
  }
  return 0;
}
