// Who says whether a client that authenticates is who it says: a file of passwords, programs; the policies of the stage auth are asked
// before (policy_rounds.h). smtpd(8), "Who is there".
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/settings.h"
#include "lib/chain/message_call.h"
#include "lib/sasl/mechanisms.h"
#include "lib/sasl/password_file.h"

namespace smtpd {

struct AuthenticationConfiguration {
  std::vector<const sasl::Mechanism*> mechanisms;  // empty: nobody can authenticate
  bool in_clear = false;
  bool is_required_of_all = false, is_required_of_submission = false;
  std::shared_ptr<sasl::PasswordFile> file;  // nullptr: none
  chain::Words check_password, check_token;  // programs; empty: none
  std::chrono::milliseconds check_timeout{};
  std::size_t checks = 1;  // at once
  std::uint64_t failure_delay = 0, failure_delay_max = 0;  // milliseconds
  unsigned failure_max = 0;                                // of a session; 0: no limit

  // The file of passwords is read, so that its mistakes are known at once. `asks_policies`: there is a policy of the stage auth.
  [[nodiscard]] static base::Result<AuthenticationConfiguration> from(const base::Settings& settings, bool asks_policies);
  // Whether the file or a program has something to say to such a question.
  [[nodiscard]] bool can_check(sasl::Question::Kind kind) const;
  // How late the answer to this failure of a session comes; the first one is number 1.
  [[nodiscard]] std::uint64_t delay_of(unsigned failure) const;
};

struct CheckAnswer {
  enum class Kind : std::uint8_t { Right, Wrong, Failed } kind = Kind::Wrong;
  std::optional<sasl::ScramKeys> keys = {};  // of Right, if that was the question
  std::string cause = {};                    // of Failed: for the log
};

// Blocks, for as long as a hash or a program takes. From any thread.
CheckAnswer check(const AuthenticationConfiguration& configuration, const sasl::Question& question);

}  // namespace smtpd
