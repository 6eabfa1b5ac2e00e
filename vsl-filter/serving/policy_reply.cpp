#include "vsl-filter/serving/policy_reply.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/chain/policy.h"
#include "lib/queue/id.h"
#include "vsl-filter/serving/credentials.h"
#include "vsl-filter/stages/effects.h"
#include "vsl-filter/stages/stages.h"
#include "vsl-filter/transaction/state_token.h"

namespace rules {
namespace {

using chain::Answer;

struct StateRow {
  std::string_view protocol_state;
  Stage stage;
};
constexpr auto kStates = std::to_array<StateRow>({
    {"CONNECT", Stage::Connect}, {"HELO", Stage::Helo}, {"EHLO", Stage::Helo}, {"AUTH", Stage::Authenticate}, {"MAIL", Stage::Mail},
    {"RCPT", Stage::Rcpt}, {"DATA", Stage::Data}, {"END-OF-MESSAGE", Stage::Data},
});

const Reply kLocalError{451, "4.3.0", "Requested action aborted: local error in processing"};

// The attributes by name. A few dozen names are looked for in each question, and most are not there: a table of places by a small hash
// tells of nearly all of them without a search.
class Question {
 public:
  explicit Question(chain::PolicyAttributes attributes) : attributes_(std::move(attributes)) {
    for (std::size_t i = attributes_.size(); i > 0; --i) {
      auto& place = places_[place_of(attributes_[i - 1].name)];
      place = place == kNone && i - 1 < kShared ? static_cast<std::uint8_t>(i - 1) : kShared;
    }
    const auto row = std::ranges::find(kStates, (*this)["protocol_state"], &StateRow::protocol_state);
    if (row != kStates.end()) stage_ = row->stage;
  }

  [[nodiscard]] const std::string_view* find(std::string_view name) const {
    const auto place = places_[place_of(name)];
    if (place == kNone) return nullptr;
    if (place == kShared) return chain::find(attributes_, name);
    return attributes_[place].name == name ? &attributes_[place].value : nullptr;
  }
  [[nodiscard]] std::string_view operator[](std::string_view name) const {
    const auto* value = find(name);
    return value == nullptr ? std::string_view() : *value;
  }
  // Only smtpd hands the state back, and takes more than an action.
  [[nodiscard]] bool is_ours() const { return find("state") != nullptr; }
  // VRFY and ETRN: about no message.
  [[nodiscard]] bool is_aside() const { return (*this)["protocol_state"] == "VRFY" || (*this)["protocol_state"] == "ETRN"; }
  [[nodiscard]] bool is_at_end() const { return (*this)["protocol_state"] == "END-OF-MESSAGE"; }
  [[nodiscard]] std::optional<Stage> stage() const { return stage_; }

 private:
  static constexpr std::uint8_t kNone = 255, kShared = 254;  // kShared: several names have this place
  static constexpr std::size_t place_of(std::string_view name) {
    if (name.empty()) return 0;
    const auto hash = name.size() * 7 + static_cast<unsigned char>(name.front()) * 3U + static_cast<unsigned char>(name.back()) + static_cast<unsigned char>(name[name.size() / 2]) * 5U;
    return hash & 127U;
  }
  static constexpr auto kNoPlaces = [] {
    std::array<std::uint8_t, 128> places{};
    places.fill(kNone);
    return places;
  }();
  chain::PolicyAttributes attributes_;
  std::array<std::uint8_t, 128> places_ = kNoPlaces;
  std::optional<Stage> stage_;
};

void read_connection(const Question& question, Connection& connection, const Site& site) {
  const auto port = [&](std::string_view name) { return base::text::parse_number<std::uint16_t>(question[name]).value_or(0); };
  connection.client_ip = question["client_address"];
  connection.client_port = port("client_port");
  connection.server_ip = question["server_address"];
  connection.server_port = port("server_port");
  if (const auto name = question["server_name"]; !name.empty()) connection.server_name = name;
  if (connection.server_name.empty()) connection.server_name = site.domain;
  if (connection.time == base::WallTime{}) connection.time = site.now();
  if (const auto helo = question["helo_name"]; !helo.empty()) connection.helo = helo;
  if (question.stage() == Stage::Authenticate) {
    connection.credentials = credentials_asked([&](std::string_view name) { return question[name]; });
  } else if (const auto method = question["sasl_method"], user = question["sasl_username"]; !method.empty() || !user.empty()) {
    connection.credentials = credentials_of(method, user);
    connection.is_authenticated = true;
  }
  auto& standing = connection.standing;
  standing.client = counts_of(question["client_counts"]);
  standing.network = counts_of(question["network_counts"]);
  if (const auto reputation = question["client_reputation"]; !reputation.empty()) standing.reputation = reputation;
  standing.dnsbl_score = base::text::parse_number<std::int64_t>(question["dnsbl_score"]).value_or(0);
  standing.dnsbl_lists.clear();
  base::text::for_words(question["dnsbl_lists"], [&](std::string_view list) { standing.dnsbl_lists.emplace_back(list); });
  standing.is_early_talker = question["early_talker"] == "yes";
  standing.is_stressed = question["stress"] == "yes";
  if (const auto protocol = question["encryption_protocol"]; !protocol.empty()) {
    connection.tls = TlsFacts{std::string(protocol), std::string(question["encryption_cipher"]), {}, std::string(question["ccert_subject"])};
    connection.is_secured = true;
  }
}

// What the caller calls the message, or its client before there is one.
std::string_view name_of_subject(const Question& question) {
  const auto id = question["queue_id"];
  return id.empty() ? question["instance"] : id;
}

void begin_transaction(Session& session, const Question& question, base::WallTime now) {
  const auto id = name_of_subject(question);
  session.mail(std::string(question["sender"]), is_message_id(id) ? std::string(id) : queue::Id::make(now).string(), now);
}

// What was said and decided so far, up to the first refusal.
struct Decision {
  Effect effect;
  StageResult result;
  Stage stage = Stage::Connect;
  [[nodiscard]] bool refuses() const { return effect.closes || (effect.reply && effect.reply->is_refusal()); }
};

class Asked {
 public:
  Asked(const RuleSet& rules, const Question& question, AskedSession& asked) : rules_(rules), question_(question), asked_(asked) {}

  Decision decide(Stage stage) {
    Decision decision = decide_before(stage);
    if (decision.refuses()) return decision;
    if (stage == Stage::Data && has_lone_recipient()) decision = run(Stage::Rcpt);
    if (decision.refuses()) return decision;
    decision.stage = stage;
    if (question_.is_at_end() && has(asked_.ran, Stage::Data)) return decision;  // they have run
    return run(stage);
  }

  // What connect and helo have to say; a transaction that is under way is none of its business.
  Decision decide_aside() {
    Decision decision = decide_before(Stage::Mail);
    if (decision.refuses() || !asked_.session.skip().finishes()) return decision;
    decision.result.status = asked_.session.skip();
    decision.result.was_skipped = true;
    decision.effect = effect_of(Stage::Helo, decision.result, rules_.site().deny_closes);
    return decision;
  }

 private:
  // A server may ask at later stages only: the rules of the earlier ones come first.
  Decision decide_before(Stage stage) {
    if (!std::exchange(asked_.knows_question, false)) read_connection(question_, asked_.session.connection, rules_.site());
    Decision decision;
    for (const auto earlier : {Stage::Connect, Stage::Helo, Stage::Mail}) {
      if (earlier >= stage) break;
      if (earlier == Stage::Mail ? has_transaction() : has(asked_.ran, earlier)) continue;
      if (earlier == Stage::Helo && asked_.session.connection.helo.empty()) continue;
      decision = run(earlier);
      if (decision.refuses()) break;
    }
    return decision;
  }

  [[nodiscard]] bool has_transaction() {
    const auto* transaction = asked_.session.transaction();
    return transaction != nullptr && transaction->given_reverse_path == question_["sender"];
  }

  // Asked at DATA for the first time, where Postfix names the recipient if it is the only one.
  [[nodiscard]] bool has_lone_recipient() {
    const auto* transaction = asked_.session.transaction();
    return transaction != nullptr && !has(asked_.ran, Stage::Rcpt) && !question_["recipient"].empty() && !question_.is_ours();
  }

  Decision run(Stage stage) {
    Session& session = asked_.session;
    if (stage == Stage::Helo) {
      session.helo(std::string(question_["helo_name"]));
      asked_.told = {};  // Postfix forgets too, with the transaction
    }
    if (stage == Stage::Mail) begin_transaction(session, question_, rules_.site().now());
    if (stage == Stage::Rcpt) session.rcpt(std::string(question_["recipient"]), rules_.site().now());
    Decision decision;
    decision.stage = stage;
    decision.result = run_stage(rules_, session, stage);
    decision.effect = effect_of(stage, decision.result, rules_.site().deny_closes);
    asked_.ran |= only(stage);
    if (stage == Stage::Rcpt && decision.refuses()) session.refuse_rcpt();
    return decision;
  }

  const RuleSet& rules_;
  const Question& question_;
  AskedSession& asked_;
};

// A text of several lines is one in an action.
std::string action_of(const Reply& reply) {
  auto words = reply.words();
  std::ranges::replace(words, '\r', ' ');
  return words;
}

// ---- Postfix ---------------------------------------------------------------------------------------------------------------

// Postfix delays refusals (smtpd_delay_reject): at RCPT it asks for each of its lists of restrictions. For the rules that is one
// question; the later ones learn what the first had no room for.
bool is_asked_again(const Question& question, AskedSession& asked) {
  std::string now;
  for (const auto name : {"protocol_state", "sender", "recipient"}) now.append(question[name]) += '\n';
  return std::exchange(asked.last_question, now) == now;
}

std::string action_for_postfix(const Question& question, AskedSession& asked) {
  if (!asked.refusal.empty()) return asked.refusal;
  const auto before_end = question.stage() == Stage::Data ? PostfixState::Data : PostfixState::Before;
  return postfix_action(asked.session, asked.told, question.is_at_end() ? PostfixState::EndOfMessage : before_end);
}

// ---- smtpd ----------------------------------------------------------------------------------------------------------------

// "connect,rcpt": where there are rules at all. Who may log in is asked in any case.
std::string stages_of(const RuleSet& rules) {
  std::string names;
  for (const auto& row : kStages)
    if (row.stage < Stage::Preq && row.stage != Stage::Authenticate && !rules.directives(row.stage).empty()) names.append(names.empty() ? "" : ",").append(row.name);
  return names;
}

base::Result<std::string> reply_for_smtpd(const RuleSet& rules, const Question& question, const Decision& decision, const AskedSession& asked) {
  const auto state = to_state(asked.session);
  if (!state) return state;
  std::string text;
  if (decision.stage == Stage::Authenticate) {
    text = answer_at_auth([&](std::string_view name) { return question[name]; }, decision.result, decision.effect.reply);
    if (decision.effect.closes) chain::append_policy(text, "close", "yes");
  } else if (decision.refuses()) {
    chain::append_policy(text, "action", action_of(decision.effect.reply.value_or(kLocalError)));
    if (decision.effect.closes) chain::append_policy(text, "close", "yes");
  } else {
    chain::append_policy(text, "action", "DUNNO");
    if (decision.effect.reply) chain::append_policy(text, "reply", action_of(*decision.effect.reply));
  }
  chain::append_policy(text, "state", *state);
  if (question["state"].empty()) chain::append_policy(text, "stages", stages_of(rules));
  return text;
}

// What rules learnt comes as the state, what the client said in the attributes: `recipients`, those that were taken before this one.
base::Result<std::unique_ptr<AskedSession>> session_of(const RuleSet& rules, const Question& question, Stage stage, PolicyMemory& memory) {
  if (!question.is_ours()) return memory.take(std::string(question["instance"]));
  auto asked = std::make_unique<AskedSession>();
  const auto state = question["state"];
  if (state.empty()) return asked;
  Session& session = asked->session;
  read_connection(question, session.connection, rules.site());
  asked->knows_question = true;
  if (stage > Stage::Mail) {
    const auto now = rules.site().now();
    begin_transaction(session, question, now);
    base::text::for_words(question["recipients"], [&](std::string_view address) { session.rcpt(std::string(address), now); });
  }
  if (const auto read = from_state(session, state); !read) return std::unexpected(read.error());
  asked->ran = only(Stage::Connect) | only(Stage::Helo);  // smtpd asks at each stage, in its order
  return asked;
}

Answer reply(std::string text) {
  Answer answer;
  answer.report = std::move(text);
  return answer;
}

Answer reply_for_postfix(const Question& question, std::unique_ptr<AskedSession> asked, PolicyMemory& memory) {
  std::string text;
  chain::append_policy(text, "action", action_for_postfix(question, *asked));
  memory.put(std::string(question["instance"]), std::move(asked));
  return reply(std::move(text));
}

std::string refusal_of(const Decision& decision) { return decision.refuses() ? action_of(decision.effect.reply.value_or(kLocalError)) : ""; }

// Of VRFY and ETRN Postfix takes a yes or a no.
Answer reply_aside(const RuleSet& rules, const Question& question, PolicyMemory& memory) {
  const std::string instance(question["instance"]);
  auto asked = memory.take(instance);
  const auto refusal = refusal_of(Asked(rules, question, *asked).decide_aside());
  memory.put(instance, std::move(asked));
  std::string text;
  chain::append_policy(text, "action", refusal.empty() ? "DUNNO" : refusal);
  return reply(std::move(text));
}

Answer failed(std::string_view cause) {
  base::log::error("question without an answer", {{"cause", cause}});
  return Answer::exit(base::exit_row(base::Fault::Temporary).in_chain);
}

}  // namespace

std::unique_ptr<AskedSession> PolicyMemory::take(const std::string& instance) {
  const std::lock_guard lock(mutex_);
  const auto known = by_instance_.find(instance);
  if (instance.empty() || known == by_instance_.end()) return std::make_unique<AskedSession>();
  auto session = std::move(known->second->session);
  recent_.erase(known->second);
  by_instance_.erase(known);
  return session;
}

void PolicyMemory::put(const std::string& instance, std::unique_ptr<AskedSession> session) {
  if (instance.empty()) return;
  const std::lock_guard lock(mutex_);
  if (const auto known = by_instance_.find(instance); known != by_instance_.end()) {
    recent_.erase(known->second);
    by_instance_.erase(known);
  }
  recent_.push_front({instance, std::move(session)});
  by_instance_[instance] = recent_.begin();
  if (recent_.size() <= kMost) return;
  by_instance_.erase(recent_.back().instance);
  recent_.pop_back();
}

Answer answer_question(const RuleSet& rules, const std::string& text, PolicyMemory& memory) {
  auto attributes = chain::parse_policy(text);
  if (!attributes) return failed(attributes.error().cause);
  const Question question(std::move(*attributes));
  if (question["request"] != "smtpd_access_policy") return failed("request=" + std::string(question["request"]) + "; expected: smtpd_access_policy");
  const LogSubject subject(name_of_subject(question));
  if (question.is_aside()) return reply_aside(rules, question, memory);
  const auto stage = question.stage();
  if (!stage) return reply("action=DUNNO\n");  // what comes after us
  auto asked = session_of(rules, question, *stage, memory);
  if (!asked) return failed(asked.error().cause);
  if (!question.is_ours() && is_asked_again(question, **asked)) return reply_for_postfix(question, std::move(*asked), memory);
  const auto decision = Asked(rules, question, **asked).decide(*stage);
  // A stage whose rules had nothing to say is no news.
  const auto level = decision.result.directive.empty() ? base::log::Level::Debug : base::log::Level::Info;
  if (base::log::enabled(level))
    base::log::write(level, "rules", {{"id", name_of_subject(question)}, {"stage", name_of(decision.stage)}, {"client", question["client_address"]}, {"from", question["sender"]}, {"to", question["recipient"]},
                                      {"status", name_of(decision.result.status.kind)}, {"directive", decision.result.directive}});
  if (question.is_ours()) {
    auto reply_text = reply_for_smtpd(rules, question, decision, **asked);
    return reply_text ? reply(std::move(*reply_text)) : failed(reply_text.error().cause);
  }
  (*asked)->refusal = refusal_of(decision);
  return reply_for_postfix(question, std::move(*asked), memory);
}

}  // namespace rules
