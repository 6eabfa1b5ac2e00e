// filter: a chain filter that does as it is told, one-shot and resident (--resident SOCKET), for tests and measurements.
//   filter pass | take TEXT | refuse TEXT | defer TEXT | exit CODE | add FIELD | sender ADDRESS | context JSON | show | sleep MILLISECONDS | crash
// `show` refuses with a description of what it was called with.
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "lib/base/exits.h"
#include "lib/base/text.h"
#include "lib/chain/envelope.h"
#include "lib/chain/serve.h"

namespace {

using chain::Answer;
using chain::Invocation;

constexpr std::string_view kProgram = "filter";
constexpr auto kOptions = std::to_array<base::OptionRow>({chain::kResidentOption, {"threads", "N", "calls at once, when resident (in the loop)"}});
const base::Manual kManual{.program = kProgram,
                           .section = "1",
                           .usage = "[--resident SOCKET] ACTION [TEXT] [-- NEXT...]",
                           .purpose = "Does as it is told.",
                           .examples = "",
                           .options = kOptions,
                           .options_end_at_first_argument = true};

Answer add(const Invocation& invocation, const std::string& field) {
  auto answer = Answer::pass();
  const auto octets = invocation.call.message.view();
  if (!octets) return Answer::exit(base::exit_row(octets.error().fault).in_chain);
  answer.message = base::Blob::of_octets(field + "\r\n" + std::string(octets->octets()));
  return answer;
}

Answer change_sender(const Invocation& invocation, const std::string& sender) {
  auto envelope = chain::parse_envelope(invocation.call.envelope);
  if (!envelope) return Answer::exit(91);
  envelope->reverse_path = sender;
  auto answer = Answer::pass();
  answer.envelope = chain::to_octets(*envelope);
  return answer;
}

Answer show(const Invocation& invocation) {
  const auto& call = invocation.call;
  const auto octets = call.message.view();
  std::string text = "554 message=" + (octets ? base::text::printable(octets->octets(), 1000) : octets.error().cause);
  text += " envelope=" + base::text::printable(call.envelope, 1000) + " context=" + call.context;
  for (const auto& variable : call.environment) text += " " + variable;
  for (const auto& word : invocation.next) text += " next=" + word;
  return Answer::as_reported(base::Fault::Permanent, text);
}

Answer act(Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  const std::string action = arguments.empty() ? "pass" : arguments[0];
  const std::string text = arguments.size() > 1 ? arguments[1] : "";
  if (action == "take") return Answer::taken(text);
  if (action == "refuse") return Answer::as_reported(base::Fault::Permanent, text);
  if (action == "defer") return Answer::as_reported(base::Fault::Temporary, text);
  if (action == "exit") return Answer::exit(std::atoi(text.c_str()));
  if (action == "add") return add(invocation, text);
  if (action == "sender") return change_sender(invocation, text);
  if (action == "show") return show(invocation);
  if (action == "crash") std::abort();
  if (action == "sleep") ::usleep(static_cast<useconds_t>(std::atoi(text.c_str())) * 1000);
  auto answer = Answer::pass();
  if (action == "context") answer.context = text;
  return answer;
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  chain::Service service;
  service.threads = base::text::parse_number<std::size_t>(line->text("threads")).value_or(0);
  return chain::serve(kProgram, *line, service, act);
}
