#include "vsl-filter/modes/repl.h"

#include <unistd.h>

#include <iostream>

#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "vsl-filter/lang/folder_loader.h"
#include "vsl-filter/loading.h"
#include "vsl-filter/check/name_hints.h"
#include "vsl-filter/modes/playback.h"
#include "vsl-filter/stages/rule_set.h"

namespace rules {
namespace {

constexpr std::uint64_t kLargestMessage = std::uint64_t{1} << 30;

// Lines that only make sense together: brackets that are open at the end of the line.
bool is_open(std::string_view text) {
  int depth = 0;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '`') {
      quote = c;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' || c == ']' || c == '}') {
      --depth;
    }
  }
  return depth > 0 || quote == '`';
}

bool keeps(std::string_view text) {
  text = text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
  for (const std::string_view word : {"let ", "const ", "fn ", "import ", "object ", "service ", "private "})
    if (text.starts_with(word)) return true;
  return false;
}

// A session that has everything: the message has come, nobody has judged it.
base::Result<void> fill(Session& session, const Site& site, const Options& options) {
  session.connection.server_name = site.domain;
  base::Blob blob = base::Blob::of_octets("From: <me@example.org>\r\nTo: <you@example.org>\r\nSubject: a message\r\n\r\ntext\r\n");
  if (!options.files.empty()) {
    auto octets = base::read_file(options.files.front(), kLargestMessage);
    if (!octets) return std::unexpected(octets.error());
    blob = base::Blob::of_octets(std::move(*octets));
  }
  const auto view = blob.view();
  if (!view) return std::unexpected(view.error());
  const auto scenario = Scenario::of(facts_of(view->octets()), options.facts, blob, site.now());
  const auto played = play(session, scenario, [](Session&, Stage) { return StageResult{}; });
  if (!played) return std::unexpected(played.error());
  return {};
}

class Repl {
 public:
  Repl(const Site& site, const Options& options, Session& session) : site_(site), api_(site), options_(options), scene_{site, &session, options.stage.value_or(Stage::Delivery)} {}

  // Each line is a script of its own, behind everything that was declared before.
  void evaluate(const std::string& text) {
    vsl::FolderLoader loader(options_.rules.empty() ? "./repl.vsl" : options_.rules, {.folders = site_.settings.words("rules.path")});
    vsl::LoadOptions load;
    load.host = &scene_;
    load.hints = name_hints();
    load.sinks = sinks_of(site_);
    const auto loaded = vsl::load({"input", before_ + text}, loader, api_.natives(), kDialect, load);
    print_diagnostics(loaded);
    if (!loaded.program) return;
    if (keeps(text)) before_ += text + (text.ends_with(';') || text.ends_with('}') ? "\n" : ";\n");
    const auto& value = loaded.program->value();
    if (!value.is_unit()) print(vsl::debug_of(value) + "\n");
  }

 private:
  void print(const std::string& text) { (void)base::write_all(STDOUT_FILENO, text); }
  void print_diagnostics(const vsl::Loaded& loaded) {
    for (const auto& diagnostic : loaded.diagnostics.all()) {
      const bool is_error = diagnostic.severity == vsl::Severity::Error;
      if (is_error) print(vsl::render(diagnostic, loaded.sources(), options_.has_colour));
    }
  }

  const Site& site_;
  Api api_;
  const Options& options_;
  Scene scene_;
  std::string before_;
};

}  // namespace

int read_and_print(const base::Settings& settings, const Options& options) {
  Site site = site_of(settings);
  site.is_trial = true;
  Session session;
  if (const auto filled = fill(session, site, options); !filled) return base::report(kManual.program, filled.error());
  Repl repl(site, options, session);
  if (!options.rules.empty()) {
    std::string path = options.rules.substr(options.rules.rfind('/') == std::string::npos ? 0 : options.rules.rfind('/') + 1);
    if (path.ends_with(".vsl")) path.resize(path.size() - 4);
    repl.evaluate("import \"" + path + "\" as rules;");
  }
  const bool has_terminal = ::isatty(STDIN_FILENO) == 1;
  const auto prompt = [&](std::string_view text) {
    if (has_terminal) (void)base::write_all(STDOUT_FILENO, text);
  };
  std::string text, line;
  for (prompt("> "); std::getline(std::cin, line); prompt(text.empty() ? "> " : ". ")) {
    text += (text.empty() ? "" : "\n") + line;
    if (is_open(text)) continue;
    if (!text.empty()) repl.evaluate(text);
    text.clear();
  }
  if (!text.empty()) repl.evaluate(text);
  prompt("\n");
  return 0;
}

}  // namespace rules
