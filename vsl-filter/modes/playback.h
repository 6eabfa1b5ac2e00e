// A message as if it came by SMTP: every stage in its turn, each recipient, and what becomes of the message in the end. For saved
// messages and for tests of rules; a server has its own way (policy.h, filter.h).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/blob.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "vsl-filter/options.h"
#include "vsl-filter/transaction/saved_message.h"
#include "vsl-filter/stages/stage_result.h"
#include "vsl-filter/transaction/transaction.h"

namespace rules {

// What the client says.
struct Scenario {
  std::string client_ip = "127.0.0.1", helo = "localhost";
  std::uint16_t client_port = 0;
  std::optional<std::string> user;  // who has logged in
  bool is_secured = false;
  Standing standing = {};
  std::string reverse_path;
  std::vector<std::string> recipients;
  base::Blob message;
  base::WallTime time;

  // Given facts win over what the message tells.
  static Scenario of(const SavedFacts& saved, const GivenFacts& given, base::Blob message, base::WallTime now);
};

struct Played {
  struct Event {
    Stage stage;
    std::string subject;  // of rcpt: the recipient
    StageResult result;
  };
  enum class End : std::uint8_t { Accepted, Refused, Deferred, Quarantined, Held };

  std::vector<Event> events;
  End end = End::Accepted;
  Stage at = Stage::Delivery;  // where that was decided
  std::string reply;           // of a refusal: as the client sees it
  std::string quarantine;
};
std::string_view name_of(Played::End end);

// `only`: the others are not run; what they would have brought is there all the same. Fault::Temporary: the message cannot be read.
// `opened`: the message, in the place of that of the scenario, for who has opened it already.
[[nodiscard]] base::Result<Played> play(Session& session, const Scenario& scenario, const RunStage& run, std::optional<Stage> only = {},
                                        std::optional<Message> opened = {});

}  // namespace rules
