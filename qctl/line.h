// A message on one line.
#pragma once

#include <string>

#include "qctl/entry.h"
#include "qctl/output.h"

namespace qctl {

// id, queue, size, age, time to the next attempt, sender, recipients, reason. On a terminal the last three share what
// is left of its columns; elsewhere nothing is cut.
class LineLayout {
 public:
  explicit LineLayout(const Screen& screen);
  [[nodiscard]] std::string title() const;
  [[nodiscard]] std::string line(const Entry& entry, base::WallTime now, const Output& out) const;

 private:
  [[nodiscard]] std::string line_of(const std::string& sender, const std::string& recipients, const std::string& reason) const;

  bool utf8_;
  bool has_limit_;
  std::size_t sender_ = 0, recipients_ = 0, reason_ = 0;  // columns
};

// {"id":...,"queue":...}, without LF.
std::string as_json(const Entry& entry);

// "<a@example.org>,<b@example.org>", safe to print.
std::string addresses_text(const std::vector<std::string>& addresses, bool utf8);

}  // namespace qctl
