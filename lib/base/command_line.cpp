#include "lib/base/command_line.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/any.hpp>
#include <boost/program_options.hpp>
#include <cstdlib>
#include <iterator>
#include <sstream>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/service.h"
#include "lib/base/standard_descriptors.h"
#include "lib/base/text.h"
#include "lib/base/version.h"

namespace base {
namespace {
namespace po = boost::program_options;
using Values = std::vector<std::string>;

constexpr auto kCommon = std::to_array<OptionRow>({
    {"config", "FILE", "read vsmtp.ini from here; $VSMTP_CONFIG when not given"},
    {"help,h", "", "print this help"},
    {"version", "", "print the version"},
});
constexpr auto kLogSettings = std::to_array<std::string_view>({"log.level", "log.format", "log.destination"});

std::string option_of(const Setting& setting) {
  std::string name(setting.section == "log" || setting.section == "dns" || setting.section == "shield" ? std::string(setting.section) + "-" : "");
  name += setting.key;
  std::ranges::replace(name, '_', '-');
  return name;
}

void add(po::options_description& group, const OptionRow& row) {
  const std::string name(row.name), doc(row.doc);
  if (row.value_name.empty()) {
    group.add_options()(name.c_str(), doc.c_str());
  } else {
    const std::string value = row.bare.empty() ? std::string(row.value_name) : "[=" + std::string(row.value_name) + "]";
    group.add_options()(name.c_str(), po::value<Values>()->value_name(value)->composing(), doc.c_str());
  }
}

void add(po::options_description& group, const Setting& setting) {
  std::string doc(setting.doc);
  if (setting.kind == Kind::Choice) doc += " (" + std::string(setting.choices) + ")";
  doc += " [" + (setting.standard.empty() ? std::string("empty") : std::string(setting.standard)) + "]";
  group.add_options()(option_of(setting).c_str(), po::value<Values>()->value_name("VALUE")->composing(), doc.c_str());
}

// Takes what is surely no option nor the value of one from the end, so that thousands of files are not looked at one by one against
// all options: an option has at most one value.
Values take_arguments_at_end(Values& line) {
  const auto is_word = [](const std::string& word) { return !word.empty() && word[0] != '-'; };
  std::size_t begin = line.size();
  while (begin >= 2 && is_word(line[begin - 1]) && is_word(line[begin - 2])) --begin;
  Values end(std::make_move_iterator(line.begin() + static_cast<std::ptrdiff_t>(begin)), std::make_move_iterator(line.end()));
  line.resize(begin);
  return end;
}

// Index of the first argument that is neither an option nor the value of one.
std::size_t first_argument(const Values& line, const po::options_description& known) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i].size() < 2 || line[i][0] != '-') return i;
    const bool is_long = line[i].starts_with("--");
    const std::string name = is_long ? line[i].substr(2, line[i].find('=') == std::string::npos ? std::string::npos : line[i].find('=') - 2) : line[i].substr(0, 2);
    const auto* option = known.find_nothrow(name, false);
    if (option == nullptr || option->semantic()->max_tokens() == 0) continue;
    const bool value_is_here = is_long ? line[i].find('=') != std::string::npos : line[i].size() > 2;
    if (!value_is_here) ++i;
  }
  return line.size();
}

Result<void> print_help(const Manual& manual, const po::options_description& own, const po::options_description& from_settings) {
  std::ostringstream out;
  for (const auto line : text::split(manual.usage, '\n')) out << "usage: " << manual.program << ' ' << line << '\n';
  out << '\n' << manual.purpose << "\n\n" << own;
  if (!from_settings.options().empty()) out << '\n' << from_settings;
  if (!manual.examples.empty()) out << "\nExamples:\n";
  for (const auto line : text::split(manual.examples, '\n'))
    if (!line.empty()) out << "  " << line << '\n';
  out << "\nManual: man " << manual.section << ' ' << manual.program << '\n';
  return write_all(1, out.str());
}

}  // namespace

Result<CommandLine> CommandLine::parse(const Manual& manual, int argc, char** argv) {
  keep_standard_descriptors();
  log::leave_connection(manual.program);
  CommandLine parsed;
  Values line(argv + std::min(argc, 1), argv + argc);
  if (const auto dashes = std::ranges::find(line, "--"); dashes != line.end()) {
    parsed.has_chain = true;
    parsed.chain.assign(dashes + 1, line.end());
    line.erase(dashes, line.end());
  }

  // Not by Boost's implicit values: it takes the next argument for the value.
  for (const auto& row : manual.options)
    if (!row.bare.empty()) std::ranges::replace(line, "--" + std::string(row.name), "--" + std::string(row.name) + "=" + std::string(row.bare));
  const Values at_end = take_arguments_at_end(line);

  std::vector<const Setting*> known_settings;
  const auto know = [&](std::string_view name) {
    if (const Setting* setting = find_setting(name)) known_settings.push_back(setting);
  };
  for (const auto name : manual.settings) know(name);
  for (const auto name : kLogSettings) know(name);

  // Boost throws on a bad command line; the exception ends here.
  try {
    po::options_description own("Options"), from_settings("Settings of vsmtp.ini"), all;
    for (const auto& row : manual.options) add(own, row);
    for (const auto& row : kCommon) add(own, row);
    for (const auto* setting : known_settings) add(from_settings, *setting);
    all.add(own).add(from_settings);
    if (manual.options_end_at_first_argument) {
      const auto first = first_argument(line, all);
      parsed.arguments.assign(line.begin() + static_cast<std::ptrdiff_t>(first), line.end());
      line.resize(first);
    }
    all.add_options()("argument", po::value<Values>());
    po::positional_options_description positional;
    positional.add("argument", -1);
    po::variables_map seen;
    // No guessing of abbreviations: a new option must not change what an old script means.
    po::store(po::command_line_parser(line).options(all).positional(positional).style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing).run(), seen);

    if (seen.count("help") != 0) {
      if (const auto printed = print_help(manual, own, from_settings); !printed) return std::unexpected(printed.error());
      parsed.should_exit_ = true;
      return parsed;
    }
    if (seen.count("version") != 0) {
      const auto printed = write_all(1, std::string(manual.program) + " (vSMTP) " + kVersion + "\n");
      if (!printed) return std::unexpected(printed.error());
      parsed.should_exit_ = true;
      return parsed;
    }
    for (const auto& [name, value] : seen) {
      const auto* values = boost::any_cast<Values>(&value.value());
      parsed.options_[name] = values != nullptr ? *values : Values{};
    }
  } catch (const po::error& bad) {
    return fail(Fault::Usage, std::string(bad.what()) + " (see --help)");
  }
  if (const auto given = parsed.options_.find("argument"); given != parsed.options_.end()) {
    parsed.arguments = given->second;
    parsed.options_.erase(given);
  }
  parsed.arguments.insert(parsed.arguments.end(), at_end.begin(), at_end.end());

  const char* from_environment = std::getenv("VSMTP_CONFIG");
  const std::string config = parsed.has("config") ? parsed.text("config") : from_environment != nullptr ? from_environment : "";
  if (!config.empty()) {
    const auto read = parsed.settings.read(config);
    if (!read) return std::unexpected(read.error());
  }
  for (const auto* setting : known_settings) {
    const auto given = parsed.options_.find(option_of(*setting));
    if (given == parsed.options_.end()) continue;
    parsed.settings.forget(*setting);  // the option wins over the file, also for lists
    for (const auto& value : given->second) {
      const auto set = parsed.settings.set(*setting, value);
      if (!set) return fail(Fault::Usage, "--" + option_of(*setting) + ": " + set.error().cause);
    }
  }

  log::Settings log_settings;
  constexpr auto kLevelNames = std::to_array<std::string_view>({"debug", "info", "warning", "error"});
  const auto level = std::ranges::find(kLevelNames, parsed.settings.text("log.level"));
  log_settings.least = static_cast<log::Level>(level - kLevelNames.begin());
  log_settings.as_json = parsed.settings.text("log.format") == "json";
  log_settings.destination = parsed.settings.text("log.destination");
  const auto configured = log::configure(manual.program, log_settings);
  if (!configured) return std::unexpected(configured.error());
  // One that stays: whoever started it may wait to hear that it serves.
  if (parsed.has("resident"))
    if (auto known = service::configure(parsed.text("notify-fd")); !known) return std::unexpected(known.error());
  return parsed;
}

bool CommandLine::has(std::string_view option) const { return options_.find(option) != options_.end(); }

const std::string& CommandLine::text(std::string_view option) const {
  static const std::string none;
  const auto& values = all(option);
  return values.empty() ? none : values.back();
}

const Values& CommandLine::all(std::string_view option) const {
  static const Values none;
  const auto given = options_.find(option);
  return given == options_.end() ? none : given->second;
}

std::string server_domain(const Settings& settings) {
  const std::string& configured = settings.text("server.domain");
  if (!configured.empty()) return configured;
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

}  // namespace base
