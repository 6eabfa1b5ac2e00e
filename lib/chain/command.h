// A program that is run and waited for: no shell, a time limit, its output kept up to a limit. From any thread.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/blob.h"
#include "lib/base/result.h"

namespace chain {

struct Command {
  std::string program;  // a path, or a name that is looked up in $PATH
  std::vector<std::string> arguments;
  std::chrono::milliseconds timeout{30'000};
  std::optional<std::string> user, group;  // names or numbers; absent: ours
  std::size_t output_octets = 65536;       // of standard output and of standard error that are kept, each
  std::string secret;                      // not empty: what is to be read on descriptor 3, as much as a pipe holds
  std::string directory;                   // where it runs; empty: where we do
  std::uint64_t memory_octets = 0;         // of its address space, at most; 0: as much as we may have
  bool ends_with_caller = false;           // killed when the thread ends that called
};

struct CommandEnd {
  std::optional<int> code, signal;  // one of them
  std::string output, errors;       // what is beyond the limit is read and dropped
};

// Blocks this thread until the program has ended or its time is over; then its process group is killed, which shows as
// signal 9. Children that it leaves behind when it ends by itself go on. The program has the descriptors 0 (`input`), 1 and 2,
// 3 if there is a secret, and no other. Error: it could not be started; the cause is for the operator.
[[nodiscard]] base::Result<CommandEnd> run_command(const Command& command, std::span<const std::string> arguments, const base::Blob& input);

}  // namespace chain
