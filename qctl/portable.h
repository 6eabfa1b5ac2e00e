// Messages outside of a spool: JSON lines that hold all that the spool knows of them, and mbox files, which other programs read.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/queue/view.h"

namespace qctl {

// ---- out --------------------------------------------------------------------------------------------------------------

// The context in its canonical form (vsl.md 4.4) with two more members: "message", or "message_base64" where it is not UTF-8, and
// "vsmtp" with what else the spool knows. One line.
[[nodiscard]] std::string to_json_line(const queue::Seen& seen, std::string_view message);

// mboxrd: a "From " line, fields X-Vsmtp-..., the message with LF and its "From " lines quoted, an empty line. A message that could
// not come back from that as it was (a LF alone, no line end at its end) stands there as it is, behind the number of its octets.
[[nodiscard]] std::string to_mbox(const queue::Seen& seen, std::string_view message);

// ---- in ---------------------------------------------------------------------------------------------------------------

// A message on its way into a spool.
struct Portable {
  std::optional<queue::Id> id;  // nullopt: not known, it gets a new one; as with all that is optional here
  std::optional<queue::Place> place;
  std::optional<base::WallTime> arrived, next_attempt;
  std::optional<std::string> reverse_path;
  std::vector<std::string> recipients;
  std::string context = "{}";
  std::vector<queue::Event> events;
  std::string message;
};

// Tells what `octets` are by how they begin, and calls `on_message` for each message in them, or the error that there is in its
// place, with where it begins ("line 3", "octet 0"), until it returns false: JSON lines, an mbox, a file of a spool, or a message.
using OnPortable = std::function<bool(base::Result<Portable> message, const std::string& where)>;
void read_portable(std::string_view octets, const OnPortable& on_message);

[[nodiscard]] base::Result<Portable> parse_json_line(std::string_view line);

}  // namespace qctl
