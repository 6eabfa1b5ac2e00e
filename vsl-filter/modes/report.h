// What the rules made of a saved message, as text for people and as one JSON object a line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/modes/changes.h"
#include "vsl-filter/modes/playback.h"
#include "vsl-filter/stages/stages.h"

namespace rules {

// Notes what run_stage() tells, for the report.
class TraceLog : public Trace {
 public:
  struct Assignment {
    std::string file;
    vsl::Location where;
    std::string place;
    std::string value;  // the first octets of its debug form
  };
  struct Entry {
    Stage stage;
    std::string directive;
    DirectiveKind kind = DirectiveKind::Rule;
    std::string status;   // "" of an action, or when it failed
    std::string failure;
    std::chrono::nanoseconds time{};
    std::vector<Assignment> assignments;
    std::uint64_t more_assignments = 0;  // that were too many to keep
  };
  void on_directive(const DirectiveReport& report) override;
  void on_assignment(const AssignmentReport& report) override;
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
  std::vector<Assignment> assignments_;  // of the directive that runs
  std::uint64_t more_assignments_ = 0;
};

// For a report that tells of failures anyway.
class NoTrace : public Trace {
 public:
  void on_directive(const DirectiveReport&) override {}
};

struct MessageReport {
  std::string_view file;
  const Played& played;
  const Session& session;
  const Changes& changes;
  const TraceLog* trace = nullptr;  // if it is to be shown
};

struct ReportForm {
  bool as_json = false;
  bool has_colour = false;
};
void append(std::string& out, const MessageReport& report, const ReportForm& form);

}  // namespace rules
