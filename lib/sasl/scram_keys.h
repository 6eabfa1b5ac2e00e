// What a server stores of a password for SCRAM-SHA-256 (RFC 5802 section 3, RFC 7677): enough to check a client, not enough to be one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sasl {

struct ScramKeys {
  unsigned iterations = 0;
  std::string salt, stored_key, server_key;  // octets

  static constexpr unsigned kIterations = 4096;  // RFC 7677 section 4: at least
  [[nodiscard]] static ScramKeys of(std::string_view prepared_password, std::string_view salt, unsigned iterations = kIterations);
  // "4096,SALT,STOREDKEY,SERVERKEY" as Dovecot writes it, or "SCRAM-SHA-256$4096:SALT$STOREDKEY:SERVERKEY" as PostgreSQL does.
  [[nodiscard]] static std::optional<ScramKeys> parse(std::string_view text);
  [[nodiscard]] std::string text() const;  // Dovecot's form

  // Whether it is that password.
  [[nodiscard]] bool are_of(std::string_view prepared_password) const;
  // For a user whom nobody knows: the same with each question, no password has them, and a client cannot tell them from others.
  [[nodiscard]] static ScramKeys of_nobody(std::string_view user, std::string_view secret);
};

}  // namespace sasl
