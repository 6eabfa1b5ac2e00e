#include "mime-check/options.h"

#include <unistd.h>

#include <cstdlib>

#include "lib/base/service.h"
#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/chain/serve.h"
#include "lib/mail/header.h"

namespace mime_check {
namespace {

constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"least", "SEVERITY", "show this severity and worse: note, warning or error [note]"},
    {"fail-on", "SEVERITY", "exit 1 when this or worse was found: note, warning, error or never [error]"},
    {"disable", "ID,...", "do not look for these"},
    {"wire", "", "lines end in CR LF, as on the wire; else as most of the file's lines do"},
    {"json", "", "one JSON object a line"},
    {"quiet,q", "", "print nothing, the exit code says it"},
    {"list", "", "print what can be found, a row each, and exit"},
    {"refuse-on", "SEVERITY", "in a chain: refuse the message on this or worse: warning, error or never [error]"},
    {"mark", "FIELD", "in a chain: put this field in front of a message that passes"},
    chain::kResidentOption,
    base::service::kNotifyOption,
});
constexpr auto kSettings = std::to_array<std::string_view>({"mime.findings_max", "mime.findings_of_a_kind_max", "mime.depth_max", "mime.parts_max", "mime.fields_max", "mime.message_max", "server.sandbox", "server.sandbox_folders"});

}  // namespace

const base::Manual kManual = {
    .program = "mime-check",
    .section = "1",
    .usage = "[OPTION...] [FILE...]\n[OPTION...] -- NEXT...\n--resident SOCKET [OPTION...]",
    .purpose = "Says where messages break RFC 5322 and MIME, as a compiler does: files, standard input, or each message of a chain.",
    .examples = "mime-check saved.eml\n"
                "mime-check --least warning --json ~/Maildir/cur/* | jq .id\n"
                "mime-check --disable long-line,no-message-id < message\n"
                "smtpd --listen 127.0.0.1:2525 -- mime-check --refuse-on never --mark X-MIME-Check -- queue-inject",
    .options = kOptions,
    .settings = kSettings,
};

namespace {

base::Result<std::optional<Severity>> severity_option(const base::CommandLine& line, std::string_view name, bool has_never, Severity standard) {
  if (!line.has(name)) return standard;
  const auto& value = line.text(name);
  if (has_never && value == "never") return std::nullopt;
  if (const auto severity = severity_of(value)) return severity;
  return base::fail(base::Fault::Usage, "--" + std::string(name) + " " + value + "; expected: note, warning" + (has_never ? ", error or never" : " or error"));
}

base::Result<IdSet> disabled_of(const base::CommandLine& line) {
  IdSet disabled;
  for (const auto& names : line.all("disable")) {
    for (const auto name : base::text::split(names, ',')) {
      const auto* row = find_row(base::text::trim(name));
      if (row == nullptr) return base::fail(base::Fault::Usage, "--disable " + std::string(name) + ": no such id (see --list)");
      disabled.set(static_cast<std::size_t>(row->id));
    }
  }
  return disabled;
}

}  // namespace

base::Result<Options> options_of(const base::CommandLine& line) {
  Options options;
  const auto least = severity_option(line, "least", false, Severity::Note);
  if (!least) return std::unexpected(least.error());
  const auto fail_from = severity_option(line, "fail-on", true, Severity::Error);
  if (!fail_from) return std::unexpected(fail_from.error());
  const auto disabled = disabled_of(line);
  if (!disabled) return std::unexpected(disabled.error());
  options.style.least = **least;
  options.fail_from = *fail_from;
  options.disabled = *disabled;
  options.limits = {line.settings.count("mime.findings_max"), line.settings.count("mime.findings_of_a_kind_max")};
  options.rules.limits = limits_of(line.settings);
  options.rules.is_wire = line.has("wire");
  options.message_max = line.settings.octets("mime.message_max");
  options.is_quiet = line.has("quiet");
  options.as_json = line.has("json");
  options.style.has_colour = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr && !options.as_json;
  return options;
}

base::Result<FilterOptions> filter_options_of(const base::CommandLine& line, const Options& options) {
  FilterOptions filter{options.rules, options.disabled, options.limits, {}, line.text("mark")};
  filter.rules.is_wire = true;
  const auto refuse_from = severity_option(line, "refuse-on", true, Severity::Error);
  if (!refuse_from) return std::unexpected(refuse_from.error());
  filter.refuse_from = *refuse_from;
  const bool is_name = mail::is_field_name(filter.mark) && !base::utf8::has_8bit(filter.mark);
  if (line.has("mark") && !is_name) return base::fail(base::Fault::Usage, "--mark " + filter.mark + ": not the name of a field");
  return filter;
}

}  // namespace mime_check
