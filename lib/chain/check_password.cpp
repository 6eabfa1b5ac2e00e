#include "lib/chain/check_password.h"

#include <string.h>

#include "lib/base/text.h"
#include "lib/chain/command.h"

namespace chain {
namespace {

constexpr int kRight = 0, kWrong = 1;

std::string text_of(const Command& command, const CommandEnd& end, const PasswordCheck& check) {
  const std::string how = end.code ? "exit code " + std::to_string(*end.code) : "killed by signal " + std::to_string(end.signal.value_or(0));
  const std::string said = end.errors.substr(0, end.errors.find('\n'));
  const bool tells_secret = !check.secret.empty() && said.find(check.secret) != std::string::npos;
  return command.program + ": " + how + (said.empty() ? "" : tells_secret ? ": (what it says has the password in it)" : ": " + base::text::printable(said));
}

}  // namespace

base::Result<bool> check_password(const Words& program, std::chrono::milliseconds timeout, const PasswordCheck& check) {
  for (const auto field : {check.user, check.secret, check.challenge})
    if (field.find('\0') != std::string_view::npos) return false;
  Command command;
  command.program = program.front();
  command.timeout = timeout;
  for (const auto field : {check.user, check.secret, check.challenge}) command.secret.append(field).append(1, '\0');
  if (command.secret.size() > check.octets_max) return false;
  const auto end = run_command(command, std::span(program).subspan(1), {});
  ::explicit_bzero(command.secret.data(), command.secret.size());
  if (!end) return base::fail(base::Fault::Temporary, command.program + ": " + end.error().cause);
  if (end->code == kRight) return true;
  if (end->code == kWrong) return false;
  return base::fail(base::Fault::Temporary, text_of(command, *end, check));
}

}  // namespace chain
