// For tests of rules: the site and the transaction that the conformance examples of vsl.md section 6 start from.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "vsl-filter/stages/effects.h"
#include "vsl-filter/stages/rule_set.h"
#include "vsl-filter/stages/stages.h"

namespace rules::testing {

inline constexpr std::string_view kMessage =
    "From: Ann <ann@client.example>\r\nTo: bob@own.example, carl@other.example\r\nSubject: hello\r\nX-A: 1\r\nX-A: 2\r\n\r\ntext\r\n";

inline Site site(std::vector<std::string>* log = nullptr, const std::vector<std::pair<std::string, std::string>>& more = {}) {
  base::Settings settings;
  const auto set = [&settings](std::string_view name, std::string_view value) { (void)settings.set(*base::find_setting(name), value); };
  set("server.domain", "gate.example");
  set("delivery.local_domains", "own.example");
  for (const auto& [name, value] : more) set(name, value);
  Log write;
  if (log != nullptr) write = [log](LogLevel level, std::string_view text) { log->push_back(std::string(name_of(level)) + " " + std::string(text)); };
  return Site::of(std::move(settings), std::move(write));
}

// As far as `stage` has it.
inline Session session(Stage stage, const std::vector<std::string>& recipients = {"bob@own.example"}) {
  Session session;
  Connection& connection = session.connection;
  connection.client_ip = "192.0.2.10";
  connection.client_port = 4000;
  connection.server_ip = "198.51.100.1";
  connection.server_port = 25;
  const base::WallTime now = *base::parse_rfc3339("2026-11-21T20:15:00.500000Z");
  connection.time = now;
  if (stage >= Stage::Helo) session.helo("mx.client.example");
  if (stage >= Stage::Mail) session.mail("ann@client.example", "ID1", now);
  if (stage >= Stage::Rcpt)
    for (const std::string& recipient : recipients) session.rcpt(recipient, now);
  if (stage >= Stage::Preq) (void)session.message(base::Blob::of_octets(std::string(kMessage)));
  return session;
}

// What is wrong with the rules, one a line: "2:3: error: text".
inline std::string mistakes(const RuleSet& rules) {
  std::string out;
  for (const vsl::Diagnostic& one : rules.diagnostics().all()) {
    const vsl::Location at = rules.sources().has(one.span.source) ? rules.sources().locate(one.span) : vsl::Location{};
    out += std::to_string(at.line) + ":" + std::to_string(at.column) + (one.severity == vsl::Severity::Error ? ": error: " : ": warning: ") + one.message + "\n";
  }
  return out;
}

inline std::shared_ptr<const RuleSet> load(std::string text, Site on = site()) { return RuleSet::of_text("test.vsl", std::move(text), std::move(on)); }

// "deny 550 5.7.1 not you": status and what the client is told, if that is not the standard reply.
inline std::string run(const RuleSet& rules, Session& session, Stage stage) {
  if (!rules.is_usable()) return "ERROR " + mistakes(rules);
  const StageResult result = run_stage(rules, session, stage);
  const Effect effect = effect_of(stage, result, rules.site().deny_closes);
  return std::string(name_of(status_of(result.status).kind)) + (effect.reply ? " " + effect.reply->words() : "");
}

// A script whose top level declares things and whose rule asks one question: "true", "false" or what went wrong.
inline std::string ask(Stage stage, const std::string& declarations, const std::string& question, Session& session, Site on = site()) {
  const auto rules = load(declarations + "\n#{ " + std::string(name_of(stage)) + ": [ rule \"asked\" || { let answer = " + question +
                              "; if answer == true { return accept(); } if answer == false { return deny(\"554 false\"); } return info(`499 ${answer}`) } ] }",
                          std::move(on));
  if (!rules->is_usable()) return "ERROR " + mistakes(*rules);
  const StageResult result = run_stage(*rules, session, stage);
  if (!result.failure.empty()) return result.failure.substr(result.failure.find(".vsl:"));
  if (result.status.kind == Skip::Kind::Accept) return "true";
  return result.status.kind == Skip::Kind::Deny ? "false" : result.status.reply.substr(4);
}

}  // namespace rules::testing
