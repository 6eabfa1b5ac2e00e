// The command line of mime-check.
#pragma once

#include <cstdint>
#include <optional>

#include "lib/base/command_line.h"
#include "lib/base/result.h"
#include "mime-check/filter.h"
#include "mime-check/report.h"

namespace mime_check {

extern const base::Manual kManual;

struct Options {
  Rules rules;
  IdSet disabled;
  Findings::Limits limits;
  ReportStyle style;
  std::optional<Severity> fail_from = Severity::Error;  // nothing: never
  std::uint64_t message_max = 0;
  bool is_quiet = false;
  bool as_json = false;
};

[[nodiscard]] base::Result<Options> options_of(const base::CommandLine& line);
// The same as a filter: wire rules, and what to do with what was found.
[[nodiscard]] base::Result<FilterOptions> filter_options_of(const base::CommandLine& line, const Options& options);

}  // namespace mime_check
