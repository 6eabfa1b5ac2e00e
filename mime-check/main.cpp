// mime-check: says where messages break RFC 5322 and MIME, as a compiler does. See mime-check(1).
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "lib/base/confinement.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/chain/serve.h"
#include "mime-check/files.h"
#include "mime-check/filter.h"
#include "mime-check/options.h"
#include "mime-check/report.h"

namespace {

int print_table(bool as_json) {
  std::string table;
  mime_check::append_table(table, as_json);
  const auto written = base::write_all(STDOUT_FILENO, table);
  return written ? 0 : base::report(mime_check::kManual.program, written.error());
}

// What it reads is open, and what it writes goes to memory or to a file without a name.
base::Result<void> confine(const base::Settings& settings) {
  base::Sandbox sandbox;
  sandbox.writable = {base::BlobWriter::Limits{}.directory};
  sandbox.limits_tcp = true;
  return base::confine(settings, std::move(sandbox));
}

int serve_chain(const base::CommandLine& line, const mime_check::Options& options) {
  const auto program = mime_check::kManual.program;
  const auto filter_options = mime_check::filter_options_of(line, options);
  if (!filter_options) return base::report_in_chain(program, filter_options.error());
  // The work is all CPU: as many calls at once as there are processors, and the loop stays free.
  const chain::Service service{.message_limit_octets = options.message_max, .threads = std::max(1U, std::thread::hardware_concurrency()), .reload = {}, .confine = [&] { return confine(line.settings); }};
  return chain::serve(program, line, service, [&](chain::Invocation& invocation) { return mime_check::filter(invocation, *filter_options); });
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(mime_check::kManual, argc, argv);
  if (!line) return base::report(mime_check::kManual.program, line.error());
  if (line->should_exit()) return 0;
  if (line->has("list")) return print_table(line->has("json"));
  const bool in_chain = line->has_chain || line->has("resident");
  const auto options = mime_check::options_of(*line);
  if (!options) return (in_chain ? base::report_in_chain : base::report)(mime_check::kManual.program, options.error());
  if (in_chain) return serve_chain(*line, *options);
  return mime_check::check_files(line->arguments.empty() ? std::vector<std::string>{"-"} : line->arguments, *options);
}
