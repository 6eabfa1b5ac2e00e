#include "vsl-filter/modes/receivers.h"

#include <unistd.h>

#include <map>
#include <set>

#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/json_text.h"
#include "vsl-filter/loading.h"
#include "vsl-filter/services/smtp.h"

namespace rules {
namespace {

std::string line_of(const Receiver& receiver) {
  std::string line = receiver.address;
  for (const auto& client : receiver.clients) line += " " + client;
  return line + "\n";
}

std::string json_of(const Receiver& receiver) {
  std::string line = "{";
  base::json::append_member(line, "receiver", receiver.address);
  base::json::append_name(line, "clients");
  line += '[';
  for (const auto& client : receiver.clients) {
    if (!line.ends_with('[')) line += ',';
    base::json::append_string(line, client);
  }
  return line + "]}\n";
}

}  // namespace

std::vector<Receiver> receivers_of(const RuleSet& rules) {
  std::map<std::string, std::set<std::string>> clients;
  for (const auto* service : rules.delegates()) clients[service->receiver()].insert(service->clients().begin(), service->clients().end());
  std::vector<Receiver> receivers;
  for (const auto& [address, those] : clients) receivers.push_back({address, {those.begin(), those.end()}});
  return receivers;
}

int print_receivers(const base::Settings& settings, const Options& options) {
  static const auto loaded = load_or_complain(settings, options);
  if (!loaded) return base::exit_row(base::Fault::Config).by_hand;
  std::string text;
  for (const auto& receiver : receivers_of(*loaded)) text += options.as_json ? json_of(receiver) : line_of(receiver);
  if (const auto written = base::write_all(STDOUT_FILENO, text); !written) return base::report(kManual.program, written.error());
  return 0;
}

}  // namespace rules
