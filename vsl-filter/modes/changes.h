// What rules have changed of a message and its envelope: for people to read, and for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/transaction/transaction.h"

namespace rules {

struct Changes {
  // Fields, folded as they stand, in the order in which they stand.
  std::vector<std::string> added, removed;
  bool is_reordered = false;  // the same fields in another order
  bool has_body = false;      // another one, of `body_octets`
  std::uint64_t body_octets = 0;
  std::string reverse_path;   // what it is now, if `has_reverse_path`
  bool has_reverse_path = false;
  std::vector<std::string> added_recipients, removed_recipients;

  [[nodiscard]] bool empty() const;
};

// Of the transaction against what the client sent.
Changes changes_of(const Transaction& transaction);

// "maildir", "forward [192.0.2.1]:25"
std::string text_of(const chain::Transfer& transfer);

}  // namespace rules
