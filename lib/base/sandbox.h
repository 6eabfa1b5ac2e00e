// A process that reads what strangers send shuts itself in: what it has open stays usable, of the rest of the system it keeps what is named
// here. For good, and for all that it starts: so it starts nothing any more.
//
// Three locks of the kernel: no_new_privs, Landlock (files, TCP ports, signals; Linux 5.13 and later) and a seccomp filter with a list of
// the system calls that our programs make (x86-64 and AArch64).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/base/result.h"

namespace base {

struct Sandbox {
  std::vector<std::string> readable;  // files and folders with all below; what is not there is left out
  std::vector<std::string> writable;  // the same, and folders in which files are made, renamed and removed
  bool limits_tcp = false;            // then only these ports may be connected to, and none bound
  std::vector<std::uint16_t> ports;
  bool names_interfaces = false;  // of the network, as in fe80::1%eth0
};

// To one of the lists: the folder of a file that others may replace while we run, by a new one of that name, and the folder of what a symbolic
// link there leads to. Nothing for "".
void add_folder_of(std::vector<std::string>& list, const std::string& path);

// What of it this kernel could do.
struct Shut {
  int landlock = 0;  // version of its interface; 0: it has none
  bool filters_calls = false;
};

// Call it before threads are started: those that run already would stay outside. On an error some locks may be closed already: the process
// should end. A call that the filter refuses fails with EPERM and is told on standard error, since it is a bug or a break-in.
[[nodiscard]] Result<Shut> shut_in(const Sandbox& sandbox);

// Of the kernel; 0: it has none.
[[nodiscard]] int landlock_version();

// No more rights by set-user-ID programs, for this process and all that it starts.
[[nodiscard]] Result<void> renounce_new_privileges();

}  // namespace base
