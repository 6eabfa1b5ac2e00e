// The keys of the configuration for a message of rules.
#pragma once

#include <string>

#include "lib/authn/signing.h"
#include "vsl-filter/api/scene.h"

namespace rules {

// For `domain`, or if that is empty for the domain in From. Without keys where the configuration has none.
vsl::Expected<authn::Signer> configured_signer(vsl::Run& run, const Message& message, const std::string& domain);
std::unexpected<vsl::Failure> no_keys(const std::string& domain);

}  // namespace rules
