#include "lib/base/confinement.h"

#include "lib/base/log.h"

namespace base {

void add_common(Sandbox& sandbox, const Settings& settings) {
  // Names of hosts, the clock, processors; how much memory there is.
  for (const auto* path : {"/etc/hosts", "/etc/localtime", "/usr/share/zoneinfo", "/sys/devices/system/cpu", "/sys/fs/cgroup", "/proc/self", "/proc/meminfo", "/dev/urandom"})
    sandbox.readable.emplace_back(path);
  sandbox.writable.emplace_back("/dev/null");
  if (const auto& log = settings.text("log.destination"); log != "syslog") add_folder_of(sandbox.writable, log);
  for (const auto& folder : settings.words("server.sandbox_folders")) sandbox.writable.push_back(folder);
}

bool is_confined(const Settings& settings, const Obstacle& obstacle) { return settings.text("server.sandbox") != "no" && obstacle.empty(); }

Result<void> check_confinement(const Settings& settings, const Obstacle& obstacle) {
  if (settings.text("server.sandbox") != "yes") return {};
  if (!obstacle.empty()) return fail(Fault::Config, "server.sandbox = yes: the work cannot be done from inside: " + obstacle + "; expected: auto or no");
  if (landlock_version() == 0) return fail(Fault::Config, "server.sandbox = yes: this system has no Landlock; expected: auto or no");
  return {};
}

Result<void> confine(const Settings& settings, Sandbox sandbox, const Obstacle& obstacle) {
  if (auto checked = check_confinement(settings, obstacle); !checked) return checked;
  if (!is_confined(settings, obstacle)) {
    if (!obstacle.empty() && log::enabled(log::Level::Debug)) log::debug("no sandbox", {{"cause", obstacle}});
    return {};
  }
  add_common(sandbox, settings);
  const auto shut = shut_in(sandbox);
  if (!shut) return fail_within("server.sandbox", shut.error());
  if (shut->landlock == 0) log::info("sandbox in part", {{"cause", "this system has no Landlock"}});
  if (!shut->filters_calls) log::info("sandbox in part", {{"cause", "this system has no seccomp filters"}});
  return {};
}

}  // namespace base
