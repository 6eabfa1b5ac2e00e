// qctl shield: whom smtpd has counted and banned, and how to let somebody in again.
#include <algorithm>
#include <array>
#include <cmath>

#include "lib/base/exits.h"
#include "lib/base/json_text.h"
#include "lib/net/ledger.h"
#include "qctl/commands.h"

namespace qctl {
namespace {

// The columns of smtpd's ledger (smtpd/shield.h, Deed).
constexpr auto kColumns = std::to_array<std::string_view>({"connections", "messages", "recipients", "octets", "errors", "failed_log_ins", "accepted"});
static_assert(kColumns.size() == net::Ledger::kColumns);
// Its marks (Strain).
constexpr auto kStrains = std::to_array<std::string_view>({"stress", "descriptors", "memory", "disk"});
constexpr auto kStrainWords = std::to_array<std::string_view>({"under stress", "short of descriptors", "short of memory", "short of disk"});
static_assert(kStrains.size() == net::Ledger::kMarks && kStrainWords.size() == net::Ledger::kMarks);

long long whole(double count) { return std::llround(std::ceil(count)); }
long long seconds_left(const net::Ledger::Row& row, std::uint64_t now) { return row.banned_until > now ? static_cast<long long>((row.banned_until - now + 999) / 1000) : 0; }

std::string as_json(const net::Ledger::Row& row, std::uint64_t now) {
  std::string out = "{";
  base::json::append_member(out, "client", row.whose.text());
  for (std::size_t i = 0; i < kColumns.size(); ++i) base::json::append_member(out, kColumns[i], whole(row.counts[i]));
  base::json::append_member(out, "banned_for_seconds", seconds_left(row, now));
  base::json::append_member(out, "bans", static_cast<long long>(row.bans));
  return out + "}\n";
}

std::string padded(std::string text, std::size_t columns) {
  if (text.size() < columns) text.insert(0, columns - text.size(), ' ');
  return text;
}

std::string as_line(const net::Ledger::Row& row, std::uint64_t now) {
  std::string line = row.whose.text();
  line.resize(std::max<std::size_t>(line.size(), 24), ' ');
  for (std::size_t i = 0; i < kColumns.size(); ++i) line += " " + padded(std::to_string(whole(row.counts[i])), kColumns[i].size());
  const auto seconds = seconds_left(row, now);
  return line + "  " + (seconds > 0 ? std::to_string(seconds) + " s" : "") + "\n";
}

std::string title() {
  std::string line = "CLIENT                  ";
  for (const auto column : kColumns) line.append(" ").append(column);
  return line + "  banned for\n";
}

// Only while there is one.
std::string strains(const net::Ledger& ledger, bool wants_json, std::uint64_t now) {
  std::string all;
  for (std::size_t i = 0; i < kStrains.size(); ++i) {
    if (ledger.mark(i) <= now) continue;
    all += all.empty() ? "" : wants_json ? "," : ", ";
    if (wants_json) {
      base::json::append_string(all, kStrains[i]);
    } else {
      all += kStrainWords[i];
    }
  }
  if (all.empty()) return all;
  return wants_json ? R"({"strains":[)" + all + "]}\n" : "smtpd is " + all + "\n";
}

void list(const net::Ledger& ledger, bool wants_json, Output& out) {
  const auto now = net::Ledger::now();
  auto rows = ledger.rows(now);
  std::ranges::sort(rows, [](const auto& a, const auto& b) { return std::pair(b.banned_until, b.counts) < std::pair(a.banned_until, a.counts); });
  if (!wants_json) out.put(title());
  for (const auto& row : rows) out.put(wants_json ? as_json(row, now) : as_line(row, now));
  out.put(strains(ledger, wants_json, now));
}

// The rows that the argument names as they are printed.
base::Result<int> unban(net::Ledger& ledger, std::span<const std::string> clients, Output& out) {
  const auto rows = ledger.rows(net::Ledger::now());
  for (const auto& client : clients) {
    const auto row = std::ranges::find(rows, client, [](const net::Ledger::Row& one) { return one.whose.text(); });
    if (row == rows.end()) return base::fail(base::Fault::Usage, "nothing is known of '" + client + "'; expected: a client as qctl shield prints it");
    ledger.forget(row->whose);
    out.put(client + " may come again\n");
  }
  return 0;
}

}  // namespace

base::Result<int> shield(const base::CommandLine& line, std::span<const std::string> arguments, Output& out) {
  const auto& path = line.settings.text("shield.file");
  if (path.empty()) return base::fail(base::Fault::Config, "shield.file is not set; expected: the file that smtpd keeps its counts in");
  auto ledger = net::Ledger::look_at(path);
  if (!ledger) return std::unexpected(ledger.error());
  if (!arguments.empty() && (arguments[0] != "unban" || arguments.size() < 2)) return base::fail(base::Fault::Usage, "expected nothing, or: unban ADDRESS...");
  if (!arguments.empty()) return unban(*ledger, arguments.subspan(1), out);
  list(*ledger, line.has("json"), out);
  return 0;
}

}  // namespace qctl
