#include "mime-check/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "lib/base/blob.h"
#include "lib/base/clock.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"

namespace mime_check {
namespace {

constexpr std::string_view kProgram = "mime-check";
constexpr int kExitFound = 1;

// "17 of 300 files" on a terminal, when it takes longer than a moment; gone before anything else is printed.
class Progress {
 public:
  explicit Progress(std::size_t files) : files_(files), is_shown_(files > 1 && ::isatty(STDERR_FILENO) == 1) {}
  ~Progress() { hide(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void step() {
    ++done_;
    const auto now = base::monotonic_milliseconds();
    if (!is_shown_ || now < next_) return;
    next_ = now + 200;
    is_visible_ = true;
    (void)base::write_all(STDERR_FILENO, "\r" + std::to_string(done_) + " of " + std::to_string(files_) + " files");
  }
  void hide() {
    if (std::exchange(is_visible_, false)) (void)base::write_all(STDERR_FILENO, "\r\x1b[K");
  }

 private:
  std::size_t files_, done_ = 0;
  bool is_shown_, is_visible_ = false;
  std::uint64_t next_ = base::monotonic_milliseconds() + 500;
};

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
  Progress progress(names.size());
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
