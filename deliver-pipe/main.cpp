// deliver-pipe: hand a message to a command. See deliver-pipe(8).
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <limits>

#include "deliver-pipe/call.h"
#include "deliver-pipe/end.h"
#include "lib/base/account.h"
#include "lib/base/command_line.h"
#include "lib/base/sandbox.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/chain/caller.h"
#include "lib/chain/envelope.h"
#include "lib/chain/log_ids.h"
#include "lib/mail/stored_form.h"

namespace {

using base::Fault;
using pipe_delivery::Party;
using pipe_delivery::PipeCall;

constexpr std::string_view kProgram = "deliver-pipe";
constexpr auto kNoLimit = std::numeric_limits<std::uint64_t>::max();

constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"all", "", "one process for all recipients of the call; else each has one of its own"},
    {"call", "", "the command is a program of the message call: envelope on descriptor 1, report on 6"},
});
constexpr auto kSettings = std::to_array<std::string_view>({
    "pipe.user", "pipe.directory", "pipe.timeout", "pipe.memory_max", "pipe.no_new_privileges", "pipe.fields", "pipe.line_end", "delivery.recipient_delimiter",
});
const base::Manual kManual{
    .program = kProgram,
    .section = "8",
    .usage = "[OPTION...] { COMMAND ARGUMENT... } HOST SENDER RECIPIENT... <message\n"
             "[OPTION...] '|COMMAND LINE' SENDER RECIPIENT... <message",
    .purpose = "Hands a message to a command: by hand, or as a transport of queue-run.",
    .examples = "deliver-pipe { /usr/bin/tee /tmp/message } example.org me@example.com you@example.org <message\n"
                "deliver-pipe --user vmail { /usr/lib/lists/post {user} } lists.example.org me@example.com staff@lists.example.org <message\n"
                "deliver-pipe '|grep -q urgent && notify \"$RECIPIENT\"' me@example.com you@example.org <message\n"
                "deliver-pipe --call { queue-inject --spool /var/spool/archive } '' me@example.com you@example.org <message",
    .options = kOptions,
    .settings = kSettings,
    .options_end_at_first_argument = true,
};

struct Rules {
  bool is_for_all = false;
  bool is_message_call = false;
  std::string delimiter;
  std::chrono::milliseconds timeout{};
  chain::Command command;  // user, directory, memory
  bool has_from_line = false, has_return_path = false, has_delivered_to = false;
  mail::LineEnd line_end = mail::LineEnd::Lf;
};

base::Result<Rules> rules_of(const base::CommandLine& line) {
  const auto& settings = line.settings;
  Rules rules;
  rules.is_for_all = line.has("all");
  rules.is_message_call = line.has("call");
  rules.delimiter = settings.text("delivery.recipient_delimiter");
  rules.timeout = std::chrono::milliseconds(settings.milliseconds("pipe.timeout"));
  rules.line_end = settings.text("pipe.line_end") == "crlf" ? mail::LineEnd::CrLf : mail::LineEnd::Lf;
  for (const auto& field : settings.words("pipe.fields")) {
    if (field != "from-line" && field != "return-path" && field != "delivered-to")
      return base::fail(Fault::Config, "pipe.fields: '" + field + "'; expected: from-line, return-path, delivered-to");
    (field == "from-line" ? rules.has_from_line : field == "return-path" ? rules.has_return_path : rules.has_delivered_to) = true;
  }
  rules.command.timeout = rules.timeout;
  rules.command.output_octets = 4096;
  rules.command.directory = settings.text("pipe.directory");
  rules.command.memory_octets = settings.octets("pipe.memory_max");
  rules.command.ends_with_caller = true;
  const auto& user = settings.text("pipe.user");
  if (user.empty() && ::geteuid() == 0) return base::fail(Fault::Config, "pipe.user: not set, and commands are not run as root unless it says so; expected: a user");
  if (!user.empty()) {
    const auto [name, group] = base::text::split_once(user, ':');
    rules.command.user = std::string(name);
    if (!group.empty()) rules.command.group = std::string(group);
  }
  return rules;
}

void set_environment(const pipe_delivery::Variables& variables) {
  for (const auto& name : pipe_delivery::variable_names()) ::unsetenv(name.c_str());
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
}

// The message as the command reads it.
base::Result<base::Blob> input_of(const Party& party, std::string_view message, const Rules& rules, const std::string& from_line) {
  auto file = base::memory_file("message");
  if (!file) return std::unexpected(file.error());
  std::string fields = rules.has_from_line ? from_line : std::string();
  const auto sender = rules.has_return_path ? std::optional(party.sender) : std::nullopt;
  if (!rules.has_delivered_to) {
    fields += mail::delivery_fields(sender, "");
  } else {
    fields += mail::delivery_fields(sender, party.recipients.front());
    for (std::size_t i = 1; i < party.recipients.size(); ++i) fields += mail::delivery_fields(std::nullopt, party.recipients[i]);
  }
  const auto segments = sender ? mail::without_return_path(message) : mail::Segments{message};
  const auto size = mail::write_stored(file->get(), fields, segments, rules.line_end);
  if (!size) return std::unexpected(size.error());
  return base::Blob::of_file(std::move(*file), 0, size->octets);
}

pipe_delivery::Result refused(const base::Error& error) {
  if (error.fault == Fault::Permanent) return {chain::Delivery::Rejected, "553 5.1.3 " + error.cause};
  return {chain::Delivery::Deferred, std::string(error.fault == Fault::Config ? "451 4.3.5 " : "451 4.3.0 ") + error.cause};
}

pipe_delivery::Result run(const PipeCall& call, const Party& party, const base::Blob& message, const Rules& rules) {
  auto words = pipe_delivery::words_of(call, party);
  if (!words) return refused(words.error());
  const auto view = message.view();
  if (!view) return refused(view.error());
  const std::string from_line = mail::mbox_from_line(party.sender, base::wall_now());
  const auto input = input_of(party, view->octets(), rules, from_line);
  if (!input) return refused(input.error());
  set_environment(pipe_delivery::variables_of(party, from_line));
  chain::Command command = rules.command;
  command.program = words->front();
  words->erase(words->begin());
  const auto begun = base::monotonic_milliseconds();
  const auto end = chain::run_command(command, *words, *input);
  if (!end) return refused({Fault::Temporary, end.error().cause, 0});
  const bool is_over_time = base::monotonic_milliseconds() - begun >= static_cast<std::uint64_t>(rules.timeout.count());
  if (end->signal && is_over_time) return pipe_delivery::timed_out(call.name(), static_cast<std::uint64_t>(rules.timeout.count()) / 1000);
  return pipe_delivery::result_of(*end, call.name());
}

// The whole process becomes the user: a message call cannot be made as somebody else.
base::Result<base::Blob> become_user(const base::Blob& message, const chain::Command& command) {
  const base::BlobWriter::Limits limits{.memory_octets = 65536, .memfd_octets = kNoLimit, .directory = "/tmp"};  // a file of ours could not be opened again
  base::BlobWriter copy(limits);
  if (const auto copied = copy.append_range(message, 0, message.size()); !copied) return std::unexpected(copied.error());
  if (command.user) {
    const auto account = command.group ? base::find_account(*command.user, *command.group) : base::find_account(*command.user);
    if (!account) return std::unexpected(account.error());
    if (::geteuid() != account->user || ::getegid() != account->group)
      if (const auto became = base::become(*account); !became) return std::unexpected(became.error());
  }
  if (!command.directory.empty() && ::chdir(command.directory.c_str()) != 0) return base::fail_errno("chdir " + command.directory);
  return copy.finish();
}

pipe_delivery::Result make_call(const PipeCall& call, const Party& party, const base::Blob& message, const std::string& context, const Rules& rules) {
  const auto words = pipe_delivery::words_of(call, party);
  if (!words) return refused(words.error());
  chain::Call outgoing;
  outgoing.message = message;
  outgoing.envelope = chain::to_octets({party.sender, party.recipients});
  outgoing.context = context;
  const auto outcome = chain::call_and_wait(*words, std::move(outgoing), {.timeout_milliseconds = static_cast<std::uint64_t>(rules.timeout.count())});
  using Class = chain::Outcome::Class;
  const auto delivery = outcome.result == Class::Taken ? chain::Delivery::Accepted : outcome.result == Class::Permanent ? chain::Delivery::Rejected : chain::Delivery::Deferred;
  if (!outcome.reply.empty()) return {delivery, outcome.reply};
  const std::string_view status = outcome.result == Class::Taken ? "250 2.0.0 taken by " : outcome.result == Class::Permanent ? "550 5.3.0 refused by " : "451 4.3.0 ";
  return {delivery, std::string(status) + (outcome.result == Class::Temporary && !outcome.cause.empty() ? outcome.cause : call.name())};
}

void log_result(const chain::LogIds& ids, const Party& party, const std::string& recipient, const std::string& name, const pipe_delivery::Result& result) {
  const bool is_delivered = result.delivery == chain::Delivery::Accepted;
  base::log::write(is_delivered ? base::log::Level::Info : base::log::Level::Warning, is_delivered ? "delivered" : "refused",
                   ids.before({{"from", party.sender}, {"to", recipient}, {"command", name}, {"reply", result.text}}));
}

chain::DeliveryReport report_of(std::vector<chain::DeliveryReport::Recipient> recipients) {
  chain::DeliveryReport report;
  report.recipients = std::move(recipients);
  const auto has = [&](chain::Delivery which) { return std::ranges::find(report.recipients, which, &chain::DeliveryReport::Recipient::delivery) != report.recipients.end(); };
  using Class = chain::Outcome::Class;
  report.overall = has(chain::Delivery::Accepted) ? Class::Taken : has(chain::Delivery::Deferred) ? Class::Temporary : Class::Permanent;
  report.text = report.overall == Class::Taken ? "delivered" : report.recipients.front().text;
  return report;
}

chain::Answer answer(const PipeCall& call, const chain::Invocation& invocation, const Rules& rules) {
  base::Blob message = invocation.call.message;
  std::optional<pipe_delivery::Result> trouble;
  if (rules.is_message_call) {
    auto copy = become_user(message, rules.command);
    if (copy) {
      message = std::move(*copy);
    } else {
      trouble = refused(copy.error());
    }
  }
  const auto ids = chain::LogIds::of(invocation.call);
  std::vector<chain::DeliveryReport::Recipient> results;
  const auto& delivery = call.delivery;
  for (std::size_t i = 0; i < delivery.recipients.size();) {
    Party party{delivery.host, delivery.sender, delivery.recipients, rules.delimiter};
    if (!rules.is_for_all) party.recipients = {delivery.recipients[i]};
    const auto result = trouble                ? *trouble
                        : rules.is_message_call ? make_call(call, party, message, invocation.call.context, rules)
                                                : run(call, party, message, rules);
    for (const auto& recipient : party.recipients) {
      log_result(ids, party, recipient, call.name(), result);
      results.push_back({result.delivery, result.text});
    }
    i += party.recipients.size();
  }
  return chain::to_answer(report_of(std::move(results)));
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  if (line->has_chain) return base::report(kProgram, {Fault::Usage, "no program can follow behind -- (see --help)"});
  const auto call = pipe_delivery::parse_call(line->arguments);
  if (!call) return base::report(kProgram, call.error());
  const auto rules = rules_of(*line);
  if (!rules) return base::report(kProgram, rules.error());
  if (rules->is_message_call && call->command.empty()) return base::report(kProgram, {Fault::Usage, "--call needs a command in braces"});
  ::signal(SIGPIPE, SIG_IGN);
  if (line->settings.flag("pipe.no_new_privileges"))
    if (const auto renounced = base::renounce_new_privileges(); !renounced) return base::report(kProgram, renounced.error());
  return chain::serve_delivery(kProgram, chain::to_arguments(call->delivery), kNoLimit,
                               [&](chain::Invocation& invocation) { return answer(*call, invocation, *rules); });
}
