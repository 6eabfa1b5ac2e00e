// A loaded set of rules (vsl.md 2.1, 2.10): compiled once, frozen, shared by all transactions and threads.
#pragma once

#include <array>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/lang/engine.h"
#include "vsl-filter/transaction/stage.h"

namespace rules {

class RuleCheck;
class SmtpService;
struct Connection;

// What vSL adds to the grammar of the language.
extern const vsl::Dialect kDialect;

enum class DirectiveKind : std::uint8_t {
  Rule,
  Action,
  Delegate,
  Hook,  // fn on_STAGE(ctx) of v3: the only one of its stage
};
std::string_view name_of(DirectiveKind kind);

struct Directive {
  DirectiveKind kind = DirectiveKind::Rule;
  std::string name;
  vsl::Value evaluate;  // a closure; that of v3 takes ctx(). Of a hook nothing: it is a function of the main script, by its name
  const SmtpService* service = nullptr;  // of Delegate
};
// Of a map #{type, name, evaluate}; else what is wrong with it.
std::expected<Directive, std::string> directive_of(const vsl::Value& value, Stage stage);

class RuleSet {
 public:
  // Fails only if the main script cannot be read: Fault::Config. Everything else is in diagnostics(); rules with errors are not
  // usable and must not be run.
  [[nodiscard]] static base::Result<std::shared_ptr<const RuleSet>> load(const std::string& main_path, Site site);
  // The same for a text that is no file; it imports nothing but from the folders of rules.path.
  [[nodiscard]] static std::shared_ptr<const RuleSet> of_text(std::string name, std::string text, Site site);
  // No rules are configured: every connection is refused (vsl.md 2.1).
  [[nodiscard]] static std::shared_ptr<const RuleSet> none(Site site);

  [[nodiscard]] bool is_usable() const { return is_usable_; }
  [[nodiscard]] const vsl::Diagnostics& diagnostics() const { return loaded_.diagnostics; }
  [[nodiscard]] const vsl::Sources& sources() const { return loaded_.sources(); }

  // In their order. Only of usable rules.
  [[nodiscard]] std::span<const Directive> directives(Stage stage) const { return directives_[static_cast<std::size_t>(stage)]; }
  [[nodiscard]] const vsl::Program& program() const { return *loaded_.program; }
  [[nodiscard]] const Site& site() const { return site_; }
  [[nodiscard]] const Api& api() const { return *api_; }
  // The service that gives messages back where this connection has come in, of several the one that takes them from its client; null:
  // none does.
  [[nodiscard]] const SmtpService* receiver_of(const Connection& connection) const;
  // Those that messages can be delegated to, one for each directive.
  [[nodiscard]] std::span<const SmtpService* const> delegates() const { return delegates_; }
  // Whether they can wait for something: DNS, a disk, a program, a service. Looks through all their code.
  [[nodiscard]] bool may_wait() const { return vsl::mentions(program(), kWaits); }
  // Of one directive, by the settings.
  [[nodiscard]] const vsl::Budget& budget() const { return budget_; }

 private:
  RuleSet(Site site);
  template <class Load>
  void finish(const Load& load);
  void take_stages(const RuleCheck& check);
  void take_hooks(const RuleCheck& check);
  void take_directive(Stage stage, const vsl::Value& value, vsl::Span where);

  Site site_;
  std::unique_ptr<Api> api_;  // outlives the program
  vsl::Budget budget_;
  vsl::Loaded loaded_;
  std::array<std::vector<Directive>, kStages.size()> directives_;
  std::vector<const SmtpService*> delegates_;  // services that directives delegate to
  bool is_usable_ = false;
};

}  // namespace rules
