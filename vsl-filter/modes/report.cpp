#include "vsl-filter/modes/report.h"

#include <array>
#include <utility>

#include "lib/base/json_text.h"
#include "lib/base/text.h"

namespace rules {
namespace {

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
  if (changes.has_body) out += "  another body, of " + std::to_string(changes.body_octets) + " octets\n";
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

namespace json = base::json;

// "name": [ELEMENT,ELEMENT]
void append_list(std::string& out, std::string_view name, const auto& elements, const auto& append_element) {
  json::append_name(out, name);
  out += '[';
  for (bool is_first = true; const auto& element : elements) {
    if (!std::exchange(is_first, false)) out += ',';
    append_element(element);
  }
  out += ']';
}

void append_texts(std::string& out, std::string_view name, const std::vector<std::string>& texts) {
  if (!texts.empty()) append_list(out, name, texts, [&](const std::string& text) { json::append_string(out, text); });
}

void append_true(std::string& out, std::string_view name) {
  json::append_name(out, name);
  out += "true";
}

void append_unless_empty(std::string& out, std::string_view name, std::string_view text) {
  if (!text.empty()) json::append_member(out, name, text);
}

void append_assignment(std::string& out, const TraceLog::Assignment& assignment) {
  const auto& [file, where, place, value] = assignment;
  out += '{';
  json::append_member(out, "file", file);
  json::append_member(out, "line", static_cast<long long>(where.line));
  json::append_member(out, "column", static_cast<long long>(where.column));
  json::append_member(out, "place", place);
  json::append_member(out, "value", value);
  out += '}';
}

void append_entry(std::string& out, const TraceLog::Entry& entry) {
  out += '{';
  json::append_member(out, "stage", name_of(entry.stage));
  json::append_member(out, "kind", name_of(entry.kind));
  json::append_member(out, "directive", entry.directive);
  append_unless_empty(out, "status", entry.status);
  append_unless_empty(out, "failure", entry.failure);
  json::append_member(out, "nanoseconds", entry.time.count());
  if (!entry.assignments.empty())
    append_list(out, "assignments", entry.assignments, [&](const TraceLog::Assignment& assignment) { append_assignment(out, assignment); });
  if (entry.more_assignments > 0) json::append_member(out, "more_assignments", static_cast<long long>(entry.more_assignments));
  out += '}';
}

void append_event(std::string& out, const Played::Event& event) {
  const auto& result = event.result;
  out += '{';
  json::append_member(out, "stage", name_of(event.stage));
  append_unless_empty(out, "recipient", event.subject);
  json::append_member(out, "status", base::text::to_lower(name_of(result.status.kind)));
  if (const auto reply = reply_of(result.status)) json::append_member(out, "reply", reply->words());
  if (result.was_skipped) append_true(out, "skipped");
  append_unless_empty(out, "directive", result.directive);
  append_unless_empty(out, "failure", result.failure);
  out += '}';
}

void append_recipient(std::string& out, const Recipient& recipient) {
  out += '{';
  json::append_member(out, "address", recipient.address);
  json::append_member(out, "transport", text_of(recipient.transfer));
  out += '}';
}

void append_changes_json(std::string& out, const Changes& changes) {
  json::append_name(out, "changes");
  out += '{';
  append_texts(out, "added", changes.added);
  append_texts(out, "removed", changes.removed);
  if (changes.is_reordered) append_true(out, "reordered");
  if (changes.has_body) json::append_member(out, "body_octets", static_cast<long long>(changes.body_octets));
  if (changes.has_reverse_path) json::append_member(out, "mail_from", changes.reverse_path);
  append_texts(out, "added_recipients", changes.added_recipients);
  append_texts(out, "removed_recipients", changes.removed_recipients);
  out += '}';
}

void append_json(std::string& out, const MessageReport& report) {
  out += '{';
  json::append_member(out, "file", report.file);
  json::append_member(out, "verdict", name_of(report.played.end));
  if (!report.played.reply.empty()) {
    json::append_member(out, "stage", name_of(report.played.at));
    json::append_member(out, "reply", report.played.reply);
  }
  append_unless_empty(out, "quarantine", report.played.quarantine);
  append_list(out, "stages", report.played.events, [&](const Played::Event& event) { append_event(out, event); });
  if (const auto* transaction = report.session.transaction()) {
    json::append_member(out, "mail_from", transaction->reverse_path);
    append_list(out, "recipients", transaction->recipients.all(), [&](const Recipient& recipient) { append_recipient(out, recipient); });
    append_unless_empty(out, "hold", transaction->hold);
  }
  append_changes_json(out, report.changes);
  if (report.trace != nullptr) append_list(out, "trace", report.trace->entries(), [&](const TraceLog::Entry& entry) { append_entry(out, entry); });
  out += "}\n";
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
