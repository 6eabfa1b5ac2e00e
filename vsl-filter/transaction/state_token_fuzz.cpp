// A token that is taken can be written and is the same when it is taken again; nothing else comes near the session. What is
// fuzzed is the octets inside, with the right checksum.
#include <cstdint>
#include <cstdlib>

#include "vsl-filter/transaction/state_octets.h"
#include "vsl-filter/transaction/state_token.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  rules::Session raw;
  (void)rules::from_state(raw, octets);
  rules::Session session;
  if (!rules::from_state(session, rules::state::seal(octets, {}))) {
    if (session.transaction() != nullptr || !session.connection.variables.empty()) std::abort();
    return 0;
  }
  const auto token = rules::to_state(session);
  if (!token) return 0;
  rules::Session again;
  if (!rules::from_state(again, *token)) std::abort();
  const auto same = rules::to_state(again);
  if (session.place() != again.place()) std::abort();
  if (session.headers().lines() != again.headers().lines()) std::abort();
  if (!same) std::abort();
  return 0;
}
