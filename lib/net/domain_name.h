// Domain names as people write them and as DNS knows them: IDNA2008, RFC 5891.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace net {

// "bücher.example" -> "xn--bcher-kva.example"; an ASCII name as it is. What cannot be a name is Fault::Permanent.
[[nodiscard]] base::Result<std::string> to_a_labels(std::string_view domain);

}  // namespace net
