#include "vsl-filter/serving/confinement.h"

#include "lib/authn/signing.h"
#include "lib/base/blob.h"
#include "lib/base/durable.h"
#include "lib/net/dns.h"
#include "lib/queue/spool_folder.h"
#include "vsl-filter/api/needs.h"
#include "vsl-filter/lang/program.h"

namespace rules {
namespace {

// One that is made when it is first needed must be there now, for from inside only what is in it can be made. If it cannot be made, the
// rule that needs it says so.
void add_made(std::vector<std::string>& folders, const std::string& folder) {
  (void)base::make_directories(folder, 0700);
  folders.push_back(folder);
}

bool uses(const RuleSet& rules, std::uint16_t flag) { return vsl::mentions(rules.program(), flag); }

}  // namespace

base::Obstacle obstacle_of(const RuleSet& rules, const NamedByRules& named) {
  if (!named.programs.empty()) return "its rules start '" + named.programs.front() + "'";
  if (uses(rules, kStarts)) return "its rules call functions that start programs or ask about users of the system";
  return {};
}

base::Sandbox sandbox_of(const RuleSet& rules, const NamedByRules& named, const Options& options) {
  const auto& site = rules.site();
  const auto& settings = site.settings;
  base::Sandbox sandbox;
  base::add_folder_of(sandbox.readable, options.rules);  // read again on SIGHUP
  for (const auto& folder : settings.words("rules.path")) sandbox.readable.push_back(folder);
  for (const auto& file : named.read) base::add_folder_of(sandbox.readable, file);
  for (const auto& file : named.written) base::add_folder_of(sandbox.writable, file);
  if (uses(rules, kKeeps)) add_made(sandbox.writable, site.state_directory);
  if (uses(rules, kWrites)) add_made(sandbox.writable, site.app_directory);
  if (uses(rules, kQueues)) {
    sandbox.readable.push_back(site.app_directory);
    if (auto spool = queue::spool_folder(settings.text("queue.spool")); !spool.empty()) sandbox.writable.push_back(std::move(spool));
  }
  base::add_folder_of(sandbox.readable, settings.text("delivery.srs_secret_file"));
  sandbox.writable.push_back(base::BlobWriter::Limits{}.directory);  // of messages that they change
  for (const auto& file : authn::key_files(settings)) base::add_folder_of(sandbox.readable, file);
  net::dns::add_needs(sandbox, settings);
  return sandbox;
}

}  // namespace rules
