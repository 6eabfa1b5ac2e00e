// Values of the API that are neither objects nor statuses: times, credentials, handles.
#pragma once

#include "lib/base/clock.h"
#include "vsl-filter/lang/host_class.h"
#include "vsl-filter/transaction/transaction.h"

namespace rules {

// A moment of wall time; as text the seconds since 1970.
extern const vsl::HostClass kTimeClass;
vsl::Value value_of(vsl::Heap& heap, base::WallTime time);

// What the client authenticates with: .type, .authid, .authpass, .anonymous_token.
extern const vsl::HostClass kCredentialsClass;
vsl::Value value_of(vsl::Heap& heap, const Credentials& credentials);

// ctx(), msg(), srv().
extern const vsl::HostClass kContextClass;
extern const vsl::HostClass kMessageClass;
extern const vsl::HostClass kServerClass;

}  // namespace rules
