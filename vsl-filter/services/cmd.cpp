// Services of kind `cmd`: programs.
#include <algorithm>

#include "lib/base/utf8.h"
#include "lib/chain/command.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/lang/text.h"
#include "vsl-filter/services/named_by_rules.h"
#include "vsl-filter/services/service.h"

namespace rules {

using chain::Command;
using chain::CommandEnd;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

constexpr std::string_view kMessageInput = "message";

constexpr OptionRow kOptions[] = {
    // name, alias, type, required, default, doc
    {"command", "", OptionType::Text, true, "", "path, or name that is looked up in PATH; no shell"},
    {"args", "", OptionType::Words, false, "", "its arguments"},
    {"timeout", "", OptionType::Duration, false, "30s", "then it and its children are killed, and the result shows signal 9"},
    {"user", "", OptionType::Text, false, "", "who it runs as; ours if not given"},
    {"group", "", OptionType::Text, false, "", "the group it runs as"},
    {"input", "", OptionType::Text, false, "", "\"message\", or a text: what is on its standard input"},
    {"output_max", "", OptionType::Count, false, "65536", "octets of standard output and standard error that are kept, each"},
};

class CommandService : public Service {
 public:
  CommandService(std::string name, Command command, std::string input)
      : Service(std::move(name), kCommandKind.name), command_(std::move(command)), input_(std::move(input)) {}

  Result run(Run& run, ServiceArguments arguments) override;

 private:
  [[nodiscard]] vsl::Expected<base::Blob> input_of(Run& run, ServiceArguments arguments) const;

  const Command command_;
  const std::string input_;
};

// Programs write what they like; strings are UTF-8.
std::string as_utf8(std::string_view octets) {
  std::string text;
  while (!octets.empty()) {
    const std::size_t length = base::utf8::sequence_octets(octets);
    if (length == 0) base::utf8::append(text, 0xFFFD);
    else text += octets.substr(0, length);
    octets.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

Value number_or_unit(const std::optional<int>& number) { return number ? Value(*number) : Value(); }

Value map_of(Run& run, const CommandEnd& end) {
  Value value = run.heap().map();
  vsl::Map& map = value.map_for_write(run.heap());
  map.set("has_code", Value(end.code.has_value()));
  map.set("code", number_or_unit(end.code));
  map.set("has_signal", Value(end.signal.has_value()));
  map.set("signal", number_or_unit(end.signal));
  map.set("stdout", run.string(as_utf8(end.output)));
  map.set("stderr", run.string(as_utf8(end.errors)));
  return value;
}

vsl::Expected<base::Blob> CommandService::input_of(Run& run, ServiceArguments arguments) const {
  if (arguments.size() > 1) return base::Blob::of_octets(vsl::text_of(arguments[1]));
  if (input_ != kMessageInput) return base::Blob::of_octets(input_);
  auto message = message_at(run, "message");
  if (!message) return pass_on(message);
  static const base::BlobWriter::Limits limits;
  auto blob = (*message)->finish(limits);
  if (!blob) return fail(blob.error().cause);
  return *std::move(blob);
}

Result CommandService::run(Run& run, ServiceArguments arguments) {
  std::vector<std::string> words = command_.arguments;
  if (!arguments.empty()) {
    words.clear();
    if (!arguments[0].is_array()) return fail("all cmd arguments must be strings");
    for (const Value& word : arguments[0].as_array()) {
      if (!word.is_string()) return fail("all cmd arguments must be strings");
      words.emplace_back(word.as_text());
    }
  }
  for (const auto& word : words)
    if (word.find('\0') != std::string::npos) return fail("no argument of a command can have a NUL");
  auto input = input_of(run, arguments);
  if (!input) return std::unexpected(std::move(input.error()));
  const Waiting waiting(run);
  const auto end = run_command(command_, words, *input);
  if (!end) {
    const bool is_about_account = end.error().cause.starts_with("user not found") || end.error().cause.starts_with("group not found");
    return fail(is_about_account ? end.error().cause : "cmd process failed to spawn: " + end.error().cause);
  }
  return map_of(run, *end);
}

vsl::Expected<std::unique_ptr<Service>> make(Run&, std::string name, const ServiceOptions& options) {
  Command command;
  command.program = options.text("command");
  command.arguments = options.words("args");
  command.timeout = options.duration("timeout");
  if (options.is_given("user")) command.user = options.text("user");
  if (options.is_given("group")) command.group = options.text("group");
  command.output_octets = static_cast<std::size_t>(options.count("output_max"));
  if (command.program.empty() || command.program.find('\0') != std::string::npos)
    return vsl::fail_api("the option 'command' of cmd service " + name + " must name a program");
  note_program(command.program);
  return std::make_unique<CommandService>(std::move(name), std::move(command), options.text("input"));
}

constexpr OptionRow kProcessOptions[] = {
    {"args", "", OptionType::Words, true, "", "the program, a path or a name that is looked up in PATH, and its arguments; no shell"},
    {"timeout", "", OptionType::Duration, false, "30s", "then it and its children are killed"},
    {"input", "", OptionType::Text, false, "", "what is on its standard input"},
    {"output_max", "", OptionType::Count, false, "65536", "octets of standard output and standard error that are kept, each"},
};
constexpr int kKilled = 128;  // a shell's $? of a program that a signal has ended: this and the signal's number

}  // namespace

Result run_process(Run& run, ServiceArguments a) {
  auto options = ServiceOptions::read("process::run", kProcessOptions, a[0].as_map());
  if (!options) return std::unexpected(std::move(options.error()));
  std::vector<std::string> words = options->words("args");
  if (words.empty() || words.front().empty()) return vsl::fail_api("process::run: 'args' must begin with a program");
  for (const auto& word : words)
    if (word.find('\0') != std::string::npos) return vsl::fail_api("process::run: no argument of a command can have a NUL");
  Command command;
  command.program = std::move(words.front());
  words.erase(words.begin());
  command.timeout = options->duration("timeout");
  command.output_octets = static_cast<std::size_t>(options->count("output_max"));
  const Waiting waiting(run);
  const auto end = run_command(command, words, base::Blob::of_octets(options->text("input")));
  if (!end) return vsl::fail_api("cmd process failed to spawn: " + end.error().cause);
  Value map = map_of(run, *end);
  map.map_for_write(run.heap()).set("status", Value(std::int64_t{end->code ? *end->code : kKilled + end->signal.value_or(0)}));
  return map;
}

const ServiceKind kCommandKind{"cmd", "cmd service", "cmd", "build", kOptions, make, "runs a program"};

}  // namespace rules
