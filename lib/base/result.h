// What a call that can fail returns.
#pragma once

#include <cerrno>
#include <cstring>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace base {

// What the caller should do next. Exit code and SMTP reply are looked up from it (exits.h).
enum class Fault { Temporary, Permanent, Usage, Config, Bug };

struct Error {
  Fault fault;
  // For log and operator: what was tried, on what, errno's text; for input: file, line, value, what was expected.
  // Never goes on the wire.
  std::string cause;
  int error_number = 0;  // errno where there was one: the queue-inject exit codes tell ENOSPC from EIO
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Fault fault, std::string cause) {
  return std::unexpected(Error{fault, std::move(cause), 0});
}

// For the system call that just failed: "rename tmp/x to new/x: No space left on device".
[[nodiscard]] inline std::unexpected<Error> fail_errno(std::string what, Fault fault = Fault::Temporary) {
  const int number = errno;
  return std::unexpected(Error{fault, std::move(what) + ": " + std::strerror(number), number});
}

// Hands an error up with more context in front: "open spool: " + cause.
[[nodiscard]] inline std::unexpected<Error> fail_within(std::string_view context, Error error) {
  error.cause.insert(0, std::string(context) + ": ");
  return std::unexpected(std::move(error));
}

}  // namespace base
