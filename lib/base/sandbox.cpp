#include "lib/base/sandbox.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "lib/base/seccomp.h"
#include "lib/base/unique_fd.h"

namespace base {
namespace {

// linux/landlock.h as of version 6; the header of the machine that compiles may be older than the kernel of the one that runs.
struct RulesetAttributes {
  std::uint64_t handled_access_fs, handled_access_net, scoped;
};
struct [[gnu::packed]] PathBeneath {
  std::uint64_t allowed_access;
  std::int32_t parent;
};
struct NetPort {
  std::uint64_t allowed_access, port;
};
constexpr int kRulePathBeneath = 1, kRuleNetPort = 2;
constexpr std::uint32_t kAskVersion = 1;

enum Access : std::uint64_t {
  kExecute = 1 << 0,
  kWriteFile = 1 << 1,
  kReadFile = 1 << 2,
  kReadFolder = 1 << 3,
  kRemoveFolder = 1 << 4,
  kRemoveFile = 1 << 5,
  kMakeFolder = 1 << 7,
  kMakeFile = 1 << 8,
  kRefer = 1 << 13,     // from version 2 on
  kTruncate = 1 << 14,  // 3
  kIoctl = 1 << 15,     // 5
};
constexpr std::uint64_t kBindTcp = 1, kConnectTcp = 2;  // 4
constexpr std::uint64_t kScopeSignal = 2;               // 6

constexpr std::uint64_t kForFiles = kExecute | kWriteFile | kReadFile | kTruncate | kIoctl;  // the others mean something for folders only
constexpr std::uint64_t kRead = kReadFile | kReadFolder;
constexpr std::uint64_t kWrite = kRead | kWriteFile | kRemoveFolder | kRemoveFile | kMakeFolder | kMakeFile | kRefer | kTruncate;

std::uint64_t all_access_of(int version) {
  std::uint64_t all = (1 << 13) - 1;
  if (version >= 2) all |= kRefer;
  if (version >= 3) all |= kTruncate;
  if (version >= 5) all |= kIoctl;
  return all;
}

Result<void> allow(int ruleset, const std::string& path, std::uint64_t access) {
  const UniqueFd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd.is_open()) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return {};  // nothing that could be opened later either
    return fail_errno("open " + path, Fault::Config);
  }
  struct stat what;
  if (::fstat(fd.get(), &what) != 0) return fail_errno("stat " + path);
  if (!S_ISDIR(what.st_mode)) access &= kForFiles;
  const PathBeneath rule = {access, fd.get()};
  if (::syscall(SYS_landlock_add_rule, ruleset, kRulePathBeneath, &rule, 0) != 0) return fail_errno("landlock_add_rule " + path);
  return {};
}

Result<void> restrict_files_and_ports(const Sandbox& sandbox, int version) {
  const std::uint64_t all = all_access_of(version);
  const RulesetAttributes attributes = {
      .handled_access_fs = all,
      .handled_access_net = version >= 4 && sandbox.limits_tcp ? kBindTcp | kConnectTcp : 0,
      .scoped = version >= 6 ? kScopeSignal : 0,
  };
  const std::size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const UniqueFd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
  if (!ruleset.is_open()) return fail_errno("landlock_create_ruleset");
  for (const auto& path : sandbox.readable)
    if (auto allowed = allow(ruleset.get(), path, kRead & all); !allowed) return allowed;
  for (const auto& path : sandbox.writable)
    if (auto allowed = allow(ruleset.get(), path, kWrite & all); !allowed) return allowed;
  for (const auto port : sandbox.ports) {
    const NetPort rule = {kConnectTcp, port};
    if (attributes.handled_access_net == 0) break;
    if (::syscall(SYS_landlock_add_rule, ruleset.get(), kRuleNetPort, &rule, 0) != 0) return fail_errno("landlock_add_rule, port " + std::to_string(port));
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) return fail_errno("landlock_restrict_self");
  return {};
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

void add_folder_of(std::vector<std::string>& list, const std::string& path) {
  if (path.empty()) return;
  list.push_back(folder_of(path));
  if (char* const real = ::realpath(path.c_str(), nullptr); real != nullptr) {
    list.push_back(folder_of(real));
    std::free(real);
  }
}

Result<void> renounce_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("prctl PR_SET_NO_NEW_PRIVS");
  return {};
}

int landlock_version() { return static_cast<int>(std::max(0L, ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion))); }

Result<Shut> shut_in(const Sandbox& sandbox) {
  Shut shut;
  ::tzset();  // syslog(3) wants to know the time zone, which is in a file
  if (auto renounced = renounce_new_privileges(); !renounced) return std::unexpected(renounced.error());
  shut.landlock = landlock_version();
  if (shut.landlock > 0)
    if (auto restricted = restrict_files_and_ports(sandbox, shut.landlock); !restricted) return std::unexpected(restricted.error());
  auto filtered = filter_system_calls(sandbox.names_interfaces);
  if (!filtered) return std::unexpected(filtered.error());
  shut.filters_calls = *filtered;
  return shut;
}

}  // namespace base
