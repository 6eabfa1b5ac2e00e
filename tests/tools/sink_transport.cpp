// sink_transport: a resident transport that delivers to a line of a file, for tests and measurements of queue-run.
//   sink_transport --resident SOCKET [--file FILE]
// For each recipient it appends "RECIPIENT ID OCTETS whole|cut\n" in one write: the X-Id of the message and whether it ends in
// a line END. What recipients are called decides what becomes of them: later... is deferred, bad... refused.
#include <fcntl.h>

#include <array>

#include "lib/base/command_line.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/chain/delivery_call.h"
#include "lib/chain/resident.h"

namespace {

constexpr std::string_view kProgram = "sink_transport";
constexpr auto kOptions = std::to_array<base::OptionRow>({{"resident", "SOCKET", "serve calls on this Unix socket"}, {"file", "FILE", "where deliveries are noted"}});
const base::Manual kManual{
    .program = kProgram, .section = "1", .usage = "--resident SOCKET [--file FILE]", .purpose = "Delivers to a line of a file.", .examples = "", .options = kOptions};

std::string line_of(const std::string& recipient, std::string_view message) {
  constexpr std::string_view kField = "X-Id: ";
  const auto at = message.find(kField);
  const auto id = at == std::string_view::npos ? "-" : message.substr(at + kField.size(), message.find('\r', at) - at - kField.size());
  return recipient + " " + std::string(id) + " " + std::to_string(message.size()) + (message.ends_with("\r\nEND\r\n") ? " whole\n" : " cut\n");
}

chain::Answer deliver(const chain::Invocation& invocation, int file) {
  const auto call = chain::parse_delivery_call(invocation.arguments);
  const auto message = invocation.call.message.view();
  if (!call || !message) return chain::Answer::exit(base::exit_row(base::Fault::Bug).in_chain);
  chain::DeliveryReport report;
  report.overall = chain::Outcome::Class::Taken;
  report.text = "250 2.0.0 noted";
  std::string lines;
  for (const auto& recipient : call->recipients) {
    if (recipient.starts_with("later")) {
      report.recipients.push_back({chain::Delivery::Deferred, "450 4.2.0 not now"});
    } else if (recipient.starts_with("bad")) {
      report.recipients.push_back({chain::Delivery::Rejected, "550 5.1.1 no such user"});
    } else {
      report.recipients.push_back({chain::Delivery::Accepted, ""});
      if (file >= 0) lines += line_of(recipient, message->octets());
    }
  }
  if (!lines.empty() && !base::write_all(file, lines)) return chain::Answer::exit(base::exit_row(base::Fault::Temporary).in_chain);
  return chain::to_answer(report);
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  base::UniqueFd file;
  if (line->has("file")) {
    auto opened = base::open_file(line->text("file"), O_WRONLY | O_APPEND | O_CREAT);
    if (!opened) return base::report(kProgram, opened.error());
    file = std::move(*opened);
  }
  return chain::serve_resident(kProgram, line->text("resident"), {.handler = [&](chain::Invocation& invocation) { return deliver(invocation, file.get()); }});
}
