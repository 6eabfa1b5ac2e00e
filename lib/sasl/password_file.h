// A file of users: lines "user:password", the password in a form of stored_password.h.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "lib/base/result.h"
#include "lib/sasl/stored_password.h"

namespace sasl {

// Names are prepared (prepare.h). An unknown one is answered as a known one with a wrong password is, and as late.
class PasswordTable {
 public:
  // The error names every bad line, with `name` in front, and quotes no password.
  [[nodiscard]] static base::Result<PasswordTable> parse(std::string_view text, const std::string& name);

  [[nodiscard]] bool is_password(const std::string& user, std::string_view password) const;
  [[nodiscard]] bool is_digest(const std::string& user, std::string_view digest, std::string_view challenge) const;
  [[nodiscard]] std::optional<ScramKeys> scram_keys(const std::string& user) const;
  [[nodiscard]] std::size_t size() const { return users_.size(); }

 private:
  std::unordered_map<std::string, StoredPassword> users_;
  std::optional<StoredPassword> nobodys_;  // what takes the time for names that are not there: the form of the first line
};

// Reads the file, and again when it has changed. From any thread.
class PasswordFile {
 public:
  explicit PasswordFile(std::string path) : path_(std::move(path)) {}
  // The table as it is in the file now. What cannot be read or has mistakes is an error; so is a file that others than its owner and
  // group can read.
  [[nodiscard]] base::Result<std::shared_ptr<const PasswordTable>> table();

 private:
  struct Version {
    std::uint64_t inode = 0, octets = 0;
    std::int64_t seconds = 0, nanoseconds = 0;
    friend bool operator==(const Version&, const Version&) = default;
  };
  const std::string path_;
  std::mutex mutex_;
  std::shared_ptr<const PasswordTable> table_;
  Version version_;
};

}  // namespace sasl
