// What a file of passwords holds for a user, in the forms that Unix systems, Dovecot and PostgreSQL write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/sasl/scram_keys.h"

namespace sasl {

class StoredPassword {
 public:
  // "$y$..." and all other hashes that crypt(3) of this system makes today, "$argon2id$...", "{SCRAM-SHA-256}4096,SALT,STOREDKEY,SERVERKEY",
  // "SCRAM-SHA-256$4096:SALT$STOREDKEY:SERVERKEY", "{PLAIN}secret". A hash may have Dovecot's name of its form in front: "{SHA512-CRYPT}".
  // The error does not quote the text.
  [[nodiscard]] static base::Result<StoredPassword> parse(std::string_view text);

  // Takes as long as its form is meant to take; from any thread.
  [[nodiscard]] bool is(std::string_view prepared_password) const;
  [[nodiscard]] bool is_digest(std::string_view digest, std::string_view challenge) const;  // CRAM-MD5: only where the password itself is stored
  [[nodiscard]] std::optional<ScramKeys> scram_keys() const;                                // nullopt: of a hash there are none
  [[nodiscard]] bool has_secret() const { return form_ == Form::Plain; }

  // A line for a file. The error: this system cannot make one.
  [[nodiscard]] static base::Result<std::string> hashed(std::string_view prepared_password);  // yescrypt
  [[nodiscard]] static std::string for_scram(std::string_view prepared_password, unsigned iterations);

 private:
  enum class Form : std::uint8_t { Crypt, Argon2, Scram, Plain };
  StoredPassword(Form form, std::string text) : form_(form), text_(std::move(text)) {}
  Form form_;
  std::string text_;
  ScramKeys keys_;
};

}  // namespace sasl
