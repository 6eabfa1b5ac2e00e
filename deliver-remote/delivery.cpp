#include "deliver-remote/delivery.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "lib/base/log.h"
#include "lib/base/text.h"

namespace remote {

using Class = Verdict::Class;
using State = smtp::ClientSession::State;

Delivery::Delivery(net::dns::Resolver& resolver, ConnectionPool& pool, HostMemory& hosts, TlsJournal& journal, StsClient* sts, const Options& options, Job job, Done done)
    : resolver_(resolver), pool_(pool), hosts_(hosts), journal_(journal), sts_(sts), options_(options), job_(std::move(job)), done_(std::move(done)), pending_(job_.recipients.size()), outcomes_(job_.recipients.size()) {
  std::iota(pending_.begin(), pending_.end(), std::size_t{0});
}

Delivery::~Delivery() {
  if (sts_question_ != 0) sts_->cancel(sts_question_);
}

void Delivery::start() {
  if (job_.target.kind == Target::Kind::Address) return on_route(std::vector{Candidate{"", job_.target.address, true}});
  if (asks_sts()) sts_question_ = sts_->ask(job_.target.name, [this](base::Result<StsPolicy> policy) { on_sts(std::move(policy)); });
  search_.emplace(resolver_, options_, job_.target, asks_tlsa(), [this](auto route) { on_route(std::move(route)); });
}

void Delivery::on_route(std::expected<std::vector<Candidate>, Verdict> route) {
  search_.reset();
  if (route && failures_.empty()) {
    candidates_ = std::move(*route);
    hosts_.put_dead_last(candidates_, pool_.now_milliseconds());
  } else if (!route) {
    failures_.push_back({std::move(route.error())});
  }
  has_route_ = true;
  begin_if_known();
}

// What the configuration demands, and REQUIRETLS, is not the header's to waive: RFC 8689 section 4.1.
bool Delivery::waives_tls() const { return !job_.requires_tls && job_.profile->tls_level < TlsLevel::Encrypt && job_.letter->waives_tls(); }

// Without a key to begin with nothing is vouched for.
bool Delivery::asks_tlsa() const { return asks_dane(job_.profile->tls_level) && !options_.dns.trust_anchor.empty() && !waives_tls(); }

// Of a destination that DNS has the hosts of, where the configuration does not say by itself what they must show.
bool Delivery::asks_sts() const {
  const auto level = job_.profile->tls_level;
  return sts_ != nullptr && job_.target.kind == Target::Kind::Domain && (level == TlsLevel::May || level == TlsLevel::Dane || level == TlsLevel::Encrypt) && !waives_tls();
}

// Who cannot be asked may know a policy: mail waits.
void Delivery::on_sts(base::Result<StsPolicy> policy) {
  sts_question_ = 0;
  if (policy) {
    sts_policy_ = std::move(*policy);
    if (!sts_policy_.failure.empty()) note_session({}, sts_policy_.failure, sts_policy_.problem);
  } else {
    failures_.push_back({our_verdict(Class::Temporary, 451, "4.7.5", policy.error().cause)});
    candidates_.clear();
  }
  begin_if_known();
}

void Delivery::begin_if_known() {
  if (has_route_ && sts_question_ == 0) try_addresses();
}

void Delivery::try_addresses() {
  for (; tried_ < candidates_.size(); ++tried_, must_be_clear_ = false) {
    const auto approach = approach_to(candidates_[tried_]);
    if (!approach.tls.obstacle.empty()) {  // RFC 7672 section 2.1.2: such a host is passed over
      failures_.push_back({our_verdict(Class::Temporary, 451, "4.7.5", approach.tls.obstacle), approach.to.text()});
      note_failure(approach.to, failures_.back().verdict);
      continue;
    }
    if (!must_connect_anew_) connection_ = pool_.take_idle(approach.key());
    if (connection_ != nullptr) {
      connection_->set_user(*this);
      return talk();
    }
    connection_ = pool_.make(approach, [this] { try_addresses(); });
    if (connection_ == nullptr) return;
    must_connect_anew_ = false;
    const auto opened = connection_->open(*this, pool_.next_turn());
    if (opened) return;
    const bool is_config = opened.error().fault == base::Fault::Config;
    failures_.push_back({our_verdict(Class::Temporary, 451, is_config ? "4.3.5" : "4.4.1", opened.error().cause), approach.to.text()});
    connection_.reset();
  }
  finish();
}

Approach Delivery::approach_to(const Candidate& to) const {
  using authn::sts::Mode;
  auto needs = tls_needs(*job_.profile, job_.target, to, job_.tls_demands);
  if (sts_policy_.mode != Mode::None && !needs.dane) {
    // A host that the policy vouches for is one that REQUIRETLS is content with: RFC 8689 section 4.2.1.
    auto demands = job_.tls_demands;
    if (sts_policy_.mode == Mode::Enforce) std::erase_if(demands, [](const TlsDemand& demand) { return demand.is_met_by_policy; });
    demands.push_back(sts_policy_.demand());
    auto with_policy = tls_needs(*job_.profile, job_.target, to, demands);
    if (sts_policy_.mode == Mode::Enforce) {
      needs = std::move(with_policy);
    } else {
      needs.trial = std::make_shared<const TlsNeeds>(std::move(with_policy));
    }
  }
  return {to, std::move(needs), job_.profile, must_be_clear_};
}

void Delivery::on_change(Connection&) { talk(); }

void Delivery::talk() {
  for (;;) {
    const auto state = connection_->session().state();
    if (state == State::Opening || state == State::Securing || state == State::Busy) return;
    if (asked_ > 0) take_verdicts();
    if (pending_.empty()) return finish();
    if (state != State::Ready) return on_lost_connection();
    if (connection_->needs().must_be_secured() && !connection_->session().is_secured())  // whatever the way that led here
      return pass_over({our_verdict(Class::Temporary, 451, "4.7.5", "TLS is required, and the connection is in clear"), connection_->text()});
    if (job_.requires_tls && connection_->session().is_secured() && !connection_->session().extensions().require_tls)
      return pass_over({our_verdict(Class::Permanent, 550, "5.7.30", "REQUIRETLS: the host does not offer it"), connection_->text()});
    hosts_.note_alive(connection_->to().address);
    note_ready();
    begin_transaction();  // may be over at once
  }
}

// RFC 8461 section 5: a policy that is only tested holds up nothing; what it would have is told.
void Delivery::note_ready() {
  if (connection_->transactions() > 0) return;
  const auto& needs = connection_->needs();
  const auto objection = connection_->trial_objection();
  if (!objection.empty()) base::log::info("MTA-STS policy in test would refuse this", {{"host", connection_->to().text()}, {"cause", objection}});
  if (needs.level == TlsLevel::None || must_be_clear_) return;  // nobody has tried, or it was noted when it failed
  if (!objection.empty()) return note_session(connection_->to(), failure_type(our_verdict(Class::Temporary, 451, "4.7.5", objection)), objection);
  note_session(connection_->to(), connection_->session().is_secured() ? "" : "starttls-not-supported", {});
}

void Delivery::note_failure(const Candidate& to, const Verdict& failure) {
  const auto type = failure_type(failure);
  if (!type.empty() && journal_.is_kept()) note_session(to, type, failure.reply.text);
}

void Delivery::note_session(const Candidate& to, std::string_view failure, const std::string& reason) {
  using authn::sts::Mode;
  if (!journal_.is_kept() || job_.target.kind != Target::Kind::Domain) return;
  authn::tlsrpt::Session session;
  session.domain = job_.target.name;
  session.policy = "no-policy-found";
  if (to.dane) {
    session.policy = "tlsa";
    for (const auto& record : to.dane->records) session.strings.push_back(record.text());
  } else if (sts_policy_.mode != Mode::None || !sts_policy_.failure.empty()) {
    session.policy = "sts";
    session.mx = sts_policy_.mx;
    if (sts_policy_.mode != Mode::None) session.strings = {"version: STSv1", "mode: " + std::string(word(sts_policy_.mode))};
    for (const auto& pattern : sts_policy_.mx) session.strings.push_back("mx: " + pattern);
  }
  session.host = to.name;
  if (to.address.is_ip()) session.ip = to.address.ip();
  if (connection_ != nullptr) session.own_ip = connection_->own_ip();
  session.failure = failure;
  session.reason = base::text::printable(reason, 200);
  journal_.note(session);
}

void Delivery::begin_transaction() {
  asked_ = std::min(pending_.size(), options_.recipients_max);
  smtp::ClientTransaction transaction;
  transaction.reverse_path = job_.reverse_path;
  for (std::size_t i = 0; i < asked_; ++i) transaction.recipients.push_back(job_.recipients[pending_[i]]);
  transaction.dsn = {job_.dsn.returns, job_.dsn.envelope_id, {}};
  if (!job_.dsn.recipients.empty())
    for (std::size_t i = 0; i < asked_; ++i) transaction.dsn.recipients.push_back(job_.dsn.recipients[pending_[i]]);
  const auto& letter = letter_for_host(transaction.why_8bit);
  transaction.message = letter.view.octets();
  transaction.needs = letter.needs;
  const auto is_trusted = [&](const net::Network& network) { return network.contains(connection_->to().address); };
  if (std::ranges::any_of(options_.xforward_hosts, is_trusted)) transaction.client = job_.client;
  transaction.all_or_nothing = job_.all_or_nothing;
  transaction.requires_tls = job_.requires_tls && connection_->session().is_secured();
  transaction.is_last = asked_ == pending_.size() && !pool_.may_be_used_again(*connection_);
  connection_->begin(std::move(transaction));
}

// For a host without 8BITMIME another message, if the settings want that and it can be done; else it is the session that refuses it.
const Letter& Delivery::letter_for_host(std::string& why_not) {
  const auto& letter = *job_.letter;
  const bool is_fit = !letter.needs.has_8bit || connection_->session().extensions().eight_bit_mime;
  if (is_fit || !options_.converts_eight_bit || letter.needs.has_utf8_header) return letter;
  if (!seven_bit_ && why_not_seven_bit_.empty()) {
    auto converted = letter.seven_bit();
    if (converted) {
      seven_bit_ = std::move(*converted);
    } else {
      why_not_seven_bit_ = std::move(converted.error());
    }
  }
  why_not = why_not_seven_bit_;
  return seven_bit_ ? *seven_bit_ : letter;
}

void Delivery::take_verdicts() {
  auto verdicts = connection_->take_verdicts();
  std::vector<std::size_t> undecided;
  for (std::size_t i = 0; i < asked_; ++i) {
    const auto recipient = pending_[i];
    if (verdicts[i].result == Class::Undecided) {
      undecided.push_back(recipient);
    } else {
      outcomes_[recipient] = {std::move(verdicts[i]), connection_->text()};
      outcomes_[recipient].reach = reach();
    }
  }
  undecided.insert(undecided.end(), pending_.begin() + static_cast<std::ptrdiff_t>(asked_), pending_.end());
  pending_ = std::move(undecided);
  asked_ = 0;
}

// Who tells the sender that it was delivered, should he want to know: RFC 3461 section 5.2. A host that speaks LMTP without DSN
// has put it into a mailbox.
chain::Reach Delivery::reach() const {
  if (connection_->session().extensions().dsn) return chain::Reach::Promised;
  return options_.session.is_lmtp ? chain::Reach::Mailbox : chain::Reach::Relayed;
}

// A server may end a connection that was idle while the next message was on its way: that says nothing about the server.
bool Delivery::was_idle_too_long() const {
  const auto& failure = connection_->failure();
  const bool has_no_answer = failure.stage == smtp::ClientStage::Mail || failure.stage == smtp::ClientStage::Reset;
  return connection_->transactions() > 1 && has_no_answer && (failure.is_ours || failure.reply.code == 421);
}

// Who has no TLS cannot promise anything about it.
Verdict Delivery::failure() const {
  const auto& failure = connection_->failure();
  if (job_.requires_tls && failure.is_ours && failure.stage == smtp::ClientStage::Hello && failure.reply.status == "4.7.10")
    return our_verdict(Class::Permanent, 550, "5.7.30", "REQUIRETLS: the host does not offer STARTTLS");
  return failure;
}

void Delivery::on_lost_connection() {
  if (was_idle_too_long()) {
    must_connect_anew_ = true;
  } else if (connection_->may_do_in_clear()) {
    note_failure(connection_->to(), connection_->failure());
    base::log::info("TLS failed, going on in clear", {{"host", connection_->text()}, {"cause", connection_->failure().reply.text}});
    must_connect_anew_ = must_be_clear_ = true;
  } else {
    if (!connection_->has_heard()) hosts_.note_dead(connection_->to().address, pool_.now_milliseconds());
    note_failure(connection_->to(), connection_->failure());
    return pass_over({failure(), connection_->text()});
  }
  pool_.give_back(std::move(connection_));
  try_addresses();
}

// To the next address.
void Delivery::pass_over(Outcome failure) {
  base::log::debug("address failed", {{"cause", failure.text()}});
  failures_.push_back(std::move(failure));
  ++tried_;
  must_be_clear_ = false;
  pool_.give_back(std::move(connection_));
  try_addresses();
}

// For good only when every address refused for good: RFC 5321 section 5.1 wants the others tried, and what one of them could
// not do now it may do later. All that was tried is told.
Outcome Delivery::outcome_of_failures() const {
  const auto telling = std::ranges::find_if(failures_.rbegin(), failures_.rend(), [](const Outcome& failure) { return failure.verdict.result != Class::Permanent; });
  const auto& main = telling == failures_.rend() ? failures_.back() : *telling;
  Outcome outcome = main;
  outcome.is_of_destination = true;
  for (const auto& failure : failures_) {
    if (&failure == &main) continue;
    if (!outcome.before.empty()) outcome.before += '\n';
    outcome.before += failure.text();
  }
  return outcome;
}

void Delivery::finish() {
  if (!pending_.empty()) {
    const auto outcome = outcome_of_failures();
    for (const auto recipient : pending_) outcomes_[recipient] = outcome;
  }
  if (connection_ != nullptr) pool_.give_back(std::move(connection_));
  const auto done = std::move(done_);
  done(*this, std::move(outcomes_));
}

}  // namespace remote
