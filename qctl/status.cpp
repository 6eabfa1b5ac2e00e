// qctl status: how much waits, and for how long.
#include <array>
#include <map>

#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "qctl/ages.h"
#include "qctl/commands.h"
#include "qctl/estimate.h"
#include "qctl/look.h"

namespace qctl {
namespace {
using Names = std::vector<std::string>;
constexpr std::size_t kStandardRows = 20;

std::string domain_of(std::string_view address) {
  const auto domain = base::text::to_lower(mail::split_address(address).second);
  return domain.empty() ? "(no domain)" : domain;
}

Names recipient_domains(const Entry& entry) {
  Names domains;
  for (const auto& recipient : entry.recipients) domains.push_back(domain_of(recipient));
  return domains;
}
Names sender(const Entry& entry) { return {entry.reverse_path.empty() ? "<>" : entry.reverse_path}; }
Names helo(const Entry& entry) {
  const auto name = helo_of(entry.context);
  return {name.empty() ? "(unknown)" : name};
}
Names reason(const Entry& entry) { return {entry.reason.empty() ? "(none yet)" : entry.reason}; }

struct By {
  std::string_view name;
  Names (*names)(const Entry&);
  bool of_context = false;
};
constexpr auto kBy = std::to_array<By>({
    {"domain", recipient_domains},
    {"sender", sender},
    {"helo", helo, true},
    {"reason", reason},
});

// What is counted of a queue.
struct Summary {
  AgeTable ages;
  std::optional<std::uint64_t> octets = 0;
  std::uint64_t in_log = 0;
  std::uint64_t damaged = 0;
  std::uint64_t sample = 0;  // of so many messages the rows are estimated; 0: all were read
  std::optional<queue::Id> oldest;
  base::WallTime oldest_arrived;
  std::optional<base::WallTime> next_attempt;

  void add(const Entry& entry, base::WallTime now, const By& by) {
    ages.add(std::chrono::duration_cast<std::chrono::seconds>(now - entry.arrived), by.names(entry));
    *octets += entry.octets;
    if (entry.is_in_log) ++in_log;
    if (!oldest || entry.arrived < oldest_arrived) {
      oldest = entry.id;
      oldest_arrived = entry.arrived;
    }
    if (entry.next_attempt && (!next_attempt || *entry.next_attempt < *next_attempt)) next_attempt = entry.next_attempt;
  }
  void take_for_sample_of(const Glance& glance) {
    sample = ages.total().total;
    ages.take_for_sample_of(glance.counts);
    octets = glance.octets;
    oldest = glance.oldest;
    if (oldest) oldest_arrived = oldest->time();
    next_attempt = glance.next_attempt;
  }
};

base::Result<const By*> by_of(const base::CommandLine& line) {
  if (!line.has("by")) return &kBy.front();
  std::string known;
  for (const auto& by : kBy) {
    if (by.name == line.text("by")) return &by;
    known += " " + std::string(by.name);
  }
  return base::fail(base::Fault::Usage, "--by: '" + base::text::printable(line.text("by")) + "'; expected one of:" + known);
}

base::Result<std::size_t> rows_of(const base::CommandLine& line) {
  if (!line.has("rows")) return kStandardRows;
  if (const auto rows = base::text::parse_number<std::size_t>(line.text("rows"))) return *rows;
  return base::fail(base::Fault::Usage, "--rows: '" + base::text::printable(line.text("rows")) + "'; expected: a number, 0 for all");
}

std::string upper_case(std::string text) {
  for (char& c : text) c = base::text::upper(c);
  return text;
}

std::string messages_text(std::uint64_t count) { return std::to_string(count) + (count == 1 ? " message" : " messages"); }

std::string title(const std::string& folder, const Summary& summary, base::WallTime now) {
  const auto since = [&](base::WallTime then) { return std::chrono::duration_cast<std::chrono::seconds>(now - then); };
  std::string text = folder.starts_with("quarantine/") ? folder : upper_case(folder);
  text.resize(std::max<std::size_t>(text.size(), 10), ' ');
  const auto count = summary.ages.total().total;
  if (count == 0) {
    text += " empty";
  } else {
    text += " " + messages_text(count);
    if (summary.octets) text += ", " + human_octets(*summary.octets);
    if (summary.oldest) text += ", oldest " + human_duration(since(summary.oldest_arrived)) + " (" + summary.oldest->string() + ")";
    if (summary.next_attempt)
      text += *summary.next_attempt <= now ? ", next attempt now" : ", next attempt in " + human_duration(-since(*summary.next_attempt));
  }
  if (summary.sample != 0) text += "; rows as of " + std::to_string(summary.sample) + " that were read (all: --by domain)";
  if (summary.damaged != 0) text += ", " + std::to_string(summary.damaged) + " damaged (see qctl check)";
  return text;
}

std::string as_json(const std::string& folder, const Summary& summary, std::size_t rows) {
  std::string line = "{";
  base::json::append_member(line, "queue", folder);
  base::json::append_name(line, "octets");
  line += summary.octets ? std::to_string(*summary.octets) : "null";
  base::json::append_member(line, "in_log", static_cast<long long>(summary.in_log));
  base::json::append_member(line, "damaged", static_cast<long long>(summary.damaged));
  if (summary.sample != 0) base::json::append_member(line, "rows_estimated_from", static_cast<long long>(summary.sample));
  base::json::append_name(line, "oldest");
  if (summary.oldest) {
    line += '{';
    base::json::append_member(line, "id", summary.oldest->text());
    base::json::append_member(line, "arrived", base::to_rfc3339(summary.oldest_arrived));
    line += '}';
  } else {
    line += "null";
  }
  append_json(line, summary.ages, rows);
  return line + "}\n";
}

// What is asked for exactly is read, however much it is.
bool wants_all(const Session& session) {
  Selection other = session.selection;
  other.queues.clear();
  return session.line.has("by") || other.has_criteria();
}

base::Result<Summary> count(const Session& session, const queue::Place& place, const By& by) {
  Summary summary;
  const auto large = wants_all(session) ? base::Result<bool>(false) : is_large(session.spool, place);
  if (!large) return std::unexpected(large.error());
  const auto add = [&](const Entry& entry) { summary.add(entry, session.now, by); };
  if (*large) {
    const auto glance = glance_at(session.spool, place, session.now, add);
    if (!glance) return std::unexpected(glance.error());
    summary.take_for_sample_of(*glance);
    return summary;
  }
  Selection only = session.selection;
  only.queues = {place.folder()};
  std::vector<queue::Foreign> damaged;
  const auto add_all = [&](const Entry& entry) { return add(entry), true; };
  const auto counted = for_each(session.spool, only, session.now, add_all, {.with_context = by.of_context, .only_counts = true, .damaged = &damaged});
  if (!counted) return std::unexpected(counted.error());
  summary.damaged = damaged.size();
  return summary;
}

// A queue without messages has a line too.
base::Result<std::map<queue::Place, Summary>> count_all(const Session& session, const By& by) {
  std::map<queue::Place, Summary> summaries;
  for (const auto& place : session.spool.places()) {
    if (!session.selection.takes(place)) continue;
    auto summary = count(session, place, by);
    if (!summary) return std::unexpected(summary.error());
    summaries.emplace(place, std::move(*summary));
  }
  return summaries;
}

}  // namespace

base::Result<int> status(Session& session) {
  const auto by = by_of(session.line);
  if (!by) return std::unexpected(by.error());
  const auto rows = rows_of(session.line);
  if (!rows) return std::unexpected(rows.error());
  const auto summaries = count_all(session, **by);
  if (!summaries) return std::unexpected(summaries.error());

  auto& out = session.out;
  if (session.wants_json()) {
    for (const auto& [place, summary] : *summaries) out.put(as_json(place.folder(), summary, *rows));
    return 0;
  }
  const AgeLayout layout{.width = out.screen().columns, .empty = session.line.has("empty") ? session.line.text("empty") : "0", .rows = *rows,
                         .utf8 = out.screen().utf8};
  for (const auto& [place, summary] : *summaries) {
    const bool is_empty = summary.ages.total().total == 0;
    out.put(out.styled(title(place.folder(), summary, session.now), is_empty ? Output::Style::Faint : Output::Style::Strong) + "\n");
    if (!is_empty) out.put(to_text(summary.ages, layout));
  }
  if (!session.spool.is_locked("queue-run"))
    out.put(out.styled("No queue-run serves '" + session.spool.path() + "': nothing is delivered.", Output::Style::Yellow) + "\n");
  return 0;
}

}  // namespace qctl
