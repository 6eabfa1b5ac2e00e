#include "smtpd/policy_rounds.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lib/base/log.h"
#include "lib/base/text.h"

namespace smtpd {
namespace {

using Kind = chain::PolicyAction::Kind;
using smtp::Stage;

struct StageName {
  std::string_view name;
  Stage stage;
};
constexpr auto kStageNames = std::to_array<StageName>({
    {"connect", Stage::Connect}, {"helo", Stage::Helo}, {"auth", Stage::Auth}, {"mail", Stage::Mail}, {"rcpt", Stage::Rcpt}, {"data", Stage::Data},
});
constexpr std::string_view kAll = "all";
constexpr unsigned kStandardStages = bit(Stage::Connect) | bit(Stage::Helo) | bit(Stage::Mail) | bit(Stage::Rcpt) | bit(Stage::Data);

std::string_view name_of(Stage stage) { return std::ranges::find(kStageNames, stage, &StageName::stage)->name; }

base::Result<unsigned> parse_stages(std::string_view names) {
  unsigned stages = 0;
  for (const auto name : base::text::split(names, ',')) {
    if (name == kAll) {
      stages |= kStandardStages | bit(Stage::Auth);
      continue;
    }
    const auto row = std::ranges::find(kStageNames, name, &StageName::name);
    if (row == kStageNames.end())
      return base::fail(base::Fault::Config, "smtp.policy: '" + std::string(name) + "' is no stage; expected: connect, helo, auth, mail, rcpt, data or all");
    stages |= bit(row->stage);
  }
  return stages;
}

// Those of an answer, which are not about who may log in. A name that is none of ours is for somebody else.
unsigned stages_among(std::string_view names) {
  unsigned stages = 0;
  for (const auto name : base::text::split(names, ','))
    if (const auto row = std::ranges::find(kStageNames, name, &StageName::name); row != kStageNames.end()) stages |= bit(row->stage);
  return stages;
}

// "rcpt=unix:/run/policy". A '=' elsewhere belongs to a path or an argument.
base::Result<Policy> parse_one(chain::Words words) {
  Policy policy{std::move(words), kStandardStages};
  auto& first = policy.words.front();
  const auto equals = first.find('=');
  const bool has_stages = equals != std::string::npos && std::ranges::all_of(first.substr(0, equals), [](char c) { return c == ',' || (c >= 'a' && c <= 'z'); });
  if (has_stages) {
    const auto stages = parse_stages(std::string_view(first).substr(0, equals));
    if (!stages) return std::unexpected(stages.error());
    policy.stages = *stages;
    first.erase(0, equals + 1);
  }
  if (first.empty()) return base::fail(base::Fault::Config, "smtp.policy: a policy without a name");
  if (const auto checked = chain::check_policy(policy.words); !checked) return base::fail(base::Fault::Config, "smtp.policy: " + checked.error().cause);
  return policy;
}

}  // namespace

unsigned PolicyConfiguration::stages() const {
  unsigned stages = 0;
  for (const auto& policy : policies) stages |= policy.stages;
  return stages;
}

base::Result<std::vector<Policy>> PolicyConfiguration::parse(const chain::Words& words) {
  std::vector<Policy> policies;
  for (auto at = words.begin(); at != words.end();) {
    const auto end = std::find(at, words.end(), "--");
    if (at == end) return base::fail(base::Fault::Config, "smtp.policy: nothing between two --");
    auto policy = parse_one({at, end});
    if (!policy) return std::unexpected(policy.error());
    policies.push_back(std::move(*policy));
    at = end == words.end() ? end : end + 1;
  }
  return policies;
}

PolicyRounds::Learnt PolicyRounds::nothing_learnt(const PolicyConfiguration& configuration) {
  Learnt learnt;
  learnt.states.resize(configuration.policies.size());
  for (const auto& policy : configuration.policies) learnt.stages.push_back(policy.stages);
  return learnt;
}

void PolicyRounds::begin(Stage stage, std::string instance) {
  instance_ = std::move(instance);
  if (stage == Stage::Helo) before_.effects = lasting_;
  if (stage == Stage::Helo || stage == Stage::Auth || stage == Stage::Mail) now_ = before_;
  stage_ = stage;
  next_ = 0;
  is_under_way_ = true;
  verdict_ = {};
  defer_if_permit_.clear();
  defer_if_reject_.clear();
  skip();
}

// To the next one that is for this stage.
void PolicyRounds::skip() {
  while (next_ < now_.stages.size() && (now_.stages[next_] & bit(stage_)) == 0) ++next_;
}

const Policy* PolicyRounds::policy() const { return next_ < configuration_.policies.size() ? &configuration_.policies[next_] : nullptr; }

void PolicyRounds::take(const base::Result<chain::PolicyAttributes>& answer) {
  static const chain::PolicyAttributes kNone;
  const std::string_view* action = answer ? chain::find(*answer, "action") : nullptr;
  base::Result<chain::PolicyAction> parsed = action != nullptr ? chain::parse_action(*action) : base::fail(base::Fault::Temporary, "an answer without action=");
  if (!answer) parsed = std::unexpected(answer.error());
  if (!parsed) {
    // What a policy that was shown a password says instead of an action is nothing for a log.
    const std::string cause = stage_ == Stage::Auth && answer ? "an answer without an action that can be meant" : parsed.error().cause;
    base::log::warning("policy failed", {{"id", instance_}, {"policy", policy()->words.front()}, {"stage", name_of(stage_)}, {"client", client_}, {"cause", cause}});
    verdict_.has_failed = true;
    if (stage_ == Stage::Auth) return refuse_for_failure();
    return apply(configuration_.when_it_fails, kNone);
  }
  if (const auto* state = chain::find(*answer, "state")) now_.states[next_] = *state;
  if (const auto* stages = chain::find(*answer, "stages")) now_.stages[next_] = policy()->stages & (stages_among(*stages) | bit(Stage::Auth));
  apply(*parsed, *answer);
}

void PolicyRounds::apply(const chain::PolicyAction& action, const chain::PolicyAttributes& attributes) {
  auto& effects = now_.effects;
  bool is_decided = false;
  switch (action.kind) {
    case Kind::Dunno: break;
    case Kind::Ok:
      is_decided = verdict_.has_decided = true;
      if (const auto* keys = chain::find(attributes, "keys"); keys != nullptr) verdict_.keys = *keys;
      break;
    case Kind::Refuse: {
      const auto* close = chain::find(attributes, "close");
      refuse(action.text, close != nullptr && *close == "yes");
      is_decided = true;
      break;
    }
    case Kind::DeferIfPermit: defer_if_permit_ = action.text; break;
    case Kind::DeferIfReject: defer_if_reject_ = action.text; break;
    case Kind::Discard:
      effects.discards = true;
      is_decided = true;
      note(false, "policy discards", action.text);
      break;
    case Kind::Hold: effects.hold = action.text.empty() ? "a policy wants it" : action.text; break;
    case Kind::Prepend: effects.fields.push_back(action.text); break;
    case Kind::Redirect: effects.redirect = action.text; break;
    case Kind::Copy: effects.copies.push_back(action.text); break;
    case Kind::Filter: effects.filter = action.text; break;
    case Kind::Info: note(false, "policy says", action.text); break;
    case Kind::Warn: note(true, "policy warns", action.text); break;
  }
  if (const auto* reply = chain::find(attributes, "reply"); verdict_.accepts && reply != nullptr) verdict_.reply = *reply;
  next_ = is_decided ? configuration_.policies.size() : next_ + 1;
  skip();
}

void PolicyRounds::refuse(std::string reply, bool closes) {
  const bool is_softened = !defer_if_reject_.empty() && reply.starts_with('5');
  // 421 and 521 say that the connection is closed (RFC 5321 section 3.8, RFC 7504).
  closes |= reply.starts_with("421") || reply.starts_with("521");
  verdict_ = {.accepts = false, .closes = closes && !is_softened, .reply = is_softened ? defer_if_reject_ : std::move(reply), .has_decided = true, .has_failed = false, .keys = {}};
}

// Nobody else is asked: who is there stays unknown.
void PolicyRounds::refuse_for_failure() {
  verdict_.accepts = false;
  next_ = configuration_.policies.size();
}

void PolicyRounds::note(bool is_warning, std::string_view what, std::string_view text) const {
  const auto level = is_warning ? base::log::Level::Warning : base::log::Level::Info;
  base::log::write(level, what, std::vector<base::log::Field>{{"id", instance_}, {"policy", policy()->words.front()}, {"stage", name_of(stage_)}, {"client", client_}, {"text", text}});
}

// What this round has added stays, whatever name the client greets with later.
void PolicyRounds::keep_effects() {
  const auto &before = before_.effects, &now = now_.effects;
  const auto append_new = [](std::vector<std::string>& kept, const std::vector<std::string>& old, const std::vector<std::string>& all) {
    kept.insert(kept.end(), all.begin() + static_cast<std::ptrdiff_t>(old.size()), all.end());
  };
  append_new(lasting_.fields, before.fields, now.fields);
  append_new(lasting_.copies, before.copies, now.copies);
  if (now.hold != before.hold) lasting_.hold = now.hold;
  if (now.redirect != before.redirect) lasting_.redirect = now.redirect;
  if (now.filter != before.filter) lasting_.filter = now.filter;
  if (now.discards != before.discards) lasting_.discards = now.discards;
}

PolicyVerdict PolicyRounds::finish() {
  is_under_way_ = false;
  if (verdict_.accepts && !defer_if_permit_.empty()) refuse(defer_if_permit_, false);
  if (stage_ == Stage::Connect) lasting_ = now_.effects;
  if (stage_ == Stage::Auth) keep_effects();
  if (stage_ < Stage::Mail) before_ = now_;
  return std::exchange(verdict_, {});
}

std::string_view PolicyRounds::state_of_message() const {
  const auto& states = now_.states;
  const auto last = std::ranges::find_if(states.rbegin(), states.rend(), [](const auto& state) { return !state.empty(); });
  return last == states.rend() ? std::string_view() : std::string_view(*last);
}

}  // namespace smtpd
