#include "mime-check/files.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/base/blob.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/progress_line.h"

namespace mime_check {
namespace {

constexpr std::string_view kProgram = "mime-check";
constexpr int kExitFound = 1;

struct Totals {
  std::size_t files = 0, errors = 0, warnings = 0, notes = 0;
  bool is_found = false;     // what --fail-on asks for
};

base::Result<std::string> check_file(const std::string& name, const Options& options, Totals& totals) {
  base::UniqueFd file;
  if (name != "-") {
    auto opened = base::open_file(name, O_RDONLY);
    if (!opened) return std::unexpected(opened.error());
    file = std::move(*opened);
  }
  const auto blob = base::Blob::of_descriptor(file.is_open() ? file.get() : STDIN_FILENO, options.message_max);
  if (!blob) return base::fail_within(name, blob.error());
  const auto view = blob->view();
  if (!view) return base::fail_within(name, view.error());
  Findings findings(options.disabled, options.limits);
  check_message(view->octets(), options.rules, findings);
  totals.errors += findings.count(Severity::Error);
  totals.warnings += findings.count(Severity::Warning);
  totals.notes += findings.count(Severity::Note);
  ++totals.files;
  totals.is_found |= options.fail_from && findings.has(*options.fail_from);
  std::string report;
  if (options.is_quiet) return report;
  const auto shown = name == "-" ? std::string_view("standard input") : std::string_view(name);
  if (options.as_json) {
    append_json(report, shown, findings, options.style);
  } else {
    append_text(report, shown, view->octets(), findings, options.style);
  }
  return report;
}

}  // namespace

int check_files(const std::vector<std::string>& names, const Options& options) {
  Totals totals;
  int failure = 0;
  base::ProgressLine progress(names.size(), "files");
  for (const auto& name : names) {
    const auto report = check_file(name, options, totals);
    if (!report) {
      progress.hide();
      failure = base::report(kProgram, report.error());
    } else if (!report->empty()) {
      progress.hide();
      if (const auto written = base::write_all(STDOUT_FILENO, *report); !written) return base::report(kProgram, written.error());
    }
    progress.step();
  }
  progress.hide();
  if (!options.is_quiet && !options.as_json && totals.files > 0) {
    const auto summary = (totals.files == 1 ? std::string() : std::to_string(totals.files) + " files: ") + counts_text(totals.errors, totals.warnings, totals.notes) + "\n";
    if (const auto written = base::write_all(STDOUT_FILENO, summary); !written) return base::report(kProgram, written.error());
  }
  if (failure != 0) return failure;
  return totals.is_found ? kExitFound : 0;
}

}  // namespace mime_check
