// qctl check: tells what an examination finds.
#include "lib/base/exits.h"
#include "lib/base/json_text.h"
#include "qctl/commands.h"
#include "qctl/examination.h"

namespace qctl {
namespace {

std::string as_json(const Finding& finding) {
  std::string json = "{";
  base::json::append_member(json, "path", finding.path);
  base::json::append_member(json, "why", finding.why);
  return json + "}";
}

std::string totals(const Examination& examination) {
  const auto count = [](std::uint64_t number, const std::string& what) { return std::to_string(number) + " " + what + (number == 1 ? "" : "s"); };
  std::string text = std::to_string(examination.messages) + " messages, " + std::to_string(examination.findings.size()) + " findings";
  if (examination.segments > 0) text += "; the log has " + count(examination.records, "record") + " in " + count(examination.segments, "segment");
  return text;
}

}  // namespace

base::Result<int> check(Session& session) {
  const auto examination = examine(session.spool, session.now);
  if (!examination) return std::unexpected(examination.error());
  const bool utf8 = session.out.screen().utf8;
  for (const auto& finding : examination->findings)
    session.out.put((session.wants_json() ? as_json(finding) : printable_text(finding.path, utf8) + ": " + printable_text(finding.why, utf8)) + "\n");
  if (!session.wants_json()) session.out.put(totals(*examination) + "\n");
  return examination->findings.empty() ? 0 : base::exit_row(base::Fault::Permanent).by_hand;
}

}  // namespace qctl
