// What the rules of a stage came to.
#pragma once

#include <functional>
#include <string>

#include "vsl-filter/transaction/reply.h"
#include "vsl-filter/transaction/stage.h"
#include "vsl-filter/transaction/transaction.h"

namespace rules {

struct StageResult {
  Skip status{.kind = Skip::Kind::Next, .code = {}, .reply = {}, .name = {}};
  std::string directive;     // the one that decided; "" when none did
  bool was_skipped = false;  // nothing ran: an earlier stage had decided
  std::string failure;       // what went wrong in that directive, with file, line and column
  std::string diagnosis;     // ... as a compiler prints it: the line with a caret, and who called
  bool is_deferred = false;  // ... and the message or command shall come again
  std::string secret;        // of packet(): for the mechanism that asked; never to be logged
};

// Runs the rules of a stage on a session, which has what the stage brings.
using RunStage = std::function<StageResult(Session& session, Stage stage)>;

// What the client is told instead of the positive reply; nullopt: nothing else.
std::optional<Reply> reply_of(const Skip& status);

}  // namespace rules
