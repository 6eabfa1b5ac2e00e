// What is wrong with rules and can be seen before they run (vsl.md 5.4): on top of what the language checks by itself.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "vsl-filter/check/argument_check.h"
#include "vsl-filter/lang/check.h"
#include "vsl-filter/lang/native.h"
#include "vsl-filter/check/rule_tails.h"
#include "vsl-filter/transaction/stage.h"

namespace rules {

// For one load. Stages: unknown ones, no array, no directives, duplicate names, delegates; directives behind one that always ends the
// stage; functions in stages where what they tell does not exist; rules without a status, actions with one, statuses that nobody sees;
// comparisons that cannot be true; arguments that cannot be right; values written into SQL; spellings of v0.
class RuleCheck : public vsl::CheckHook {
 public:
  explicit RuleCheck(const vsl::Natives& natives) : natives_(natives), tails_(natives), arguments_(natives) {}

  void enter(const vsl::ast::Node& node, const vsl::ast::Script& script, vsl::Diagnostics& diagnostics) override;
  void leave(const vsl::ast::Node& node, const vsl::ast::Script& script, vsl::Diagnostics& diagnostics) override;

  // Where the map of stages of the main script is; an empty place if it ends in something else.
  [[nodiscard]] vsl::Span stage_map() const { return stage_map_; }
  // fn on_STAGE(ctx) of the main script, in order (v3).
  struct Hook {
    Stage stage;
    std::string name;
    vsl::Span span;
  };
  [[nodiscard]] const std::vector<Hook>& hooks() const { return hooks_; }
  // Whether the duplicate name is an error already.
  static bool has_told_of(const vsl::Diagnostics& diagnostics, std::string_view name);

 private:
  // A use of the API in the body of a directive or function.
  struct Use {
    std::string_view name;
    Stages stages;
    vsl::Span span;
  };
  struct Body {
    std::vector<Use> uses;
    std::vector<std::pair<const vsl::ast::Function*, vsl::Span>> calls;
  };
  using Diagnostics = vsl::Diagnostics;

  void begin_script(const vsl::ast::Script& script);
  void end_script(Diagnostics& diagnostics);
  void see_stages(const vsl::ast::Map& map, Diagnostics& diagnostics);
  void see_stage(Stage stage, std::string_view name, const vsl::ast::Array& directives, Diagnostics& diagnostics);
  void see_name(Stage stage, const vsl::ast::Directive& directive, Diagnostics& diagnostics);
  void see_directive(const vsl::ast::Directive& directive, Diagnostics& diagnostics);
  void see_use(std::string_view space, std::string_view name, std::size_t arguments, vsl::Span span, Diagnostics& diagnostics);
  void see_call(const vsl::ast::Call& call, Diagnostics& diagnostics);
  void see_declaration(const vsl::ast::Declaration& declaration, Diagnostics& diagnostics);
  void see_dropped(const vsl::ast::Node& code, std::string_view keyword, Diagnostics& diagnostics) const;
  // Values written into a text.
  [[nodiscard]] bool is_made(const vsl::ast::Node& text) const;
  void see_text(const vsl::ast::Variable* variable, const vsl::ast::Node* text);
  void see_query(const vsl::ast::MethodCall& call, Diagnostics& diagnostics) const;
  [[nodiscard]] bool is_handle(const vsl::ast::Node& node) const;
  void see_comparison(const vsl::ast::Binary& comparison, Diagnostics& diagnostics) const;
  void tell_of_uses(const Body& body, Stage stage, vsl::Span from, int depth, Diagnostics& diagnostics);
  // "address", "rg4", "string", ... or "" if that is not certain.
  [[nodiscard]] std::string_view kind_of(const vsl::ast::Node& node) const;

  const vsl::Natives& natives_;
  RuleTails tails_;
  ArgumentCheck arguments_;
  vsl::Span stage_map_{};
  std::vector<Hook> hooks_;

  // Of the script that is being seen.
  const vsl::ast::Script* script_ = nullptr;
  const vsl::ast::Node* map_ = nullptr;
  std::unordered_map<const vsl::ast::Node*, const vsl::ast::Function*> functions_;      // by the block of their code
  std::unordered_map<const void*, Stage> hook_stage_;                                   // of functions
  std::unordered_map<const vsl::ast::Node*, Stage> stage_of_;                           // of directives
  std::unordered_map<const void*, Body> bodies_;                                        // of directives and functions
  int tries_ = 0;                                                                       // around the present place: errors there may be wanted
  std::vector<const void*> open_;                                                       // whose body is being seen
  std::vector<std::pair<const vsl::ast::Directive*, Stage>> directives_;                // in order
  std::unordered_map<const vsl::ast::Variable*, std::string_view> kinds_;               // of declared objects
  std::unordered_set<const vsl::ast::Variable*> contexts_;                              // of |ctx|
  std::unordered_set<const vsl::ast::Variable*> made_texts_;                            // that values were written into
  std::map<std::pair<Stage, std::string_view>, vsl::Span> names_;
  std::map<std::string_view, std::pair<Stage, vsl::Span>> first_names_;
  std::set<std::string_view> delegations_;
};

}  // namespace rules
