#include "vsl-filter/serving/message_filter.h"

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/chain/context.h"
#include "lib/chain/envelope.h"
#include "lib/queue/id.h"
#include "vsl-filter/transaction/context_json.h"
#include "vsl-filter/serving/credentials.h"
#include "vsl-filter/serving/delegation_return.h"
#include "vsl-filter/stages/effects.h"
#include "vsl-filter/transaction/state_token.h"

namespace rules {
namespace {

using chain::Answer;

// A caller that is no smtpd of ours tells of the client in the environment only (UCSPI, qmail-spp).
void read_environment(Connection& connection, const chain::Words& environment) {
  const auto value = [&](std::string_view name) -> std::string_view {
    for (const std::string& variable : environment)
      if (variable.size() > name.size() && variable.starts_with(name) && variable[name.size()] == '=') return std::string_view(variable).substr(name.size() + 1);
    return {};
  };
  const auto port = [&](std::string_view name) { return base::text::parse_number<std::uint16_t>(value(name)).value_or(0); };
  connection.client_ip = value("TCPREMOTEIP");
  connection.client_port = port("TCPREMOTEPORT");
  connection.server_ip = value("TCPLOCALIP");
  connection.server_port = port("TCPLOCALPORT");
  connection.server_name = value("TCPLOCALHOST");
  connection.helo = value("SMTPHELOHOST");
  if (const auto user = value("SMTPAUTHUSER"); !user.empty()) {
    connection.credentials = credentials_of(value("SMTPAUTHMETHOD"), user);
    connection.is_authenticated = true;
  }
  if (const auto protocol = value("SSL_PROTOCOL"); !protocol.empty()) {
    connection.tls = TlsFacts{std::string(protocol), std::string(value("SSL_CIPHER")), {}, {}};
    connection.is_secured = true;
  }
}

// What a message gets that comes without a name and a time.
struct Birth {
  base::WallTime now;
  std::string id;
};

base::Result<Session> session_of(const RuleSet& rules, const chain::Call& call, const GivenContext& context, const mail::Envelope& envelope, const Birth& birth) {
  Session session;
  const auto& now = birth.now;
  session.connection.time = now;
  read_environment(session.connection, call.environment);
  if (session.connection.server_name.empty()) session.connection.server_name = rules.site().domain;
  from_context(session, context);
  apply_envelope(session, envelope);
  if (const auto state = context.text("state"); !state.empty())  // what the stages of the session have learnt
    if (const auto read = from_state(session, state); !read) return std::unexpected(read.error());
  auto& transaction = *session.transaction();
  if (transaction.message_id.empty()) transaction.message_id = birth.id;
  if (transaction.time == base::WallTime{}) transaction.time = now;
  if (const auto taken = session.message(call.message); !taken) return std::unexpected(taken.error());
  return session;
}

Answer failed(const base::Error& error) {
  base::log::error("failed", {{"cause", error.cause}});
  return Answer::exit(base::exit_row(error.fault).in_chain);
}

Answer refused(const Reply& reply) {
  return Answer::as_reported(reply.code < 500 ? base::Fault::Temporary : base::Fault::Permanent, reply.words());
}

// Behind the queue nothing is written when nothing has changed. Contexts of smtpd have another form than ours, with the same meaning.
bool is_same_context(const RuleSet& rules, const chain::Call& call, const GivenContext& given, const mail::Envelope& envelope, const Birth& birth, const std::string& context) {
  if (context == call.context) return true;
  const auto untouched = session_of(rules, call, given, envelope, birth);
  return untouched && context == to_context(*untouched, {.reader = ContextForm::For::Chain}, given);
}

// On to the next program, with what is different.
Answer passed(const RuleSet& rules, const Session& session, const chain::Call& call, const GivenContext& given, const mail::Envelope& before, const Birth& birth, Stage stage) {
  const auto& transaction = *session.transaction();
  Answer answer = Answer::pass();
  if (transaction.message->is_changed()) {
    const base::BlobWriter::Limits limits;
    auto message = transaction.message->finish(limits);
    if (!message) return failed(message.error());
    answer.message = std::move(*message);
  }
  const auto after = envelope_of(transaction);
  if (after.recipients.empty()) {
    base::log::info("discarded", {{"id", transaction.message_id}, {"cause", "the rules left no recipient"}});
    return Answer::taken("250 2.0.0 Ok");
  }
  if (after.reverse_path != before.reverse_path || after.recipients != before.recipients) answer.envelope = chain::to_octets(after);
  std::string context = to_context(session, {.reader = ContextForm::For::Chain}, given);
  if (has_client(stage) || !is_same_context(rules, call, given, before, birth, context)) answer.context = std::move(context);
  return answer;
}

}  // namespace

Stage stage_of_call(const chain::Call& call) {
  const auto stage = stage_of(chain::stage_in(call.context));
  return stage && !has_client(*stage) ? *stage : Stage::Preq;
}

Answer filter_message(const RuleSet& rules, const chain::Invocation& invocation, Stage stage, Trace* trace) {
  const chain::Call& call = invocation.call;
  const auto envelope = chain::parse_envelope(call.envelope);
  if (!envelope) return failed(envelope.error());
  // Most messages of a queue come to rules that have nothing to do at its stages.
  const bool is_idle = !has_client(stage) && rules.directives(stage).empty() && !call.context.contains("\"released\"");
  if (is_idle) return Answer::pass();
  const auto given = GivenContext::parse(call.context);
  if (!given) return failed(given.error());
  const Birth birth{rules.site().now(), queue::Id::make(rules.site().now()).string()};
  auto session = session_of(rules, call, *given, *envelope, birth);
  if (!session) return failed(session.error());
  if (const auto* service = stage == Stage::Preq ? rules.receiver_of(session->connection) : nullptr; service != nullptr) {
    const auto taken = take_return(rules, *service, *session);
    if (!taken) base::log::warning("not taken back", {{"client", session->connection.client_ip}, {"service", service->name()}, {"reply", taken.error()}});
    return taken ? passed(rules, *session, call, *given, *envelope, birth, stage) : Answer::as_reported(base::Fault::Permanent, taken.error());
  }
  if (!has_client(stage)) session->release();
  const std::string id = session->transaction()->message_id;
  const LogSubject subject(id);
  const auto result = run_stage(rules, *session, stage, trace);
  const auto effect = effect_of(stage, result, rules.site().deny_closes);
  const auto& transaction = *session->transaction();
  const std::string_view status = name_of(result.status.kind);
  // A stage whose rules had nothing to say is no news.
  const auto level = result.directive.empty() ? base::log::Level::Debug : base::log::Level::Info;
  if (base::log::enabled(level)) base::log::write(level, "rules", {{"id", transaction.message_id}, {"stage", name_of(stage)}, {"status", status}, {"directive", result.directive}});
  switch (effect.fate) {
    case Fate::Drop:
      // info("250 ..."): the client is content, and nothing is kept.
      if (effect.reply && !effect.reply->is_refusal()) {
        base::log::info("discarded", {{"id", transaction.message_id}, {"directive", result.directive}, {"reply", effect.reply->words()}});
        return Answer::taken(effect.reply->words());
      }
      return refused(effect.reply.value_or(Reply{451, "4.3.0", "Requested action aborted: local error in processing"}));
    // Nobody but the queue hears it, which keeps it for its operator.
    case Fate::Defer: return Answer::as_reported(base::Fault::Temporary, "451 4.3.0 " + result.failure);
    case Fate::GoOn:
    case Fate::Deliver:
    case Fate::Quarantine:
    case Fate::Dead: break;
  }
  if (effect.fate == Fate::Dead) session->transaction()->recipients.fail_all(effect.reason, rules.site().now());
  return passed(rules, *session, call, *given, *envelope, birth, stage);
}

}  // namespace rules
