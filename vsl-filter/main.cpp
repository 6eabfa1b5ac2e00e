// vsl-filter: runs rules in vSL on messages and sessions. See vsl-filter(1).
#include <unistd.h>

#include <cstdlib>

#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "vsl-filter/modes/api_text.h"
#include "vsl-filter/modes/authn.h"
#include "vsl-filter/loading.h"
#include "vsl-filter/modes/offline.h"
#include "vsl-filter/options.h"
#include "vsl-filter/modes/receivers.h"
#include "vsl-filter/modes/repl.h"
#include "vsl-filter/serving/serving.h"
#include "vsl-filter/modes/tests.h"

namespace {

using rules::Mode;

int run(const base::CommandLine& line, const rules::Options& options) {
  switch (options.mode) {
    case Mode::Api: return rules::print_api(line.settings, options);
    case Mode::Check: return rules::check_rules(line.settings, options);
    case Mode::Receivers: return rules::print_receivers(line.settings, options);
    case Mode::Test: return rules::run_tests(line.settings, options);
    case Mode::Authn: return options.files.empty() ? rules::authenticate_standard_input(line.settings, options) : rules::authenticate_files(line.settings, options);
    case Mode::Repl: return rules::read_and_print(line.settings, options);
    case Mode::Chain: return rules::serve_one_message(line, options);
    case Mode::Policy: return rules::serve_questions(line.settings, options);
    case Mode::Resident: return rules::serve_resident(line.settings, options);
    case Mode::Report:
    case Mode::Filter: break;
  }
  static const auto loaded = rules::load_or_complain(line.settings, options);
  if (!loaded) return base::exit_row(base::Fault::Config).by_hand;
  return options.mode == Mode::Report ? rules::report_on(*loaded, options) : rules::filter_standard_input(*loaded, options);
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(rules::kManual, argc, argv);
  if (!line) return base::report(rules::kManual.program, line.error());
  if (line->should_exit()) return 0;
  const bool in_chain = line->has_chain;
  const auto options = rules::options_of(*line);
  if (!options) return (in_chain ? base::report_in_chain : base::report)(rules::kManual.program, options.error());
  // Rules and tables are thousands of small pieces. Given back one by one they would cost as much as a small message; so where a process
  // has its rules for life they are static, and this ends it without their destructors.
  std::_Exit(run(*line, *options));
}
