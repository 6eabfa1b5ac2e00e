// What the status of a stage means to the client and to the message: the table of vsl.md 2.4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vsl-filter/transaction/reply.h"
#include "vsl-filter/transaction/stage.h"
#include "vsl-filter/stages/stage_result.h"

namespace rules {

// What becomes of the message.
enum class Fate : std::uint8_t {
  GoOn,        // what comes next as always
  Deliver,     // to the delivery at once, without further rules
  Drop,        // refused: nothing is kept
  Quarantine,  // kept in the quarantine of the transaction
  Dead,        // every recipient has failed for `reason`
  Defer,       // comes again
};

// What the server does: the table of 2.4.
struct Effect {
  std::optional<Reply> reply;  // absent: the one that the server gives when all is well
  bool advances = true;        // the SMTP state goes on; false: as if the command had not come
  bool closes = false;         // the connection, behind the reply
  Fate fate = Fate::GoOn;
  std::string reason;          // of Dead, as each recipient's failure says it
};
// `deny_closes`: setting rules.deny_closes (D-26).
Effect effect_of(Stage stage, const StageResult& result, bool deny_closes);

}  // namespace rules
