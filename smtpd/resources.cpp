#include "smtpd/resources.h"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "lib/base/text.h"
#include "lib/queue/spool_folder.h"

namespace smtpd {
namespace {

std::uint64_t resident_octets() {
  std::uint64_t size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::optional<std::uint64_t> number_in(const std::string& path) {
  std::string word;
  std::ifstream(path) >> word;
  return base::text::parse_number<std::uint64_t>(word);  // none: "max", or no such file
}

// "0::/system.slice/vsmtp.service": of version 2.
std::string own_group() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("0::/")) return line.substr(3);
  return {};
}

}  // namespace

ResourceLimits ResourceLimits::from(const base::Settings& settings) {
  ResourceLimits limits;
  limits.memory_high = settings.octets("shield.memory_high");
  limits.descriptor_reserve = settings.count("shield.descriptor_reserve");
  limits.spool = queue::spool_folder(settings.text("queue.spool"));
  limits.free_octets = settings.octets("queue.free_min");
  limits.free_inodes = settings.count("queue.free_inodes_min");
  return limits;
}

std::optional<MemoryOfGroup> memory_of_group(const std::string& folder) {
  const auto most = number_in(folder + "/memory.max"), used = number_in(folder + "/memory.current");
  if (!most || !used) return std::nullopt;
  std::uint64_t reclaimable = 0, value = 0;
  std::ifstream file(folder + "/memory.stat");
  for (std::string name; file >> name >> value;)
    if (name == "inactive_file") reclaimable = value;
  return MemoryOfGroup{*used - std::min(*used, reclaimable), *most};
}

bool is_short_of_memory(const ResourceLimits& limits) {
  if (limits.memory_high > 0) return resident_octets() > limits.memory_high;
  // The limit may be that of a group above.
  for (std::string group = own_group(); !group.empty(); group.resize(group == "/" ? 0 : std::max<std::size_t>(group.rfind('/'), 1))) {
    const auto memory = memory_of_group("/sys/fs/cgroup" + group);
    if (memory && memory->used > memory->most / 10 * 9) return true;
    if (group == "/") break;
  }
  return false;
}

bool is_short_of_descriptors(const ResourceLimits& limits, int newest) {
  rlimit all{};
  if (::getrlimit(RLIMIT_NOFILE, &all) != 0) return false;
  const auto reserve = std::min<std::uint64_t>(limits.descriptor_reserve, all.rlim_cur / 4);
  return static_cast<std::uint64_t>(newest) + reserve >= all.rlim_cur;
}

bool is_short_of_disk(const ResourceLimits& limits, std::uint64_t message_octets) {
  struct statvfs disk;
  if (!limits.looks_at_disk() || ::statvfs(limits.spool.c_str(), &disk) != 0) return false;
  const std::uint64_t free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  if (limits.free_octets > 0 && (free < limits.free_octets || free - limits.free_octets < message_octets)) return true;
  return limits.free_inodes > 0 && disk.f_files > 0 && disk.f_favail < limits.free_inodes;  // some file systems make inodes as they need them
}

}  // namespace smtpd
