// The commands of qctl: one row each, from which the dispatch, --help and the check of options are made.
#pragma once

#include <span>
#include <string_view>

#include "lib/base/result.h"
#include "qctl/session.h"

namespace qctl {

struct Command {
  std::string_view name;
  std::string_view arguments;
  std::string_view doc;
  std::span<const std::string_view> options;  // that it knows, beside those of every program
  // The exit code; an error ends the program with the code of its fault.
  base::Result<int> (*run)(Session&);
  // Of a command that needs no spool: this instead, with what stands behind its name.
  base::Result<int> (*run_apart)(const base::CommandLine& line, std::span<const std::string> arguments, Output& out) = nullptr;
};

std::span<const Command> commands();
// nullptr: no such command.
const Command* find_command(std::string_view name);

base::Result<int> status(Session& session);
base::Result<int> top(Session& session);
base::Result<int> report(Session& session);
base::Result<int> metrics(Session& session);
base::Result<int> list(Session& session);
base::Result<int> show(Session& session);
base::Result<int> why(Session& session);
base::Result<int> context(Session& session);
base::Result<int> cat(Session& session);
base::Result<int> move(Session& session);
base::Result<int> hold(Session& session);
base::Result<int> release(Session& session);
base::Result<int> retry(Session& session);
base::Result<int> remove(Session& session);
base::Result<int> quarantine(Session& session);
base::Result<int> export_messages(Session& session);
base::Result<int> import_messages(Session& session);
base::Result<int> check(Session& session);
base::Result<int> repair(Session& session);
base::Result<int> dkim_key(const base::CommandLine& line, std::span<const std::string> arguments, Output& out);
base::Result<int> shield(const base::CommandLine& line, std::span<const std::string> arguments, Output& out);

}  // namespace qctl
