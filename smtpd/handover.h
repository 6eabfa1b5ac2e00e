// What an smtpd leaves to the one that takes its place, in the same process and with the same sockets (SIGUSR2 in smtpd(8)).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "lib/base/unique_fd.h"
#include "smtpd/listening.h"

namespace smtpd {

struct Handover {
  std::vector<ListeningSocket> sockets;
  base::UniqueFd board;
  std::string old_workers;     // "PID:SLOT PID:SLOT": they serve until the new ones do
  bool is_given = false;       // there is a predecessor
  bool is_trial = false;       // only to see whether this program could take its place

  // From the environment, which is cleared of it.
  [[nodiscard]] static Handover take();
};

// Starts a process of this program, found as the shell found it, that has all of it and ends when it could serve; its exit code tells. 0: it
// could not be started.
[[nodiscard]] pid_t try_successor(char** argv, const std::vector<ListeningSocket>& sockets, const base::UniqueFd& board);
// Becomes the successor; returns if that is not possible.
void succeed(char** argv, const std::vector<ListeningSocket>& sockets, const base::UniqueFd& board, const std::string& old_workers);

}  // namespace smtpd
