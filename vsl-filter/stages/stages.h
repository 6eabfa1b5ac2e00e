// Running the rules of a stage (vsl.md 2.3, 2.10).
#pragma once

#include <chrono>
#include <string_view>

#include "vsl-filter/api/status.h"
#include "vsl-filter/stages/rule_set.h"
#include "vsl-filter/transaction/stage.h"
#include "vsl-filter/stages/stage_result.h"
#include "vsl-filter/transaction/transaction.h"

namespace rules {

// One directive that was run.
struct DirectiveReport {
  Stage stage;
  const Directive& directive;
  const Status* status;      // null: an action, or it failed
  std::string_view failure;  // place and text; empty: none
  std::chrono::nanoseconds time;
};

// One assignment in a directive, if the rules were loaded for it (Site::tells_assignments). Comes before the directive's report.
struct AssignmentReport {
  std::string_view place;
  const vsl::Value& value;
  std::string_view file;
  vsl::Location where;
};

// Who wants to see what happens, and failures too: those are not logged then. Called in the thread of the run.
class Trace {
 public:
  virtual ~Trace() = default;
  virtual void on_directive(const DirectiveReport& report) = 0;
  virtual void on_assignment(const AssignmentReport& report) { (void)report; }
  // A stage that was skipped because an earlier status ended the rules.
  virtual void on_skipped(Stage stage, const Skip& status) { (void)stage, (void)status; }
};

// Runs the directives of the stage on the session, which keeps all that they change, and the status if it ends the rules. What goes
// wrong in a directive is logged and becomes the safe default (2.3). That a refused recipient leaves the list (D-12) is the caller's:
// refuses_recipient() says when.
StageResult run_stage(const RuleSet& rules, Session& session, Stage stage, Trace* trace = nullptr);

}  // namespace rules
