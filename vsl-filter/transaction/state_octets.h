// The octets of a state token: records of numbers and strings, their checksum, and the alphabet they travel in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace rules::state {

// base64url of RFC 4648 section 5, without padding.
std::string to_base64url(std::string_view octets);
std::optional<std::string> from_base64url(std::string_view text);  // nullopt: not the one way to write some octets

// Version and checksum around `octets`, as text.
std::string seal(std::string_view octets, std::string_view key);
base::Result<std::string> unseal(std::string_view token, std::string_view key);

class Writer {
 public:
  void number(std::uint64_t value);  // 7 bits an octet, the lowest first
  void text(std::string_view value);
  std::string octets;
};

// After the first thing that is not there, all is empty and is_good() false.
class Reader {
 public:
  explicit Reader(std::string_view octets) : rest_(octets) {}
  std::uint64_t number();
  std::string_view text();
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool is_good() const { return is_good_; }
  void fail() {
    is_good_ = false;
    rest_ = {};
  }

 private:
  std::string_view rest_;
  bool is_good_ = true;
};

}  // namespace rules::state
