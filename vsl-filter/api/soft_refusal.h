// How functions that judge say "not now".
#pragma once

#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/status.h"

namespace rules {

// From mail on the connection goes on: info() refuses that command alone. Before it info() would let the client go on as if nothing
// had been said, so the connection is refused.
inline vsl::Value soft_refusal(vsl::Run& run, Reply reply) {
  const bool is_of_session = is_of_connection(scene_of(run).stage);
  return value_of(run.heap(), Status{is_of_session ? StatusKind::Deny : StatusKind::Info, std::move(reply), {}});
}

}  // namespace rules
