#include "vsl-filter/serving/serving.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "lib/base/exits.h"
#include "lib/base/log.h"
#include "lib/chain/policy.h"
#include "lib/chain/resident.h"
#include "vsl-filter/loading.h"
#include "vsl-filter/serving/confinement.h"
#include "vsl-filter/serving/message_filter.h"
#include "vsl-filter/serving/policy_reply.h"

namespace rules {
namespace {

constexpr std::uint64_t kLargestMessage = std::uint64_t{1} << 30;

// The rules of now: who has taken them keeps them while others are put in their place.
class RuleHolder {
 public:
  explicit RuleHolder(std::shared_ptr<const RuleSet> rules) { set(std::move(rules)); }
  [[nodiscard]] std::shared_ptr<const RuleSet> get() const {
    const std::lock_guard lock(mutex_);
    return rules_;
  }
  [[nodiscard]] bool may_wait() const { return may_wait_; }
  void set(std::shared_ptr<const RuleSet> rules) {
    may_wait_ = rules->may_wait();
    const std::lock_guard lock(mutex_);
    rules_ = std::move(rules);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const RuleSet> rules_;
  std::atomic<bool> may_wait_;
};

int exit_of_bad_rules() { return base::exit_row(base::Fault::Config).in_chain; }

// Nobody sits in front of a resident program: a line of the log each.
void log_diagnostics(const RuleSet& rules) {
  for (const auto& diagnostic : rules.diagnostics().all()) {
    auto text = vsl::render(diagnostic, rules.sources());
    text.resize(std::min(text.find('\n'), text.size()));
    if (diagnostic.severity == vsl::Severity::Error) {
      base::log::error("in rules", {{"text", text}, {"help", diagnostic.help}});
    } else {
      base::log::warning("in rules", {{"text", text}, {"help", diagnostic.help}});
    }
  }
}

void reload(const base::Settings& settings, const Options& options, bool is_confined, RuleHolder& holder) {
  NamedByRules named;
  std::optional<NamesCollected> collecting(named);
  auto loaded = RuleSet::load(options.rules, site_of(settings));
  collecting.reset();
  if (loaded) log_diagnostics(**loaded);
  if (!loaded || !(*loaded)->is_usable()) {
    base::log::error("rules are not taken, the old ones stay", {{"rules", options.rules}, {"cause", loaded ? "they have errors" : loaded.error().cause}});
    return;
  }
  if (const auto obstacle = obstacle_of(**loaded, named); is_confined && !obstacle.empty()) {
    base::log::error("rules are not taken, the old ones stay", {{"rules", options.rules}, {"cause", "from inside of the sandbox nothing is started, and " + obstacle + "; expected: a restart"}});
    return;
  }
  holder.set(std::move(*loaded));
  base::log::info("rules loaded", {{"rules", options.rules}});
}

}  // namespace

int serve_one_message(const base::CommandLine& line, const Options& options) {
  static const auto rules = load_or_complain(line.settings, options);
  if (!rules) return exit_of_bad_rules();
  return chain::serve_once(kManual.program, line.arguments, line.chain, kLargestMessage,
                           [&](const chain::Invocation& invocation) { return filter_message(*rules, invocation, options.stage ? *options.stage : stage_of_call(invocation.call)); });
}

int serve_questions(const base::Settings& settings, const Options& options) {
  static const auto rules = load_or_complain(settings, options);
  if (!rules) return base::exit_row(base::Fault::Config).by_hand;
  PolicyMemory memory;
  return chain::serve_policy(kManual.program, [&](const chain::Invocation& invocation) { return answer_question(*rules, invocation.call.envelope, memory); });
}

int serve_resident(const base::Settings& settings, const Options& options) {
  NamedByRules named;
  std::optional<NamesCollected> collecting(named);
  auto rules = load_or_complain(settings, options);
  collecting.reset();
  if (!rules) return base::exit_row(base::Fault::Config).by_hand;
  const auto obstacle = obstacle_of(*rules, named);
  const bool is_confined = base::is_confined(settings, obstacle);
  const auto sandbox = is_confined ? sandbox_of(*rules, named, options) : base::Sandbox();
  RuleHolder holder(std::move(rules));
  PolicyMemory memory;
  const auto handler = [&](const chain::Invocation& invocation) {
    const auto now = holder.get();
    if (invocation.call.kind == chain::Kind::Policy) return answer_question(*now, invocation.call.envelope, memory);
    return filter_message(*now, invocation, options.stage ? *options.stage : stage_of_call(invocation.call));
  };
  // Rules may wait for services, a second each: as many threads as calls that may wait together.
  constexpr std::size_t kThreads = 100;
  // A large message is read from its file, and what rules make of it is written.
  const auto waits_for_nothing = [&](const chain::Invocation& invocation) { return !holder.may_wait() && invocation.call.message.is_in_memory(); };
  return chain::serve_resident(kManual.program, options.socket,
                               {.handler = handler, .threads = kThreads, .waits_for_nothing = waits_for_nothing, .reload = [&] { reload(settings, options, is_confined, holder); },
                                .confine = [&] { return base::confine(settings, sandbox, obstacle); }},
                               {.takes_questions = true}, options.socket_mode);
}

}  // namespace rules
