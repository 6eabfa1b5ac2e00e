#include "vsl-filter/report.h"

#include <array>
#include <nlohmann/json.hpp>

#include "lib/base/text.h"

namespace rules {
namespace {

using Json = nlohmann::ordered_json;

// What a trace keeps of the assignments of one directive.
constexpr std::size_t kMostAssignments = 10'000;
constexpr std::size_t kLongestValue = 200;  // octets

// Of a mail: what would move the cursor of a terminal is made visible.
std::string shown(std::string_view text) { return base::text::printable(text, 1000); }

std::string with_time(std::chrono::nanoseconds time) {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  return std::to_string(microseconds) + " us";
}

std::string_view colour_of(Played::End end) {
  switch (end) {
    case Played::End::Accepted: return "\x1b[32m";
    case Played::End::Refused: return "\x1b[31m";
    case Played::End::Deferred:
    case Played::End::Quarantined:
    case Played::End::Held: return "\x1b[33m";
  }
  return "";
}

std::string status_text(const Skip& status) {
  std::string text = base::text::to_lower(name_of(status.kind));
  if (!status.name.empty()) text += " " + status.name;
  if (const auto reply = reply_of(status)) text += " " + shown(reply->words());
  return text;
}

std::string end_text(const Played& played) {
  std::string text(name_of(played.end));
  if (!played.quarantine.empty()) text += " in " + played.quarantine;
  if (!played.reply.empty()) text += " at " + std::string(name_of(played.at)) + ": " + shown(played.reply);
  return text;
}

void append_indented(std::string& out, std::string_view lines) {
  for (const auto line : base::text::split(lines, '\n'))
    if (!line.empty()) out += "    " + shown(line) + '\n';
}

void append_events(std::string& out, const MessageReport& report) {
  for (const auto& [stage, subject, result] : report.played.events) {
    const bool says_nothing = result.status.kind == Skip::Kind::Next || result.was_skipped;
    if (says_nothing && result.failure.empty()) continue;
    out += "  " + std::string(name_of(stage));
    if (!subject.empty()) out += " <" + shown(subject) + ">";
    out += ": " + status_text(result.status);
    if (!result.directive.empty()) out += (result.failure.empty() ? " by \"" : " since it fails: \"") + shown(result.directive) + "\"";
    out += '\n';
    append_indented(out, result.diagnosis);
  }
}

std::string place_text(std::string_view file, vsl::Location where) {
  return shown(file) + ":" + std::to_string(where.line) + ":" + std::to_string(where.column);
}

void append_trace(std::string& out, const TraceLog& trace) {
  for (const auto& entry : trace.entries()) {
    out += "  " + std::string(name_of(entry.stage)) + ": " + std::string(name_of(entry.kind)) + " \"" + shown(entry.directive) + "\"";
    if (!entry.status.empty()) out += " " + entry.status;
    if (!entry.failure.empty()) out += " failed";
    out += " (" + with_time(entry.time) + ")\n";
    for (const auto& [file, where, place, value] : entry.assignments)
      out += "    " + place_text(file, where) + ": " + shown(place) + " = " + shown(value) + '\n';
    if (entry.more_assignments > 0) out += "    and " + std::to_string(entry.more_assignments) + " more assignments\n";
  }
}

void append_changes(std::string& out, const MessageReport& report) {
  const auto& changes = report.changes;
  for (const auto& field : changes.removed) out += "  - " + shown(field) + '\n';
  for (const auto& field : changes.added) out += "  + " + shown(field) + '\n';
  if (changes.is_reordered) out += "  the fields of the header have another order\n";
  if (changes.has_reverse_path) out += "  from: <" + shown(changes.reverse_path) + ">\n";
  for (const auto& address : changes.removed_recipients) out += "  - to: <" + shown(address) + ">\n";
  for (const auto& address : changes.added_recipients) out += "  + to: <" + shown(address) + ">\n";
  if (report.session.transaction() == nullptr) return;
  for (const auto& recipient : report.session.transaction()->recipients.all())
    if (recipient.transfer.method != chain::TransferMethod::Deliver) out += "  <" + shown(recipient.address) + ">: " + text_of(recipient.transfer) + '\n';
  if (const auto& hold = report.session.transaction()->hold; !hold.empty()) out += "  held: " + shown(hold) + '\n';
}

void append_text(std::string& out, const MessageReport& report, bool has_colour) {
  out += shown(report.file) + ": ";
  if (has_colour) out += colour_of(report.played.end);
  out += end_text(report.played);
  if (has_colour) out += "\x1b[0m";
  out += '\n';
  if (report.trace != nullptr) append_trace(out, *report.trace);
  append_events(out, report);
  append_changes(out, report);
}

Json trace_json(const TraceLog& trace) {
  Json list = Json::array();
  for (const auto& entry : trace.entries()) {
    Json json = {{"stage", name_of(entry.stage)}, {"kind", name_of(entry.kind)}, {"directive", entry.directive}};
    if (!entry.status.empty()) json["status"] = entry.status;
    if (!entry.failure.empty()) json["failure"] = entry.failure;
    json["nanoseconds"] = entry.time.count();
    for (const auto& [file, where, place, value] : entry.assignments)
      json["assignments"].push_back({{"file", file}, {"line", where.line}, {"column", where.column}, {"place", place}, {"value", value}});
    if (entry.more_assignments > 0) json["more_assignments"] = entry.more_assignments;
    list.push_back(std::move(json));
  }
  return list;
}

Json stages_json(const Played& played) {
  Json list = Json::array();
  for (const auto& [stage, subject, result] : played.events) {
    Json json = {{"stage", name_of(stage)}};
    if (!subject.empty()) json["recipient"] = subject;
    json["status"] = base::text::to_lower(name_of(result.status.kind));
    if (const auto reply = reply_of(result.status)) json["reply"] = reply->words();
    if (result.was_skipped) json["skipped"] = true;
    if (!result.directive.empty()) json["directive"] = result.directive;
    if (!result.failure.empty()) json["failure"] = result.failure;
    list.push_back(std::move(json));
  }
  return list;
}

Json changes_json(const MessageReport& report) {
  const auto& changes = report.changes;
  Json json = Json::object();
  if (!changes.added.empty()) json["added"] = changes.added;
  if (!changes.removed.empty()) json["removed"] = changes.removed;
  if (changes.is_reordered) json["reordered"] = true;
  if (changes.has_reverse_path) json["mail_from"] = changes.reverse_path;
  if (!changes.added_recipients.empty()) json["added_recipients"] = changes.added_recipients;
  if (!changes.removed_recipients.empty()) json["removed_recipients"] = changes.removed_recipients;
  return json;
}

void append_json(std::string& out, const MessageReport& report) {
  Json json = {{"file", report.file}, {"verdict", name_of(report.played.end)}};
  if (!report.played.reply.empty()) {
    json["stage"] = name_of(report.played.at);
    json["reply"] = report.played.reply;
  }
  if (!report.played.quarantine.empty()) json["quarantine"] = report.played.quarantine;
  json["stages"] = stages_json(report.played);
  if (const auto* transaction = report.session.transaction()) {
    json["mail_from"] = transaction->reverse_path;
    Json recipients = Json::array();
    for (const auto& recipient : transaction->recipients.all()) recipients.push_back({{"address", recipient.address}, {"transport", text_of(recipient.transfer)}});
    json["recipients"] = std::move(recipients);
    if (!transaction->hold.empty()) json["hold"] = transaction->hold;
  }
  json["changes"] = changes_json(report);
  if (report.trace != nullptr) json["trace"] = trace_json(*report.trace);
  out += json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

void TraceLog::on_directive(const DirectiveReport& report) {
  entries_.push_back({report.stage, report.directive.name, report.directive.kind, report.status == nullptr ? "" : std::string(name_of(report.status->kind)),
                      std::string(report.failure), report.time, std::move(assignments_), more_assignments_});
  assignments_.clear();
  more_assignments_ = 0;
}

void TraceLog::on_assignment(const AssignmentReport& report) {
  if (assignments_.size() == kMostAssignments) {
    ++more_assignments_;
    return;
  }
  assignments_.push_back({std::string(report.file), report.where, std::string(report.place), vsl::shortened_debug_of(report.value, kLongestValue)});
}

void append(std::string& out, const MessageReport& report, const ReportForm& form) {
  if (form.as_json) {
    append_json(out, report);
  } else {
    append_text(out, report, form.has_colour);
  }
}

}  // namespace rules
