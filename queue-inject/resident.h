// queue-inject --resident: the calls of one turn of the loop share one write and one sync of the log.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "queue-inject/intake.h"

struct ResidentSettings {
  std::string socket;
  unsigned socket_mode;
  std::string spool;
  std::uint64_t segment_octets;
  std::uint64_t log_message_octets;
  IntakeRules rules;
  std::function<base::Result<void>()> confine;  // called when the socket is there
};

// Until SIGTERM. Returns the exit code.
int run_resident(std::string_view program, const ResidentSettings& settings);
