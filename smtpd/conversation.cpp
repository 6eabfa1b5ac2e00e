#include "smtpd/conversation.h"

#include <algorithm>
#include <vector>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "lib/mail/date.h"
#include "smtpd/certificate_name.h"
#include "smtpd/outcome_reply.h"
#include "smtpd/policy_question.h"

namespace smtpd {

using Phase = smtp::ServerSession::Phase;
namespace log = base::log;

namespace {

std::string_view last_line(std::string_view replies) {
  if (replies.ends_with("\r\n")) replies.remove_suffix(2);
  return replies.substr(replies.rfind('\n') + 1);
}

}  // namespace

Conversation::Conversation(std::shared_ptr<const Configuration> configuration, Service service, Peer peer, std::uint64_t now)
    : configuration_(std::move(configuration)), service_(service), peer_(std::move(peer)), session_(configuration_->session(service_), *this) {
  set_peer(std::move(peer_));
  set_deadline(now, 0);
  if (log::enabled(log::Level::Info)) log::info("connect", {{"id", id()}, {"client", peer_.client().text()}, {"server", peer_.server().text()}});
}

Conversation::~Conversation() {
  if (unnoted_octets_ > 0) configuration_->shield->note(peer_.client(), Deed::Octets, unnoted_octets_);
  if (!log::enabled(log::Level::Debug)) return;
  log::debug("disconnect", {{"id", id()}, {"client", peer_.client().text()}, {"messages", session_.messages()}, {"errors", session_.errors()}});
}

std::string Conversation::id() const {
  auto id = id_.string();
  if (is_in_transaction()) id.append("-").append(std::to_string(session_.transactions()));
  return id;
}

void Conversation::set_peer(Peer peer) {
  peer_ = std::move(peer);
  lists_ = Lists::Unasked;
  is_early_talker_ = false;
  listed_.reset();
  choose_host();
  is_known_ = peer_.client_ip.empty() || peer_.is_relay_client || (configuration_->shield && configuration_->shield->knows_well(peer_.client()));
  suspicion_ = configuration_->shield ? configuration_->shield->suspicion(peer_.client()) : 0;
  session_.delay_errors(suspicion_ > 0);
  session_.allow_xclient(configuration_->relay.may_speak_for_others(peer_.client()));
  if (!configuration_->policy.policies.empty()) rounds_ = std::make_unique<PolicyRounds>(configuration_->policy, peer_.client_ip);
}

void Conversation::take(const net::ProxyHeader& header) {
  Peer client = header.client.is_empty() ? peer_ : Peer::of(header.client, header.server);
  // What the proxy itself may do its clients may not.
  client.is_relay_client = !header.client.is_empty() && configuration_->relay.is_relay_client(header.client);
  log::info("proxied", {{"id", id()}, {"client", client.client().text()}, {"proxy", peer_.client_ip}});
  set_peer(std::move(client));
}

// A name that the client asked for says more than the address that it reached.
void Conversation::choose_host() {
  host_ = tls_ ? configuration_->hosts.named(*tls_) : nullptr;
  if (host_ == nullptr) host_ = configuration_->hosts.at(peer_.server_ip);
  session_.use(options());
}

// What it does not say is not known; what is not known has no rights.
void Conversation::take_xclient(const smtp::Xclient& xclient) {
  const auto address_of = [](std::string_view ip, std::string_view port) {
    (void)(base::text::starts_with_ignoring_case(ip, "IPV6:") && (ip.remove_prefix(5), true));
    return net::Address::from_ip(ip, base::text::parse_number<std::uint16_t>(port).value_or(0)).value_or(net::Address());
  };
  const auto client = address_of(xclient.address, xclient.port), server = address_of(xclient.server_address, xclient.server_port);
  Peer peer = Peer::of(client, server.is_empty() ? peer_.server() : server);
  peer.client_host = smtp::is_helo_name(xclient.name) ? xclient.name : std::string();
  peer.is_relay_client = configuration_->relay.is_relay_client(client);
  log::info("speaks for another client", {{"id", id()}, {"client", peer_.client_ip}, {"other", peer.client_ip}, {"name", peer.client_host}, {"user", base::text::printable(xclient.login)}});
  set_peer(std::move(peer));
  session_.allow_xclient(true);  // it may speak for the next one too
}

Conversation::Next Conversation::advance(std::string_view& input, std::string& output, std::uint64_t now) {
  for (;;) {
    const auto before = input.size();
    const auto step = session_.advance(input, output);
    note_octets(before - input.size());
    if (note_errors(output)) continue;
    set_deadline(now, before - input.size());
    if (step != smtp::Step::Delay) delays_log_in_ = false;
    switch (step) {
      case smtp::Step::NeedInput: return Next::Read;
      case smtp::Step::Delay: return Next::Delay;
      case smtp::Step::Ask:
        asked_ = std::chrono::steady_clock::now();
        switch (decide(output)) {
          case Decision::NeedsPolicy: return Next::Ask;
          case Decision::NeedsLists: return Next::Look;
          case Decision::NeedsCheck: return Next::Check;
          case Decision::NeedsChain: return Next::Call;
          case Decision::Made: break;
        }
        break;
      case smtp::Step::StartTls: return Next::StartTls;
      case smtp::Step::Close:
        if (!session_.has_quit()) note_end(last_line(output));
        return Next::Close;
    }
  }
}

std::uint64_t Conversation::greeting_delay() const { return configuration_->shield ? configuration_->shield->greeting_delay(peer_.client()) : 0; }

// RFC 5321 section 3.1: the server opens. Who cannot wait for that is a program that waits for no answers either.
bool Conversation::talked_first(std::string& output) {
  configuration_->shield->note(peer_.client(), Deed::Error, 1);
  is_early_talker_ = true;
  if (configuration_->shield->only_marks_early_talkers()) {
    log::info("talked before the greeting", {{"id", id()}, {"client", peer_.client_ip}});
    return true;
  }
  note_end("talked before the greeting");
  session_.close(smtp::ReplyId::TalkedFirst, output);
  return false;
}

void Conversation::tls_started(net::tls::Facts facts) {
  if (log::enabled(log::Level::Debug)) log::debug("TLS", {{"id", id()}, {"client", peer_.client_ip}, {"protocol", facts.protocol}, {"cipher", facts.cipher}, {"sni", facts.server_name}});
  count(facts.protocol == "TLSv1.3" ? (facts.is_resumed ? Meter::Tls13Resumed : Meter::Tls13) : facts.is_resumed ? Meter::Tls12Resumed : Meter::Tls12);
  tls_ = std::make_unique<const net::tls::Facts>(std::move(facts));
  choose_host();
  sasl::Facts channel;
  channel.identity = identity_of(*tls_);
  if (!tls_->exporter.empty()) channel.bindings.push_back({"tls-exporter", tls_->exporter});
  if (!tls_->unique.empty()) channel.bindings.push_back({"tls-unique", tls_->unique});
  if (!tls_->server_end_point.empty()) channel.bindings.push_back({"tls-server-end-point", tls_->server_end_point});
  session_.tls_started(std::move(channel));
}

Conversation::Decision Conversation::decide(std::string& output) {
  const auto stage = session_.stage();
  if (const auto xclient = session_.take_xclient()) take_xclient(*xclient);
  if (stage == smtp::Stage::Message) return decide_message(output);
  if (stage == smtp::Stage::Auth) return decide_log_in(output);
  if (stage == smtp::Stage::Verify) return decide_verify(output);
  if (stage == smtp::Stage::Etrn) return decide_etrn(output);
  const bool is_first = !rounds_ || !rounds_->is_under_way();  // asked about this stage
  if (is_first && stage == smtp::Stage::Mail && refuse_for_disk(output)) return Decision::Made;
  if (is_first && !std::exchange(has_waited_, false) && put_off(output)) return Decision::Made;
  if (is_first && stage == smtp::Stage::Rcpt && refuse_relaying(output)) return Decision::Made;
  if (is_first && waits_for_lists()) {
    has_waited_ = true;
    return Decision::NeedsLists;
  }
  if (is_first && refuse_listed(output)) return Decision::Made;
  if (rounds_) return ask_policies(output);
  log_step(stage);
  session_.answer({}, output);
  return Decision::Made;
}

Conversation::Decision Conversation::decide_message(std::string& output) {
  finish_header();
  if (message_->failure) {
    refuse_message(smtp::ReplyId::NoStorage, output);
  } else if (has_undeclared_header()) {
    refuse_message(smtp::ReplyId::NonAsciiHeader, output);
  } else if (rounds_ && rounds_->effects().discards) {
    discard_message(output);
  } else {
    return Decision::NeedsChain;
  }
  return Decision::Made;
}

bool Conversation::takes_for_everyone(std::string_view recipient) const {
  return configuration_->relay.takes(recipient, false) || (host_ != nullptr && host_->relay_domains.contains(mail::split_address(recipient).second));
}

// Which mailboxes there are is known to those who deliver; here only where mail is taken for.
Conversation::Decision Conversation::decide_verify(std::string& output) {
  std::string_view address = session_.subject();
  if (const auto angle = address.rfind('<'); angle != std::string_view::npos && address.ends_with('>')) address = address.substr(angle + 1, address.size() - angle - 2);
  const bool is_known = takes_for_everyone(address);
  session_.answer({.accepts = is_known, .closes = false, .reply = is_known ? std::string() : standard_reply(smtp::ReplyId::RelayDenied)}, output);
  return Decision::Made;
}

// RFC 1985 section 5.3: for a domain that mail is relayed for, since its own mailboxes wait for nobody.
Conversation::Decision Conversation::decide_etrn(std::string& output) {
  const std::string address = "@" + session_.subject();
  if (configuration_->relay.relays_to(address) || (host_ != nullptr && host_->relay_domains.contains(session_.subject()))) return Decision::NeedsChain;
  log::info("ETRN refused", {{"id", id()}, {"client", peer_.client_ip}, {"domain", session_.subject()}});
  session_.answer({.accepts = false, .closes = false, .reply = standard_reply(smtp::ReplyId::EtrnRefused)}, output);
  return Decision::Made;
}

chain::Words Conversation::call_words() const {
  if (session_.stage() != smtp::Stage::Etrn) return configuration_->chain;
  chain::Words words = configuration_->etrn;
  words.push_back(session_.subject());
  return words;
}

// The number of messages is what queue-run says (RFC 1985 section 5.3).
void Conversation::answer_etrn(const chain::Outcome& outcome, std::string& output) {
  const bool is_done = outcome.result == chain::Outcome::Class::Taken;
  const auto count = base::text::parse_number<std::uint64_t>(outcome.reply);
  std::string reply = "458 4.3.0 Unable to queue messages for node " + session_.subject() + "\r\n";
  if (is_done) reply = "250 2.0.0 OK, queuing for node " + session_.subject() + " started\r\n";
  if (is_done && count) reply = *count == 0 ? "251 2.0.0 OK, no messages waiting for node " + session_.subject() + "\r\n" : "253 2.0.0 OK, " + std::to_string(*count) + " pending messages for node " + session_.subject() + " started\r\n";
  log::write(is_done ? log::Level::Info : log::Level::Warning, "ETRN", std::vector<log::Field>{{"id", id()}, {"client", peer_.client_ip}, {"domain", session_.subject()}, {"messages", outcome.reply}, {"cause", outcome.cause}});
  session_.answer({.accepts = is_done, .closes = false, .reply = reply}, output);
}

Conversation::Decision Conversation::ask_policies(std::string& output) {
  if (!rounds_->is_under_way()) begin_round();
  if (rounds_->policy() != nullptr) return Decision::NeedsPolicy;
  answer(rounds_->finish(), output);
  return Decision::Made;
}

void Conversation::begin_round() {
  rounds_->begin(session_.stage(), id());
}

std::string Conversation::question() const {
  const Standing standing = this->standing();
  return question_of({options().server_name, peer_, tls_.get(), session_, rounds_->instance(), rounds_->state(), client_facts(standing)});
}

Standing Conversation::standing() const {
  auto standing = configuration_->shield ? configuration_->shield->standing(peer_.client()) : Standing();
  if (is_early_talker_ || (listed_ && configuration_->lists->is_listed(*listed_))) standing.reputation = "bad";
  return standing;
}

ClientFacts Conversation::client_facts(const Standing& standing) const {
  return {standing, listed_.get(), is_early_talker_};
}

void Conversation::answer(const PolicyVerdict& verdict, std::string& output) {
  using smtp::ReplyClass;
  const auto expected = verdict.accepts ? ReplyClass::Positive : verdict.reply.starts_with('4') ? ReplyClass::Transient : ReplyClass::Permanent;
  smtp::WireReply reply;
  if (!verdict.reply.empty()) reply = smtp::reply_of_text(expected, verdict.reply);
  if (!verdict.accepts) {
    count(Meter::RefusedByPolicy);
    const auto* transaction = session_.transaction();
    const std::string_view recipient = session_.stage() == smtp::Stage::Rcpt ? std::string_view(transaction->recipients.back().address) : std::string_view();
    log::info("policy refuses", {{"id", id()}, {"client", peer_.client_ip},
                                 {"helo", session_.helo()},
                                 {"from", transaction != nullptr ? transaction->reverse_path : ""},
                                 {"to", recipient},
                                 {"reply", std::string_view(reply.lines).substr(0, reply.lines.find('\r'))}});
  }
  if (verdict.accepts) {
    log_step(session_.stage());
    reply.lines = words_of_yes(verdict.reply, std::move(reply.lines));
  }
  session_.answer({.accepts = verdict.accepts, .closes = verdict.closes, .reply = reply.lines}, output);
}

// A 354 is more than a yes, and a greeting is one of its own form.
std::string Conversation::words_of_yes(std::string_view text, std::string lines) const {
  constexpr int kReady = 220, kOk = 250;
  if (session_.stage() == smtp::Stage::Data) return {};
  if (session_.stage() != smtp::Stage::Connect && session_.stage() != smtp::Stage::Helo) return lines;
  return text.empty() ? std::string() : smtp::greeting_of_text(session_.stage() == smtp::Stage::Connect ? kReady : kOk, text);
}

// By the shield, which counts messages and recipients.
bool Conversation::put_off(std::string& output) {
  const auto stage = session_.stage();
  if (!configuration_->shield || (stage != smtp::Stage::Mail && stage != smtp::Stage::Rcpt)) return false;
  const auto why = configuration_->shield->puts_off(peer_.client(), stage == smtp::Stage::Mail ? Deed::Message : Deed::Recipient);
  if (why.empty()) return false;
  count(Meter::PutOffByShield);
  log::info("put off", {{"id", id()}, {"client", peer_.client_ip}, {"helo", session_.helo()}, {"from", session_.transaction()->reverse_path}, {"cause", why}});
  std::string reply;
  options().replies.append(reply, smtp::ReplyId::TooFast);
  session_.answer({.accepts = false, .closes = false, .reply = reply}, output);
  return true;
}

// All that the client says counts, but not each word by itself.
void Conversation::note_octets(std::uint64_t octets) {
  constexpr std::uint64_t kAtOnce = 64 * 1024;
  if (!configuration_->shield) return;
  unnoted_octets_ += octets;
  if (unnoted_octets_ >= kAtOnce || (unnoted_octets_ > 0 && session_.stage() == smtp::Stage::Message && session_.phase() == Phase::Asking))
    configuration_->shield->note(peer_.client(), Deed::Octets, std::exchange(unnoted_octets_, 0));
}

// True: they were too many, now that everybody is in a hurry.
bool Conversation::note_errors(std::string& output) {
  const auto errors = session_.errors() - std::exchange(noted_errors_, session_.errors());
  if (errors == 0 || !configuration_->shield) return false;
  configuration_->shield->note(peer_.client(), Deed::Error, errors);
  suspicion_ = configuration_->shield->suspicion(peer_.client());
  session_.delay_errors(suspicion_ > 0);
  if (session_.errors() < configuration_->shield->stress_errors() || !is_hurried() || session_.phase() == Phase::Asking) return false;
  session_.close(smtp::ReplyId::TooManyErrors, output);
  return true;
}

// Of whom nobody knows anything good, while there is too much to do.
bool Conversation::is_hurried() const { return configuration_->shield && configuration_->shield->is_under(Strain::Stress) && !is_trusted(); }

std::uint64_t Conversation::handshake_time() const {
  return is_hurried() ? std::min(configuration_->time.handshake, configuration_->shield->stress_timeout()) : configuration_->time.handshake;
}

void Conversation::hurry(std::uint64_t now) {
  if (deadline_ != 0 && !is_trusted()) deadline_ = std::min(deadline_, now + configuration_->shield->stress_timeout());
}

std::uint64_t Conversation::idle_since() const {
  const auto phase = session_.phase();
  return is_trusted() || phase == Phase::Text || phase == Phase::Asking ? 0 : progressed_;
}

bool Conversation::refuse_relaying(std::string& output) {
  const auto& transaction = *session_.transaction();
  const std::string& recipient = transaction.recipients.back().address;
  if (configuration_->relay.takes(recipient, may_relay())) return false;
  if (!configuration_->relay.fault_of_return(recipient) && host_ != nullptr && host_->relay_domains.contains(mail::split_address(recipient).second)) return false;
  const auto fault = configuration_->relay.fault_of_return(recipient);
  if (fault) log::info("not a way back to a sender", {{"client", peer_.client_ip}, {"to", recipient}, {"cause", mail::describe(*fault)}});
  std::string reply;
  options().replies.append(reply, fault ? smtp::ReplyId::ReturnDenied : smtp::ReplyId::RelayDenied);
  refuse_recipient(reply, output);
  return true;
}

void Conversation::refuse_recipient(std::string_view reply, std::string& output) {
  const auto& transaction = *session_.transaction();
  count(Meter::RefusedRelaying);
  log::info("recipient refused", {{"id", id()}, {"client", peer_.client_ip},
                                  {"helo", session_.helo()},
                                  {"from", transaction.reverse_path},
                                  {"to", transaction.recipients.back().address},
                                  {"reply", reply.substr(0, reply.find('\r'))}});
  session_.answer({.accepts = false, .closes = false, .reply = reply}, output);
}

// ---- lists of addresses ---------------------------------------------------------------------------------------------

// Lists know senders of spam, and users at home: they are asked where mail comes in from anywhere.
bool Conversation::is_looked_up() const {
  return configuration_->lists && configuration_->lists->is_for(service_) && !peer_.client_ip.empty() && !peer_.is_relay_client &&
         !(configuration_->shield && configuration_->shield->is_exempt(peer_.client()));
}

std::optional<net::Address> Conversation::client_to_look_up() {
  if (lists_ != Lists::Unasked || !is_looked_up()) return std::nullopt;
  lists_ = Lists::Asked;
  return peer_.client();
}

void Conversation::take_lists(DnsListFindings findings) {
  lists_ = Lists::Known;
  const bool is_listed = configuration_->lists->is_listed(findings);
  const auto level = is_listed ? log::Level::Info : log::Level::Debug;
  if (log::enabled(level) && !findings.lists.empty())
    log::write(level, is_listed ? "listed" : "known to lists", {{"id", id()}, {"client", peer_.client_ip}, {"score", findings.score}, {"lists", findings.names()}});
  if (!findings.lists.empty()) listed_ = std::make_unique<const DnsListFindings>(std::move(findings));
}

// At the latest moment: there at RCPT, and where policies want to know what lists say.
bool Conversation::waits_for_lists() const {
  if (lists_ == Lists::Known || !is_looked_up() || may_relay()) return false;
  const auto stage = session_.stage();
  const auto action = configuration_->lists->action();
  if (action == DnsLists::Action::Connect) return true;
  if (stage == smtp::Stage::Rcpt) return action == DnsLists::Action::Rcpt || rounds_;
  return stage == smtp::Stage::Mail && rounds_;
}

bool Conversation::refuse_listed(std::string& output) {
  if (!listed_ || !configuration_->lists->is_listed(*listed_) || may_relay()) return false;
  const auto stage = session_.stage();
  const auto action = configuration_->lists->action();
  const auto where = action == DnsLists::Action::Connect ? smtp::Stage::Connect : smtp::Stage::Rcpt;
  if (action == DnsLists::Action::None || (stage != where && stage != smtp::Stage::Rcpt)) return false;
  const auto reply = smtp::reply_of_text(smtp::ReplyClass::Permanent, DnsLists::refusal(*listed_, peer_.client_ip)).lines;
  if (stage == smtp::Stage::Rcpt) {
    refuse_recipient(reply, output);
  } else {
    session_.answer({.accepts = false, .closes = true, .reply = reply}, output);
  }
  return true;
}

// ---------------------------------------------------------------------------------------------------------------------

// A policy wants nobody to know.
void Conversation::discard_message(std::string& output) {
  const auto reply = smtp::reply_of_text(smtp::ReplyClass::Positive, "2.0.0 Ok: queued as " + message_->id);
  log_message("discarded", reply.lines, "");
  message_.reset();
  session_.answer({.accepts = true, .closes = false, .reply = reply.lines}, output);
}

// Before the message comes: what is left belongs to the queue that is there.
bool Conversation::refuse_for_disk(std::string& output) {
  if (!is_short_of_disk(configuration_->resources, session_.transaction()->declared_octets.value_or(0))) return false;
  log::warning("put off", {{"id", id()}, {"client", peer_.client_ip}, {"helo", session_.helo()}, {"from", session_.transaction()->reverse_path}, {"cause", "little room on the disk of " + configuration_->resources.spool}});
  if (configuration_->shield) configuration_->shield->note(Strain::Disk);
  session_.answer({.accepts = false, .closes = false, .reply = standard_reply(smtp::ReplyId::NoStorage), .counts = false}, output);
  return true;
}

void Conversation::refuse_message(smtp::ReplyId id, std::string& output) {
  const std::string reply = standard_reply(id);
  log_message(reply.starts_with('4') ? "deferred" : "refused", reply, message_->failure ? std::string_view(message_->failure->cause) : std::string_view());
  message_.reset();
  session_.answer({.accepts = false, .closes = false, .reply = reply}, output);
}

// ---- time and end ---------------------------------------------------------------------------------------------------

std::uint64_t Conversation::time_for(Phase phase) const {
  const TimeLimits& time = configuration_->time;
  switch (phase) {
    case Phase::Connected: return time.connect;
    case Phase::Greeted: return time.helo;
    case Phase::HasSender: return time.mail_from;
    case Phase::HasRecipient: return time.rcpt_to;
    case Phase::Text: return time.data;
    case Phase::Asking: break;  // the chain has its own limit
  }
  return 0;
}

// A command has its time as a whole, and less once it has begun: octets that come singly win none. Within a message each octet counts, but
// the whole has its limit too, and so has a message that comes too slowly.
void Conversation::set_deadline(std::uint64_t now, std::uint64_t octets) {
  const Phase phase = session_.phase();
  const bool has_come = session_.progress() != last_progress_ || phase != last_phase_;
  if (has_come) progressed_ = now;
  last_progress_ = session_.progress();
  last_phase_ = phase;
  if (phase == Phase::Text && text_deadline_ == 0) text_deadline_ = now + configuration_->time.data_total;
  if (phase != Phase::Text && !is_in_transaction()) text_deadline_ = 0;
  if (phase == Phase::Asking) {
    deadline_ = 0;
  } else if (has_come || phase == Phase::Text) {
    deadline_ = now + time_for(phase);
  }
  const auto most = is_hurried() ? now + configuration_->shield->stress_timeout() : ~std::uint64_t{0};
  if (deadline_ != 0 && (has_come || phase == Phase::Text)) deadline_ = std::min(deadline_, most);
  limit_rate(now, octets);
  if (phase == Phase::Text) deadline_ = std::min({deadline_, text_deadline_, rate_deadline_});
  if (!session_.has_begun_line() || phase == Phase::Asking) {
    line_deadline_ = 0;
  } else {
    if (line_deadline_ == 0 || has_come) line_deadline_ = now + configuration_->time.line;
    deadline_ = std::min(deadline_, line_deadline_);
  }
}

// What comes in time buys time, at the lowest rate that is allowed, but none beyond data_rate_time from now.
void Conversation::limit_rate(std::uint64_t now, std::uint64_t octets) {
  const auto& time = configuration_->time;
  if (session_.phase() != Phase::Text) {
    rate_deadline_ = 0;
  } else if (time.data_rate == 0) {
    rate_deadline_ = deadline_;
  } else {
    const auto most = now + (is_hurried() ? std::min(time.data_rate_time, configuration_->shield->stress_timeout()) : time.data_rate_time);
    rate_deadline_ = rate_deadline_ == 0 ? most : std::min(most, rate_deadline_ + octets * 1000 / time.data_rate);
  }
}

void Conversation::note_timeout() {
  const bool is_slow = (rate_deadline_ != 0 && rate_deadline_ == deadline_ && configuration_->time.data_rate != 0) || (line_deadline_ != 0 && line_deadline_ == deadline_);
  note_end(is_slow ? "too slow" : "timeout");
}

void Conversation::close(smtp::ReplyId reply, std::string& output) { session_.close(reply, output); }

void Conversation::note_end(std::string_view cause) {
  constexpr std::string_view kPhases[] = {"connect", "greeted", "mail", "rcpt", "data", "chain"};
  const auto phase = kPhases[static_cast<std::size_t>(session_.phase())];
  log::info("session ended early", {{"id", id()}, {"client", peer_.client_ip}, {"helo", session_.helo()}, {"phase", phase}, {"cause", cause}});
}

}  // namespace smtpd
