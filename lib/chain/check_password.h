// The checkpassword interface (cr.yp.to/checkpwd/interface.html): a program reads who somebody says he is from descriptor 3 and exits with
// 0 or 1. It need not be ours, and may have rights that we have not.
#pragma once

#include <chrono>
#include <string_view>

#include "lib/base/result.h"
#include "lib/chain/message_call.h"

namespace chain {

// What is on descriptor 3: user NUL secret NUL challenge NUL. Of a password there is no challenge, which is as if the third field, once
// a time, were empty; for CRAM-MD5 the secret is the client's response, in the order of s/qmail and vpopmail.
struct PasswordCheck {
  std::string_view user, secret, challenge = {};
  std::size_t octets_max = 512;  // as much as programs of the interface read; what is longer is wrong
};

// Blocks this thread. True: right. The error (Fault::Temporary): the program cannot tell, or does not in time; its cause has what the
// program said, and never the secret.
[[nodiscard]] base::Result<bool> check_password(const Words& program, std::chrono::milliseconds timeout, const PasswordCheck& check);

}  // namespace chain
