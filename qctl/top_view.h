// The screen of qctl top, made of a snapshot. No I/O.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "qctl/output.h"
#include "qctl/snapshot.h"

namespace qctl {

struct TopView {
  enum class Sort : std::uint8_t { Calls, Suspended, Host };
  enum class Table : std::uint8_t { Reasons, Domains, Senders };
  Sort sort = Sort::Calls;
  Table table = Table::Reasons;
};

// q s b and blank; what it did with the view. Other keys do nothing.
enum class Key : std::uint8_t { Nothing, End, Redraw, Look };
[[nodiscard]] Key press(TopView& view, char key);

// Lines of at most `columns` columns (0: no limit), at most `rows` of them (0: no limit).
[[nodiscard]] std::vector<std::string> render(const Snapshot& snapshot, const std::optional<Rates>& rates, const TopView& view, const Output& out, std::size_t columns,
                                              std::size_t rows);

}  // namespace qctl
