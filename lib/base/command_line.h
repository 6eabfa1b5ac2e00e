// The command line of a program: its own options, the settings of vsmtp.ini that it knows as options, arguments, and
// the chain behind the first "--". Parsed by Boost.Program_options.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/settings.h"

namespace base {

struct OptionRow {
  std::string_view name;        // "maildir", or "from,f" with a short form
  std::string_view value_name;  // "DIRECTORY"; empty for a flag
  std::string_view doc;         // one line, no full stop
  std::string_view bare = {};   // what it means without a value, which then needs a "=": --trace is --trace=directives
};

// What --help prints, in this order: usage, purpose, options, settings, examples, where the manual is.
struct Manual {
  std::string_view program;   // "deliver-maildir"
  std::string_view section;   // of the man page: "8"
  std::string_view usage;     // "[--maildir DIRECTORY] <message", one a line
  std::string_view purpose;   // one sentence
  std::string_view examples;  // complete command lines, one a line
  std::span<const OptionRow> options = {};
  std::span<const std::string_view> settings = {};  // "queue.spool": keys of vsmtp.ini that this program uses
  bool options_end_at_first_argument = false;       // for delivery calls, whose arguments are addresses
};

class CommandLine {
 public:
  // Fault::Usage for what the line says wrongly, Fault::Config for what vsmtp.ini (--config FILE or $VSMTP_CONFIG) does.
  // --help and --version are there for every program; after them should_exit() is true and all is printed.
  // Configures the log if the settings name log keys, and base::service for --resident.
  [[nodiscard]] static Result<CommandLine> parse(const Manual& manual, int argc, char** argv);

  [[nodiscard]] bool should_exit() const { return should_exit_; }
  [[nodiscard]] bool has(std::string_view option) const;               // flag given, or option with a value given
  [[nodiscard]] const std::string& text(std::string_view option) const;  // last value, "" when not given
  [[nodiscard]] const std::vector<std::string>& all(std::string_view option) const;

  Settings settings;
  std::vector<std::string> arguments;  // before the first "--"
  bool has_chain = false;              // a "--" was there
  std::vector<std::string> chain;      // all behind the first "--"

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> options_;
  bool should_exit_ = false;
};

// The name of this host for greetings and Message-IDs: server.domain, or what the system calls it.
std::string server_domain(const Settings& settings);

}  // namespace base
