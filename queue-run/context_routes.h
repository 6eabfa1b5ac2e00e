// What the rules said about the transport of each recipient: envelop.rcpt[].transfer_method of the context (vsmtp-chain(7)).
// Honoured here is "None", a recipient whose delivery the rules have switched off; every other method goes by the routes.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

namespace run {

// Cheap for contexts that do not speak of it, which is most: those are not parsed.
[[nodiscard]] std::unordered_set<std::string> undelivered_recipients(std::string_view context);

}  // namespace run
