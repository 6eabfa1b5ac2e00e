// What is found, in the words of a session question and for people.
#pragma once

#include <string>

#include "mta-sts/finder.h"

namespace mta_sts {

// Attributes of an answer: action=none, testing or enforce; id, mx (one a pattern), and failure and problem where a policy could not be had.
[[nodiscard]] std::string attributes_of(const Found& found);
[[nodiscard]] std::string json_of(const std::string& domain, const Found& found);
[[nodiscard]] std::string lines_of(const std::string& domain, const Found& found);

}  // namespace mta_sts
