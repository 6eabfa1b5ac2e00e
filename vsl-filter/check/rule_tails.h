// How the bodies of directives end: which statements are their value, and which statuses nobody sees, as far as the text tells.
#pragma once

#include <functional>

#include "vsl-filter/lang/ast.h"
#include "vsl-filter/lang/native.h"

namespace rules {

class RuleTails {
 public:
  explicit RuleTails(const vsl::Natives& natives) : natives_(natives) {}

  // The first way out of a rule on which its value is certainly no status; null if there is none.
  [[nodiscard]] const vsl::ast::Node* without_status(const vsl::ast::Directive& directive) const;
  // The first way out of an action on which it has a status that nobody sees; next() and quarantine(), which act by themselves, do not count.
  [[nodiscard]] const vsl::ast::Node* ignored_status(const vsl::ast::Directive& directive) const;
  // The rule decides, whatever comes.
  [[nodiscard]] bool always_ends(const vsl::ast::Directive& directive) const;

  // Calls see(CALL) for each status inside of a statement behind which `code` goes on as if it had not been there:
  // `if spam { deny() } next()`. Statuses that are such statements themselves are the language's to tell of, but for quarantine().
  using See = std::function<void(const vsl::ast::Call& call)>;
  void dropped_statuses(const vsl::ast::Node& code, const See& see) const;

 private:
  // What a node gives, as far as it is certain.
  enum class Gives : std::uint8_t {
    Unknown,
    NoStatus,
    Next,
    Check,       // a status, next() or another
    Decision,    // a status that ends the stage
    Quarantine,  // such a one that acts by itself
  };
  [[nodiscard]] Gives what(const vsl::ast::Node& node, int depth = 0) const;
  void see_dropped(const vsl::ast::Node& node, bool is_dropped, bool is_inner, const See& see) const;

  const vsl::Natives& natives_;
};

}  // namespace rules
