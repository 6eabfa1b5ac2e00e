#include "vsl-filter/modes/offline.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/blob.h"
#include "lib/base/clock.h"
#include "lib/base/exits.h"
#include "lib/base/in_order.h"
#include "lib/base/io.h"
#include "lib/base/progress_line.h"
#include "vsl-filter/modes/report.h"

namespace rules {
namespace {

constexpr int kExitNotAccepted = 1;
constexpr std::uint64_t kLargestMessage = std::uint64_t{1} << 30;

base::Result<base::Blob> within(const std::string& name, base::Result<base::Blob> blob) {
  if (!blob) return base::fail_within(name == "-" ? "standard input" : name, blob.error());
  return blob;
}

// Small messages are copied, which takes less than a mapping.
constexpr std::uint64_t kSmall = 65536;

base::Result<base::Blob> read_octets(int file, std::uint64_t size) {
  auto octets = base::pread_text(file, size, 0);
  if (!octets) return std::unexpected(octets.error());
  return base::Blob::of_octets(std::move(*octets));
}

base::Result<base::Blob> read(const std::string& name) {
  if (name == "-") return within(name, base::Blob::of_descriptor(STDIN_FILENO, kLargestMessage));
  const auto file = base::open_file(name, O_RDONLY);
  if (!file) return std::unexpected(file.error());
  struct stat status;
  const bool is_small = ::fstat(file->get(), &status) == 0 && S_ISREG(status.st_mode) && static_cast<std::uint64_t>(status.st_size) <= kSmall;
  return within(name, is_small ? read_octets(file->get(), static_cast<std::uint64_t>(status.st_size)) : base::Blob::of_descriptor(file->get(), kLargestMessage));
}

// A file with one message, with or without the separator of an mbox in front of it.
struct Saved {
  std::string separator;
  Message message;
};

base::Result<Saved> open(const base::Blob& blob) {
  auto message = Message::open(blob);
  if (!message) return std::unexpected(message.error());
  std::string separator(mbox_separator(message->octets()));
  if (!separator.empty()) message = Message::open(base::Blob::of_octets(std::string(message->octets().substr(separator.size()))));
  if (!message) return std::unexpected(message.error());
  return Saved{std::move(separator), std::move(*message)};
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
  auto saved = open(blob);
  if (!saved) return std::unexpected(saved.error());
  const auto scenario = Scenario::of(facts_of(saved->message.header(), saved->separator), options.facts, {}, rules.site().now());
  auto run = std::make_unique<Run>();
  run->session.connection.server_name = rules.site().domain;
  NoTrace no_trace;
  Trace* const reported = options.mode == Mode::Report && !options.is_quiet ? &no_trace : nullptr;
  Trace* const trace = options.has_trace ? &run->trace : reported;
  const RunStage runner = [&](Session& session, Stage stage) { return run_stage(rules, session, stage, trace); };
  auto played = play(run->session, scenario, runner, options.stage, std::move(saved->message));
  if (!played) return std::unexpected(played.error());
  run->played = std::move(*played);
  if (const auto* transaction = run->session.transaction()) run->changes = changes_of(*transaction);
  return run;
}

// What is printed of one file, or why there is nothing.
struct Report {
  std::string text;
  bool is_accepted = false;
  std::optional<base::Error> error;
};

Report report_of(const RuleSet& rules, const Options& options, const std::string& name) {
  Report report;
  const auto blob = read(name);
  const auto run = blob ? run_on(rules, options, *blob) : std::unexpected(blob.error());
  if (!run) {
    report.error = run.error();
    return report;
  }
  report.is_accepted = (*run)->played.end == Played::End::Accepted;
  if (options.is_quiet) return report;
  const auto file = name == "-" ? std::string_view("standard input") : std::string_view(name);
  append(report.text, {file, (*run)->played, (*run)->session, (*run)->changes, options.has_trace ? &(*run)->trace : nullptr}, {options.as_json, options.has_colour});
  return report;
}

// Prints reports in few writes, but lets nobody wait who looks on.
class Printer {
 public:
  explicit Printer(std::size_t count) : progress_(count, "messages"), is_watched_(::isatty(STDOUT_FILENO) == 1) {}

  // False: nothing can be written any more.
  bool take(Report report) {
    text_ += report.text;
    const bool is_due = is_watched_ || text_.size() >= kEnough || base::monotonic_milliseconds() >= next_;
    if ((is_due || report.error) && !flush()) return false;
    all_accepted_ = all_accepted_ && (report.is_accepted || report.error);
    if (report.error) {
      progress_.hide();
      failure_ = base::report(kManual.program, *report.error);
    } else {
      progress_.step();
    }
    return true;
  }

  int finish() {
    (void)flush();
    if (failure_ != 0) return failure_;
    return all_accepted_ ? 0 : kExitNotAccepted;
  }

 private:
  static constexpr std::size_t kEnough = 65536;
  static constexpr std::uint64_t kWaitMilliseconds = 20;

  bool flush() {
    next_ = base::monotonic_milliseconds() + kWaitMilliseconds;
    if (text_.empty()) return true;
    progress_.hide();
    const auto written = base::write_all(STDOUT_FILENO, text_);
    text_.clear();
    if (!written) failure_ = base::report(kManual.program, written.error());
    return written.has_value();
  }

  base::ProgressLine progress_;
  bool is_watched_;
  std::string text_;
  std::uint64_t next_ = 0;
  bool all_accepted_ = true;
  int failure_ = 0;
};

}  // namespace

int report_on(const RuleSet& rules, const Options& options) {
  Printer printer(options.files.size());
  base::for_each_in_order(
      options.files.size(), options.jobs, [&](std::size_t i) { return report_of(rules, options, options.files[i]); },
      [&](Report report) { return printer.take(std::move(report)); });
  return printer.finish();
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
