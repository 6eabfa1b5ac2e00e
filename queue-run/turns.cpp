#include "queue-run/turns.h"

#include <functional>
#include <string>

#include "lib/base/text.h"
#include "lib/mail/address.h"

namespace run {

std::uint64_t turn_of(std::string_view reverse_path) {
  const auto [local_part, domain] = mail::split_address(reverse_path);
  const auto end = local_part.find_first_of("+=", 1);  // in front it is no tag
  return std::hash<std::string>()(std::string(local_part.substr(0, end)) + "@" + base::text::to_lower(domain));
}

}  // namespace run
