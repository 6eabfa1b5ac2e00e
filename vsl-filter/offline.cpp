#include "vsl-filter/offline.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/base/blob.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/progress_line.h"
#include "vsl-filter/report.h"

namespace rules {
namespace {

constexpr int kExitNotAccepted = 1;
constexpr std::uint64_t kLargestMessage = std::uint64_t{1} << 30;

base::Result<base::Blob> read(const std::string& name) {
  base::UniqueFd file;
  if (name != "-") {
    auto opened = base::open_file(name, O_RDONLY);
    if (!opened) return std::unexpected(opened.error());
    file = std::move(*opened);
  }
  auto blob = base::Blob::of_descriptor(file.is_open() ? file.get() : STDIN_FILENO, kLargestMessage);
  if (!blob) return base::fail_within(name == "-" ? "standard input" : name, blob.error());
  return blob;
}

// The message behind the separator of an mbox.
base::Result<base::Blob> without_separator(const base::Blob& blob, std::size_t separator) {
  if (separator == 0) return blob;
  const auto view = blob.view();
  if (!view) return std::unexpected(view.error());
  return base::Blob::of_octets(std::string(view->octets().substr(separator)));
}

// One saved message with all that the rules did to it.
struct Run {
  Session session;
  Played played;
  Changes changes;
  TraceLog trace;
};

// The trace is kept if one is to be printed; a report, unlike the log, is where people look for failures.
base::Result<std::unique_ptr<Run>> run_on(const RuleSet& rules, const Options& options, const base::Blob& blob) {
  const auto view = blob.view();
  if (!view) return std::unexpected(view.error());
  const auto facts = facts_of(view->octets());
  auto message = without_separator(blob, facts.separator_octets);
  if (!message) return std::unexpected(message.error());
  const auto scenario = Scenario::of(facts, options.facts, std::move(*message), rules.site().now());
  auto run = std::make_unique<Run>();
  run->session.connection.server_name = rules.site().domain;
  NoTrace no_trace;
  Trace* const reported = options.mode == Mode::Report && !options.is_quiet ? &no_trace : nullptr;
  Trace* const trace = options.has_trace ? &run->trace : reported;
  const RunStage runner = [&](Session& session, Stage stage) { return run_stage(rules, session, stage, trace); };
  auto played = play(run->session, scenario, runner, options.stage);
  if (!played) return std::unexpected(played.error());
  run->played = std::move(*played);
  if (const auto* transaction = run->session.transaction()) {
    const auto original = scenario.message.view();
    if (!original) return std::unexpected(original.error());
    run->changes = changes_of(*transaction, HeaderList(original->octets()));
  }
  return run;
}

}  // namespace

int report_on(const RuleSet& rules, const Options& options) {
  const ReportForm form{options.as_json, options.has_colour};
  int failure = 0;
  bool all_accepted = true;
  base::ProgressLine progress(options.files.size(), "messages");
  for (const auto& name : options.files) {
    const auto blob = read(name);
    const auto run = blob ? run_on(rules, options, *blob) : std::unexpected(blob.error());
    if (!run) {
      progress.hide();
      failure = base::report(kManual.program, run.error());
      continue;
    }
    all_accepted = all_accepted && (*run)->played.end == Played::End::Accepted;
    if (!options.is_quiet) {
      std::string text;
      const auto file = name == "-" ? std::string_view("standard input") : std::string_view(name);
      append(text, {file, (*run)->played, (*run)->session, (*run)->changes, options.has_trace ? &(*run)->trace : nullptr}, form);
      progress.hide();
      if (const auto written = base::write_all(STDOUT_FILENO, text); !written) return base::report(kManual.program, written.error());
    }
    progress.step();
  }
  if (failure != 0) return failure;
  return all_accepted ? 0 : kExitNotAccepted;
}

int filter_standard_input(const RuleSet& rules, const Options& options) {
  const auto fail = [](const base::Error& error) { return base::report(kManual.program, error); };
  const auto blob = read("-");
  if (!blob) return fail(blob.error());
  const auto run = run_on(rules, options, *blob);
  if (!run) return fail(run.error());
  const auto& [session, played, changes, trace] = **run;
  if (played.end == Played::End::Refused || played.end == Played::End::Deferred) {
    (void)base::write_all(STDERR_FILENO, std::string(kManual.program) + ": " + played.reply + "\n");
    return played.end == Played::End::Refused ? kExitNotAccepted : base::exit_row(base::Fault::Temporary).by_hand;
  }
  const auto* transaction = session.transaction();
  if (transaction == nullptr || !transaction->message) {  // --stage of one before the message
    const auto copied = blob->write_to(STDOUT_FILENO);
    return copied ? 0 : fail(copied.error());
  }
  const base::BlobWriter::Limits limits;
  const auto message = transaction->message->finish(limits);
  if (!message) return fail(message.error());
  const auto written = message->write_to(STDOUT_FILENO);
  return written ? 0 : fail(written.error());
}

}  // namespace rules
