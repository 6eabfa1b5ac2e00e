#include "vsl-filter/stages/stages.h"
#include "vsl-filter/transaction/signing.h"

#include <algorithm>
#include <array>
#include <utility>

#include "vsl-filter/api/values.h"
#include "vsl-filter/lang/bytecode.h"
#include "vsl-filter/lang/object.h"
#include "vsl-filter/services/smtp.h"

namespace rules {

using vsl::Result;
using vsl::Value;

namespace {

// One directive's failure on one line: "FILE:LINE:COLUMN: TEXT; called from ...".
std::string line_of(const vsl::Failure& failure, const vsl::Sources& sources) {
  std::string text = vsl::render(failure, sources);
  while (text.ends_with('\n')) text.pop_back();
  for (std::size_t at = text.find("\n  "); at != std::string::npos; at = text.find("\n  ", at)) text.replace(at, 3, "; ");
  if (const auto at = text.find("error: "); at != std::string::npos) text.erase(at, 7);
  return text;
}

std::string diagnosis_of(const vsl::Failure& failure, const vsl::Sources& sources) {
  constexpr std::size_t kMostCalls = 4;  // of a recursion each place once, and where it came from
  vsl::Diagnostic diagnostic{.span = failure.span(), .message = failure.message(), .help = {}, .notes = {}};
  const auto& stack = failure.stack();
  for (std::size_t i = 1; i < stack.size(); ++i) {
    const bool is_last = i + 1 == stack.size();
    const bool is_same = stack[i].span == stack[i - 1].span;
    if (is_last || (!is_same && diagnostic.notes.size() + 1 < kMostCalls)) diagnostic.with_note(stack[i].span, "called from here");
  }
  return vsl::render(diagnostic, sources);
}

OnError on_error(Stage stage, const vsl::Failure& failure, const Site& site) {
  // Nothing is lost by waiting when the message is ours already (D-15); and that a rule takes too long says nothing about the message.
  if (!has_client(stage)) return OnError::TempFail;
  if (!vsl::is_catchable(failure.kind()) && failure.kind() != vsl::ErrorKind::Exit) return OnError::TempFail;
  return site.on_error;
}

// Where the code of a directive begins; that of a hook is not known here.
vsl::Span place_of(const Directive& directive) {
  const vsl::Code* code = directive.evaluate.is_function() ? directive.evaluate.as_function().code : nullptr;
  if (code == nullptr || code->spans.empty()) return {};
  return {code->source, code->spans.front().begin, code->spans.front().end};
}

// Where a stage behind the queue begins: with what has not run before the message was delegated.
struct Beginning {
  std::size_t directive = 0;
  bool is_back = false;  // its content filter has given the message back: the body of that directive runs
};

Beginning beginning_of(const RuleSet& rules, Session& session, Stage stage) {
  Transaction* transaction = session.transaction();
  if (transaction == nullptr || !transaction->delegation || has_client(stage)) return {};
  const auto delegation = *std::exchange(transaction->delegation, std::nullopt);
  if (session.skip().kind == Skip::Kind::DelegationResult) session.set_skip(stage, {});
  if (delegation.stage != name_of(stage)) return {};
  const auto directives = rules.directives(stage);
  const auto found = std::ranges::find_if(directives, [&](const Directive& one) { return one.kind == DirectiveKind::Delegate && one.name == delegation.directive; });
  if (found == directives.end()) {
    if (rules.site().log)
      rules.site().log(LogLevel::Warn, "stage '" + std::string(name_of(stage)) + "' runs from its begin: the delegation '" + delegation.directive + "' of " + transaction->message_id + " is not there any more");
    return {};
  }
  const auto at = static_cast<std::size_t>(found - directives.begin());
  if (delegation.state == chain::Delegation::State::Back) return {at, true};
  return {at + 1, false};  // an operator has taken it from the filter, and wants it to go on
}

class StageRun : InnerRules {
 public:
  StageRun(const RuleSet& rules, Session& session, Stage stage, Trace* trace)
      : rules_(rules), stage_(stage), trace_(trace), scene_{rules.site(), &session, stage, this}, run_(rules.program(), rules.budget(), &scene_, sinks()) {}

  StageResult directives(const Beginning& beginning) {
    is_back_ = beginning.is_back;
    for (const Directive& directive : rules_.directives(stage_).subspan(beginning.directive)) {
      one(directive);
      if (status_.kind == StatusKind::Next) {
        result_.directive.clear();  // a hook went on in spite of a directive that decided
        continue;
      }
      if (result_.directive.empty()) result_.directive = directive.name;
      break;
    }
    result_.status = skip_of(status_);
    if (result_.is_deferred) result_.status.code = "Failure";  // the standard reply 451
    if (status_.kind == StatusKind::Packet) result_.secret = status_.detail;
    return std::move(result_);
  }

 private:
  vsl::Sinks sinks() const {
    vsl::Sinks sinks = sinks_of(rules_.site());
    if (trace_ == nullptr || !rules_.site().tells_assignments) return sinks;
    sinks.assigned = [this](std::string_view place, const Value& value, vsl::Span where) {
      trace_->on_assignment({place, value, rules_.sources().at(where.source).name(), rules_.sources().locate(where)});
    };
    return sinks;
  }

  // Who delivers the message to the service, and waits for it, is the queue.
  void delegate(const Directive& directive) {
    auto& delegation = scene_.session->transaction()->delegation;
    delegation = directive.service->delegation();
    delegation->stage = name_of(stage_);
    delegation->directive = directive.name;
    status_ = Status{StatusKind::Delegated, std::nullopt, {}};
    log_directive(directive, true);
    if (trace_ != nullptr) trace_->on_directive({stage_, directive, &status_, {}, {}});
  }

  void one(const Directive& directive) {
    if (directive.kind == DirectiveKind::Delegate && !std::exchange(is_back_, false)) return delegate(directive);
    using Clock = std::chrono::steady_clock;
    const auto begin = trace_ != nullptr ? Clock::now() : Clock::time_point{};
    auto status = evaluate(directive);
    const auto time = trace_ != nullptr ? Clock::now() - begin : Clock::duration{};
    std::string failure;
    if (!status) {
      failure = line_of(status.error(), rules_.sources());
      result_.diagnosis = diagnosis_of(status.error(), rules_.sources());
      fail(directive, status.error(), failure);
    } else {
      status_ = std::move(*status);
    }
    const bool has_status = failure.empty() && directive.kind != DirectiveKind::Action;
    log_directive(directive, has_status);
    if (trace_ != nullptr) trace_->on_directive({stage_, directive, has_status ? &status_ : nullptr, failure, time});
  }

  Value context() { return run_.heap().host(kContextClass, nullptr); }

  Result call(const Directive& directive) {
    if (directive.kind == DirectiveKind::Hook) {
      const Value handle = context();
      return run_.call(directive.name, std::span<const Value>(&handle, 1));
    }
    const bool takes_context = run_.parameters_of(directive.evaluate) == 1;  // |ctx| of v3
    const Value handle = takes_context ? context() : Value();
    return run_.call(directive.evaluate, std::span<const Value>(&handle, takes_context ? 1 : 0));
  }

  // Within a hook, and its budget.
  Result run_directives(const Value& directives) override {
    const Value handle = context();
    std::optional<Status> status;
    for (const Value& value : directives.as_array()) {
      const auto directive = directive_of(value, stage_);
      if (!directive) return vsl::fail_api(directive.error());
      if (directive->kind == DirectiveKind::Delegate) return vsl::fail_api("the delegation '" + directive->name + "' must stand in the map of stages: a hook cannot go on at it");
      const auto begin = std::chrono::steady_clock::now();
      const bool takes_context = run_.parameters_of(directive->evaluate) == 1;
      Result given = run_.call_back(directive->evaluate, std::span<const Value>(&handle, takes_context ? 1 : 0));
      if (!given) return given;
      auto end = status_given(*directive, *given);
      if (!end) return pass_on(end);
      const bool has_status = directive->kind != DirectiveKind::Action;
      if (trace_ != nullptr) trace_->on_directive({stage_, *directive, has_status ? &*end : nullptr, {}, std::chrono::steady_clock::now() - begin});
      status = *std::move(end);
      if (status->kind == StatusKind::Next) continue;
      result_.directive = directive->name;
      break;
    }
    return status ? value_of(run_.heap(), *std::move(status)) : Value();
  }

  vsl::Expected<Status> evaluate(const Directive& directive) {
    Result value = call(directive);
    if (!value) {
      // exit(status) ends the directive with that status.
      if (value.error().kind() != vsl::ErrorKind::Exit) return pass_on(value);
      value = Value(value.error().value());
    }
    return status_given(directive, *value);
  }

  static vsl::Expected<Status> status_given(const Directive& directive, const Value& given) {
    if (directive.kind == DirectiveKind::Action) return Status{};
    if (directive.kind == DirectiveKind::Hook && given.is_unit()) return Status{};  // of ctx.run(): no rules
    if (const Status* status = status_in(given)) return *status;
    vsl::Failure failure(vsl::ErrorKind::DataType, "Output type incorrect: " + std::string(vsl::type_name(given)) + " (expecting status)");
    if (const auto place = place_of(directive); place.end > 0) failure.add_call("closure", place);
    return std::unexpected(std::move(failure));
  }

  void fail(const Directive& directive, const vsl::Failure& failure, const std::string& line) {
    result_.failure = "stage '" + std::string(name_of(stage_)) + "' skipped => rule engine failed in '" + directive.name + "': " + line;
    if (trace_ == nullptr) log(LogLevel::Error, result_.failure);
    switch (on_error(stage_, failure, rules_.site())) {
      case OnError::Next: return;
      case OnError::TempFail: result_.is_deferred = true; [[fallthrough]];
      case OnError::Deny: status_ = Status{StatusKind::Deny, std::nullopt, {}}; return;
    }
  }

  void log(LogLevel level, std::string_view text) const {
    if (rules_.site().log) rules_.site().log(level, text);
  }

  void log_directive(const Directive& directive, bool has_status) const {
    if (!rules_.site().logs_debug) return;
    log(LogLevel::Debug, "stage '" + std::string(name_of(stage_)) + "': " + std::string(name_of(directive.kind)) + " '" + directive.name + "'" +
                             (has_status ? " gives " + std::string(name_of(status_.kind)) : ""));
  }

  const RuleSet& rules_;
  Stage stage_;
  Trace* trace_;
  Scene scene_;
  vsl::Run run_;
  bool is_back_ = false;  // the first directive is one whose service has given the message back
  Status status_;
  StageResult result_;
};

}  // namespace

namespace {

// A message that waits for the result of a delegation is stored with that status.
Skip kept(Skip status) {
  if (status.kind == Skip::Kind::Delegated) status.kind = Skip::Kind::DelegationResult;
  return status;
}

StageResult skipped_by(const Skip& skip, Stage stage, Trace* trace) {
  if (trace != nullptr) trace->on_skipped(stage, skip);
  StageResult skipped;
  skipped.status = skip;
  skipped.was_skipped = true;
  return skipped;
}

}  // namespace

StageResult run_stage(const RuleSet& rules, Session& session, Stage stage, Trace* trace) {
  if (has_client(stage))
    if (const auto* service = rules.receiver_of(session.connection); service != nullptr) {
      Skip skip{.kind = Skip::Kind::DelegationResult, .code = {}, .reply = {}, .name = {}};
      if (!service->takes_from(session.connection.client_ip)) skip = {.kind = Skip::Kind::Deny, .code = {}, .reply = "554 5.7.1 Client host rejected: messages come back from content filters here", .name = {}};
      return skipped_by(skip, stage, trace);
    }
  const auto beginning = beginning_of(rules, session, stage);
  const Skip& skip = session.skip();
  if (skip.finishes() || skip.kind == Skip::Kind::DelegationResult) return skipped_by(skip, stage, trace);
  if (rules.directives(stage).empty()) return {};
  const auto before = stage == Stage::Authenticate ? session.connection.made() : RulesMade();
  StageResult result = StageRun(rules, session, stage, trace).directives(beginning);
  if (stage == Stage::Authenticate) session.authenticated(before);
  if (Transaction* transaction = session.transaction(); transaction != nullptr)
    if (const auto renewed = renew_signatures(*transaction); !renewed && rules.site().log) rules.site().log(LogLevel::Error, "DKIM: " + renewed.error().cause);
  const bool is_one_recipients = stage == Stage::Rcpt && result.status.kind == Skip::Kind::Deny && !rules.site().deny_closes;
  // What shall come again must not find its rules skipped.
  const bool comes_again = result.is_deferred && !has_client(stage);
  if (result.status.finishes() && !is_one_recipients && !comes_again) session.set_skip(stage, kept(result.status));
  if (result.status.kind == Skip::Kind::Quarantine) {
    if (Transaction* transaction = session.transaction(); transaction != nullptr) {
      auto& note = transaction->quarantine_note;
      note.rule = result.directive;
      note.stage = name_of(stage);
      note.time = rules.site().now();
    }
  }
  return result;
}

}  // namespace rules
