#include "vsl-filter/loading.h"

#include <unistd.h>

#include <cstdlib>

#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/log.h"

namespace rules {
namespace {

constexpr int kExitErrors = 1;

constexpr base::log::Level system_level(LogLevel level) {
  switch (level) {
    case LogLevel::Trace:
    case LogLevel::Debug: return base::log::Level::Debug;
    case LogLevel::Info: return base::log::Level::Info;
    case LogLevel::Warn: return base::log::Level::Warning;
    case LogLevel::Error: break;
  }
  return base::log::Level::Error;
}

// With the id that finds all other lines about this message or session.
void write_log(LogLevel level, std::string_view text) {
  const auto id = LogSubject::current();
  if (id.empty()) return base::log::write(system_level(level), "rule", {{"text", text}});
  base::log::write(system_level(level), "rule", {{"id", id}, {"text", text}});
}

}  // namespace

Site site_of(const base::Settings& settings) {
  Site site = Site::of(settings, write_log);
  site.logs_debug = base::log::enabled(base::log::Level::Debug);
  return site;
}

std::shared_ptr<const RuleSet> load_or_complain(const base::Settings& settings, const Options& options) {
  Site site = site_of(settings);
  site.tells_assignments = options.traces_assignments;
  site.is_trial = options.mode == Mode::Report;
  auto loaded = RuleSet::load(options.rules, std::move(site));
  if (!loaded) {
    (void)base::report(kManual.program, loaded.error());
    return nullptr;
  }
  const auto& diagnostics = (*loaded)->diagnostics();
  const bool has_something = diagnostics.has_errors() || (!options.is_quiet && diagnostics.warnings() > 0);
  const bool has_colour = ::isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  if (has_something) (void)base::write_all(STDERR_FILENO, vsl::render(diagnostics, (*loaded)->sources(), has_colour));
  return (*loaded)->is_usable() ? *loaded : nullptr;
}

int check_rules(const base::Settings& settings, const Options& options) {
  const auto loaded = RuleSet::load(options.rules, site_of(settings));
  if (!loaded) return base::report(kManual.program, loaded.error());
  const auto& diagnostics = (*loaded)->diagnostics();
  const auto& sources = (*loaded)->sources();
  std::string text;
  if (options.as_json) {
    for (const auto& diagnostic : diagnostics.all()) text += vsl::render_json(diagnostic, sources) + "\n";
  } else if (!options.is_quiet && !diagnostics.all().empty()) {
    text = vsl::render(diagnostics, sources, options.has_colour);
  }
  if (const auto written = base::write_all(STDOUT_FILENO, text); !written) return base::report(kManual.program, written.error());
  return (*loaded)->is_usable() ? 0 : kExitErrors;
}

}  // namespace rules
