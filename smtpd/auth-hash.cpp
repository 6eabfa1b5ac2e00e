// auth-hash: a line for smtpd's file of passwords. See auth-hash(1).
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "lib/base/command_line.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/text.h"
#include "lib/sasl/crypto.h"
#include "lib/sasl/prepare.h"
#include "lib/sasl/stored_password.h"

namespace {

constexpr std::size_t kMostPasswordOctets = 4096;

constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"scram", "", "keys for SCRAM-SHA-256, which serve PLAIN and LOGIN too; else a hash of crypt(3)"},
    {"iterations", "N", "with --scram: how often the password is hashed [4096]"},
    {"plain", "", "the password as it is, which CRAM-MD5 needs: whoever reads the file can use it"},
});

constexpr base::Manual kManual = {
    .program = "auth-hash",
    .section = "1",
    .usage = "[--scram [--iterations N] | --plain] USER",
    .purpose = "Reads a password from the terminal or standard input and prints the line for auth.password_file.",
    .examples = "auth-hash ann@example.org >>/etc/vsmtp/users\n"
                "printf %s \"$password\" | auth-hash --scram ann@example.org\n",
    .options = kOptions,
};

// The terminal without echo, for as long as somebody types a password.
class Silence {
 public:
  Silence() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_silent_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  ~Silence() {
    if (is_silent_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  termios before_{};
  bool is_silent_ = false;
};

base::Result<std::string> ask(const char* prompt) {
  std::fputs(prompt, stderr);
  std::string line;
  for (char octet; line.size() <= kMostPasswordOctets && ::read(STDIN_FILENO, &octet, 1) == 1 && octet != '\n';) line += octet;
  std::fputs("\n", stderr);
  return line;
}

base::Result<std::string> read_password() {
  if (::isatty(STDIN_FILENO) == 0) {
    auto text = base::read_all(STDIN_FILENO, kMostPasswordOctets);
    if (text && text->ends_with('\n')) text->pop_back();
    return text;
  }
  const Silence silence;
  auto first = ask("Password: "), again = ask("Again: ");
  if (first && again && *first != *again) return base::fail(base::Fault::Permanent, "the two are not the same");
  return first;
}

base::Result<std::string> stored(const base::CommandLine& line, const std::string& password) {
  if (line.has("plain")) return "{PLAIN}" + password;
  if (!line.has("scram")) return sasl::StoredPassword::hashed(password);
  unsigned iterations = sasl::ScramKeys::kIterations;
  if (line.has("iterations")) {
    const auto given = base::text::parse_number<unsigned>(line.text("iterations"));
    if (!given || *given < sasl::ScramKeys::kIterations || *given > 10'000'000)
      return base::fail(base::Fault::Usage, "--iterations " + base::text::printable(line.text("iterations")) + "; expected: a number from 4096 to 10000000");
    iterations = *given;
  }
  return sasl::StoredPassword::for_scram(password, iterations);
}

base::Result<std::string> make_line(const base::CommandLine& line) {
  if (line.arguments.size() != 1 || line.has_chain) return base::fail(base::Fault::Usage, "expected: one USER");
  if (line.has("plain") && line.has("scram")) return base::fail(base::Fault::Usage, "--plain and --scram exclude each other");
  const auto& user = line.arguments.front();
  const bool would_end = user.find_first_of(":\r\n") != std::string::npos || user.starts_with('#');
  if (would_end || !sasl::prepared(user)) return base::fail(base::Fault::Usage, "'" + base::text::printable(user) + "' cannot be a user: no colon, no control characters, no # in front");
  auto given = read_password();
  if (!given) return given;
  auto password = sasl::prepared(*given);
  sasl::wipe(*given);
  if (!password) return base::fail(base::Fault::Permanent, "no password: empty, not UTF-8, or with control characters");
  auto text = stored(line, *password);
  sasl::wipe(*password);
  if (!text) return text;
  return user + ":" + *text + "\n";
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kManual.program, line.error());
  if (line->should_exit()) return 0;
  const auto text = make_line(*line);
  if (!text) return base::report(kManual.program, text.error());
  if (const auto written = base::write_all(STDOUT_FILENO, *text); !written) return base::report(kManual.program, written.error());
  return 0;
}
