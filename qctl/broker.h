// The commands of qctl for a spool on a broker: a queue there can be counted, and its messages can be fetched one after the other
// and given back. So list, show and the changes take messages out for the moment they need; nobody else sees those meanwhile, and
// when qctl ends, however it ends, the broker has them again.
#pragma once

#include "lib/base/command_line.h"
#include "qctl/commands.h"
#include "qctl/output.h"
#include "qctl/selection.h"

namespace qctl {

[[nodiscard]] base::Result<int> run_on_broker(const Command& command, const base::CommandLine& line, Selection selection, Output& out);

}  // namespace qctl
