// A message from near, as qctl show prints it.
#pragma once

#include "lib/queue/view.h"
#include "qctl/output.h"

namespace qctl {

void put_message(Output& out, const queue::Seen& seen, base::WallTime now, bool as_json);

}  // namespace qctl
