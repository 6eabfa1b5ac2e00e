// What a running queue-run says of itself (queue-run(8), Requests, status), read for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qctl {

struct RunStatus {
  struct Destination {
    std::string transport, host;
    std::uint64_t open = 0, waiting = 0, window = 0;
    std::uint64_t suspended_seconds = 0;
    std::string reason;
  };
  std::uint64_t pid = 0, messages = 0, calls_open = 0, calls_waiting = 0, fresh_files_waiting = 0, deferred = 0, deferred_due = 0, unrecorded = 0;
  std::uint64_t taken = 0, sent = 0, put_off = 0, failed = 0;  // since it was started
  std::vector<Destination> destinations;
};

// nullopt: no JSON object. Members that are missing or of another type count as nothing: an older queue-run may answer.
[[nodiscard]] std::optional<RunStatus> parse_run_status(std::string_view json);

}  // namespace qctl
