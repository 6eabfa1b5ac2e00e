// The spellings of vSMTP's vqueue (vsl.md 4.3), for fingers and scripts that know them.
#pragma once

#include <string>
#include <vector>

namespace qctl {

// "show QUEUE..." is status, "msg ID show [json|eml]", "msg ID move QUEUE" and "msg ID remove" are commands of one message. Other
// words come back as they are.
[[nodiscard]] std::vector<std::string> from_vqueue(std::vector<std::string> words);

}  // namespace qctl
