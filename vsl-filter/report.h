// What the rules made of a saved message, as text for people and as one JSON object a line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/changes.h"
#include "vsl-filter/playback.h"
#include "vsl-filter/stages.h"

namespace rules {

// Notes what run_stage() tells, for the report.
class TraceLog : public Trace {
 public:
  struct Entry {
    Stage stage;
    std::string directive;
    DirectiveKind kind = DirectiveKind::Rule;
    std::string status;   // "" of an action, or when it failed
    std::string failure;
    std::chrono::nanoseconds time{};
  };
  void on_directive(const DirectiveReport& report) override;
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
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
