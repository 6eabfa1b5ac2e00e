#pragma once

#include <string>

namespace base {
inline const std::string kVersion = "0.1.0";
}
