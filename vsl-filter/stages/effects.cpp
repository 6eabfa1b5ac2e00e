#include "vsl-filter/stages/effects.h"

#include <algorithm>
#include <array>

namespace rules {

namespace {

using StatusKind = Skip::Kind;

// Replies of appendix D that statuses stand for.
Reply auth_succeeded() { return {235, "2.7.0", "Authentication succeeded"}; }
Reply auth_failed() { return {535, "5.7.8", "Authentication credentials invalid"}; }

enum class Say : std::uint8_t {
  Standard,     // what the server says when all is well
  OwnIfGood,    // the rule's reply, if it is a positive one for this stage
  Own,          // the rule's reply, whatever it is
  Denied,       // the rule's reply, else 554
  Succeeded,    // the rule's reply if it is positive, else 235
  NotLoggedIn,  // the rule's reply if it is a refusal, else 535
  Nothing,      // there is no client
};
struct Cell {
  Say say;
  bool advances;
  bool closes;
  Fate fate;
};

constexpr Cell kPass{Say::Standard, true, false, Fate::GoOn};
constexpr Cell kAccept{Say::OwnIfGood, true, false, Fate::GoOn};
constexpr Cell kDeny{Say::Denied, false, true, Fate::Drop};
constexpr Cell kSoft{Say::Own, false, false, Fate::GoOn};
constexpr Cell kDropped{Say::Own, false, false, Fate::Drop};
constexpr Cell kRemark{Say::Own, true, false, Fate::GoOn};
constexpr Cell kLoggedIn{Say::Succeeded, true, false, Fate::GoOn};
constexpr Cell kLogInFailed{Say::NotLoggedIn, false, false, Fate::GoOn};
constexpr Cell kLogInDenied{Say::NotLoggedIn, false, true, Fate::Drop};
constexpr Cell kAtOnce{Say::Standard, true, false, Fate::Deliver};
constexpr Cell kStored{Say::Standard, true, false, Fate::Quarantine};
constexpr Cell kQueued{Say::Nothing, true, false, Fate::GoOn};
constexpr Cell kQueuedFast{Say::Nothing, true, false, Fate::Deliver};
constexpr Cell kDead{Say::Nothing, true, false, Fate::Dead};
constexpr Cell kKept{Say::Nothing, true, false, Fate::Quarantine};

struct EffectRow {
  Stage stage;
  int positive;  // code of a positive reply
  Cell next, accept, faccept, deny, info, quarantine;
};
constexpr auto kEffects = std::to_array<EffectRow>({
    //  stage                    next          accept     faccept      deny          info          quarantine
    {Stage::Connect, 220, kPass, kAccept, kAccept, kDeny, kRemark, kPass},
    {Stage::Helo, 250, kPass, kAccept, kAccept, kDeny, kSoft, kPass},
    {Stage::Authenticate, 235, kLogInFailed, kLoggedIn, kLoggedIn, kLogInDenied, kSoft, kLogInFailed},
    {Stage::Mail, 250, kPass, kAccept, kAccept, kDeny, kSoft, kPass},
    {Stage::Rcpt, 250, kPass, kAccept, kAccept, kDeny, kSoft, kPass},
    {Stage::Data, 354, kPass, kAccept, kAccept, kDeny, kSoft, kPass},
    {Stage::Preq, 250, kPass, kAccept, kAtOnce, kDeny, kDropped, kStored},
    {Stage::Postq, 0, kQueued, kQueued, kQueuedFast, kDead, kQueued, kKept},
    {Stage::Delivery, 0, kQueued, kQueued, kQueued, kDead, kQueued, kKept},
});
static_assert(std::ranges::is_sorted(kEffects, {}, &EffectRow::stage) && kEffects.size() == kStages.size(), "found by number");

const Cell& cell_of(const EffectRow& row, StatusKind kind) {
  switch (kind) {
    case StatusKind::Accept: return row.accept;
    case StatusKind::Faccept: return row.faccept;
    case StatusKind::Deny: return row.deny;
    case StatusKind::Info: return row.info;
    case StatusKind::Quarantine: return row.quarantine;
    case StatusKind::None: case StatusKind::Next: case StatusKind::Delegated: case StatusKind::DelegationResult: break;
  }
  return row.next;
}

bool is_positive(const std::optional<Reply>& reply, int standard) {
  if (!reply) return false;
  return standard == 250 ? reply->code / 100 == 2 : reply->code == standard;
}

std::optional<Reply> reply_of(const EffectRow& row, const Cell& cell, const StageResult& result) {
  const auto own = rules::reply_of(result.status);
  switch (cell.say) {
    case Say::OwnIfGood:
      // What an earlier stage answered does not answer this one.
      if (!result.was_skipped && is_positive(own, row.positive)) return own;
      return std::nullopt;
    case Say::Own: case Say::Denied: return own;
    case Say::Succeeded: return !result.was_skipped && is_positive(own, row.positive) ? *own : auth_succeeded();
    case Say::NotLoggedIn: return !result.status.reply.empty() && own && own->is_refusal() ? *own : auth_failed();
    case Say::Standard: case Say::Nothing: break;
  }
  return std::nullopt;
}

}  // namespace

Effect effect_of(Stage stage, const StageResult& result, bool deny_closes) {
  const EffectRow& row = kEffects[static_cast<std::size_t>(stage)];
  const Cell& cell = cell_of(row, result.status.kind);
  Effect effect{.reply = reply_of(row, cell, result), .advances = cell.advances, .closes = cell.closes, .fate = cell.fate, .reason = {}};
  if (result.is_deferred && !has_client(stage)) effect.fate = Fate::Defer;
  if (stage == Stage::Rcpt && result.status.kind == Skip::Kind::Deny && !result.was_skipped && !deny_closes) effect.closes = false;
  if (effect.fate == Fate::Dead)
    effect.reason = "rule engine denied the message in " + std::string(name_of(stage)) + ": " + rules::reply_of(result.status)->words();
  return effect;
}

}  // namespace rules
