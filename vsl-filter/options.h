// The command line of vsl-filter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/command_line.h"
#include "lib/base/result.h"
#include "vsl-filter/transaction/stage.h"

namespace rules {

extern const base::Manual kManual;

enum class Mode : std::uint8_t {
  Report,    // on saved messages: what the rules make of them
  Filter,    // standard input to standard output
  Chain,     // the message call
  Policy,    // the session question on standard input and output
  Resident,  // both over a socket
  Check,
  Receivers,  // where content filters bring messages back
  Test,
  Api,
  Repl,
  Authn,     // SPF, DKIM, DMARC, ARC of saved messages, or of standard input; no rules
};

// What the command line says of a message that is not in it (--client-ip and so on); what it leaves open the message tells.
struct GivenFacts {
  std::optional<std::string> client_ip, helo, reverse_path, user;
  std::optional<std::uint16_t> client_port;
  std::vector<std::string> recipients;
  bool is_secured = false;
};

struct Options {
  Mode mode = Mode::Report;
  std::string rules;               // path of the main script; "" for Api
  std::vector<std::string> files;  // saved messages, test files; names for Api
  GivenFacts facts;
  std::optional<Stage> stage;      // the only one to run
  bool has_trace = false;
  bool traces_assignments = false;  // too
  bool as_json = false;
  bool is_quiet = false;
  std::size_t jobs = 1;            // of Report: messages at once
  bool has_colour = false;
  std::string socket;              // of Resident
  unsigned socket_mode = 0600;
};

[[nodiscard]] base::Result<Options> options_of(const base::CommandLine& line);

}  // namespace rules
