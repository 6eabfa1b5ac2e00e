// What the rules said about the transport of each recipient: envelop.rcpt[].transfer_method of the context (vsmtp-chain(7)).
#pragma once

#include <string_view>

#include "queue-run/route.h"

namespace run {

// Cheap for contexts in which all recipients go by the routes of the configuration, which is most: those are not parsed.
[[nodiscard]] RuledRoutes ruled_routes(std::string_view context);

}  // namespace run
