// qctl metrics: the spool in OpenMetrics text, for whoever measures: a textfile collector, or a socket of inetd.
#include <array>
#include <cstdio>

#include "qctl/commands.h"
#include "qctl/counts.h"

namespace qctl {
namespace {

double age_of(const QueueCount& count, base::WallTime now) {
  return count.oldest ? std::max(0.0, std::chrono::duration<double>(now - *count.oldest).count()) : 0.0;
}

struct Family {
  std::string_view name, unit, help;
  double (*value)(const QueueCount&, base::WallTime now);
};
constexpr auto kFamilies = std::to_array<Family>({
    {"vsmtp_spool_messages", "", "Messages in this queue", [](const QueueCount& count, base::WallTime) { return static_cast<double>(count.messages); }},
    {"vsmtp_spool_log_messages", "", "Messages of this queue that are still in the log", [](const QueueCount& count, base::WallTime) { return static_cast<double>(count.in_log); }},
    {"vsmtp_spool_due_messages", "", "Messages of this queue whose next attempt is due", [](const QueueCount& count, base::WallTime) { return static_cast<double>(count.due); }},
    {"vsmtp_spool_size_bytes", "bytes", "Octets of the messages in this queue", [](const QueueCount& count, base::WallTime) { return static_cast<double>(count.octets); }},
    {"vsmtp_spool_oldest_age_seconds", "seconds", "Age of the oldest message in this queue, 0 without one", age_of},
});

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.15g", value);
  return text.data();
}

// Names of queues need no escapes: letters, digits, dots, dashes, underscores and slashes.
std::string open_metrics(const std::vector<QueueCount>& counts, bool is_served, base::WallTime now) {
  std::string out;
  const auto begin = [&](std::string_view name, std::string_view unit, std::string_view help) {
    out.append("# TYPE ").append(name).append(" gauge\n");
    if (!unit.empty()) out.append("# UNIT ").append(name).append(" ").append(unit).append("\n");
    out.append("# HELP ").append(name).append(" ").append(help).append("\n");
  };
  for (const auto& family : kFamilies) {
    begin(family.name, family.unit, family.help);
    for (const auto& count : counts) out.append(family.name).append("{queue=\"").append(count.place.folder()).append("\"} ").append(number(family.value(count, now))).append("\n");
  }
  begin("vsmtp_spool_served", "", "Whether a queue-run serves the spool");
  out.append("vsmtp_spool_served ").append(is_served ? "1" : "0").append("\n");
  return out + "# EOF\n";
}

}  // namespace

base::Result<int> metrics(Session& session) {
  const auto counts = count_queues(session.spool, session.now);
  if (!counts) return std::unexpected(counts.error());
  session.out.put(open_metrics(*counts, session.spool.is_locked("queue-run"), session.now));
  return 0;
}

}  // namespace qctl
