// deliver-remote: deliver a message over SMTP or LMTP. See deliver-remote(8).
#include <array>
#include <limits>
#include <memory>
#include <optional>

#include "deliver-remote/calls.h"
#include "deliver-remote/confinement.h"
#include "deliver-remote/deliverer.h"
#include "deliver-remote/options.h"
#include "lib/base/command_line.h"
#include "lib/base/confinement.h"
#include "lib/base/exits.h"
#include "lib/base/service.h"
#include "lib/chain/resident.h"
#include "lib/net/loop.h"

namespace {

using base::CommandLine;

constexpr std::string_view kProgram = "deliver-remote";
constexpr auto kNoLimit = std::numeric_limits<std::uint64_t>::max();  // a message that is here was accepted with its size

constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"resident", "SOCKET", "keep running and serve calls on this Unix socket"},
    base::service::kNotifyOption,
});
const base::Manual kManual{
    .program = kProgram,
    .section = "8",
    .usage = "[OPTION...] HOST SENDER RECIPIENT... <message\n"
             "[OPTION...]\n"
             "[OPTION...] --resident SOCKET",
    .purpose = "Delivers a message over SMTP or LMTP: by hand, as a delivery program of queue-run, or at the end of a chain.",
    .examples = "deliver-remote example.org me@example.com you@example.org <message\n"
                "deliver-remote '[192.0.2.1]:2525' '' you@example.org <message\n"
                "smtpd -- vsl-filter main.vsl -- deliver-remote --relay-host '[10.0.0.5]:25'\n"
                "deliver-remote --resident /run/vsmtp/remote.sock",
    .options = kOptions,
    .settings = remote::kSettingNames,
    .options_end_at_first_argument = true,
};

// A call of its own loop: nothing is kept for a next message.
chain::Answer answer_once(remote::Options options, const chain::Invocation& invocation) {
  options.reuse = false;
  net::Loop loop;
  remote::Deliverer deliverer(loop, options, false);
  chain::Answer answer = chain::Answer::exit(base::exit_row(base::Fault::Bug).in_chain);
  bool is_answered = false;
  loop.after_io([&] {
    if (is_answered) deliverer.end_policies();
  });
  remote::take_call(deliverer, invocation, [&](chain::Answer result) {
    answer = std::move(result);
    is_answered = true;
  });
  loop.run();  // ends when the last connection has said goodbye
  return answer;
}

int serve_resident(const remote::Options& options, const CommandLine& line) {
  net::Loop loop;
  std::optional<remote::Deliverer> deliverer;  // starts threads, which is to be done from inside
  chain::ResidentServer server(loop, {}, [&](chain::PendingCall call) {
    const auto open = std::make_shared<chain::PendingCall>(std::move(call));
    remote::take_call(*deliverer, open->invocation, [open](chain::Answer answer) { open->answer(std::move(answer)); });
  });
  if (const auto listening = server.listen(line.text("resident")); !listening) return base::report(kProgram, listening.error());
  if (const auto confined = base::confine(line.settings, remote::sandbox_of(line.settings), remote::obstacle_to_sandbox(line.settings)); !confined) return base::report(kProgram, confined.error());
  deliverer.emplace(loop, options, true);
  chain::run_until_told(loop, server, [&] { deliverer->close_idle(); });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  const auto options = remote::read_options(line->settings);
  if (!options) return base::report(kProgram, options.error());

  if (line->has("resident")) {
    if (!line->arguments.empty() || line->has_chain)
      return base::report(kProgram, {base::Fault::Usage, "--resident takes its calls from the socket: no arguments (see --help)"});
    return serve_resident(*options, *line);
  }
  const chain::Handler handler = [&](chain::Invocation& invocation) { return answer_once(*options, invocation); };
  if (line->arguments.empty()) return chain::serve_once(kProgram, {}, line->chain, kNoLimit, handler);
  return chain::serve_delivery(kProgram, line->arguments, kNoLimit, handler);
}
