// One client: its session, where its message is collected, what it may do, how long it may take, what is logged. Knows neither
// sockets nor the loop; client.cpp and one_session.cpp drive it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/blob.h"
#include "lib/base/clock.h"
#include "lib/chain/message_call.h"
#include "lib/net/proxy_header.h"
#include "lib/queue/id.h"
#include "lib/smtp/server_session.h"
#include "smtpd/configuration.h"
#include "smtpd/call_text.h"
#include "smtpd/client_facts.h"
#include "smtpd/header_watch.h"
#include "smtpd/meters.h"
#include "smtpd/peer.h"
#include "smtpd/policy_rounds.h"

namespace smtpd {

class Conversation final : private smtp::MessageSink {
 public:
  // `now` is monotonic, in milliseconds, here and below.
  Conversation(std::shared_ptr<const Configuration> configuration, Service service, Peer peer, std::uint64_t now);
  Conversation(const Conversation&) = delete;
  ~Conversation();

  enum class Next : std::uint8_t {
    Read,   // write the output, all input is eaten
    Ask,    // write the output, give question() to policy(), then answer_question()
    Look,   // write the output; lists of addresses are still to answer: see client_to_look_up(); advance() behind take_lists()
    Check,  // write the output, have credentials() checked, then answer_check()
    Call,   // write the output, give the message of take_call() to the chain, then answer()
    StartTls,  // write the output, throw the rest of the input away, shake hands, then tls_started() and advance() with no input
    Delay,  // write the output after delay(), then advance() with the rest of the input
    Close,  // write the output, close
  };
  // Eats octets from the front of `input`, appends what is to be said to `output`. First with no input, for the greeting.
  Next advance(std::string_view& input, std::string& output, std::uint64_t now);

  // Who is asked about the session, and what.
  [[nodiscard]] const chain::Words& policy() const { return rounds_->policy()->words; }
  [[nodiscard]] std::string question() const;
  // Then advance() with the rest of the input.
  void answer_question(const base::Result<chain::PolicyAttributes>& answer) {
    count_time(Stopwatch::Policy, std::chrono::steady_clock::now() - asked_);
    rounds_->take(answer);
  }

  // Whom lists of addresses are to be asked about now, if anybody: behind the beginning, set_peer() and Next::Look. What was asked about
  // another one before is of no use any more. They may answer at any time.
  [[nodiscard]] std::optional<net::Address> client_to_look_up();
  void take_lists(DnsListFindings findings);
  // The section [virtual "DOMAIN"] that has DNS of its own for that; "": none.
  [[nodiscard]] std::string_view lists_section() const { return host_ != nullptr && host_->dns ? std::string_view(host_->domain) : std::string_view(); }
  [[nodiscard]] const net::dns::Settings& lists_dns() const { return host_ != nullptr && host_->dns ? *host_->dns : configuration_->dns; }

  // What a client says that it is, for the checks of configuration().authentication.
  [[nodiscard]] const sasl::Question& credentials() const { return session_.question(); }
  // Then advance() with the rest of the input.
  void answer_check(CheckAnswer answer, std::string& output);

  // What is called: the chain, or who starts the queue for ETRN.
  [[nodiscard]] chain::Words call_words() const;
  [[nodiscard]] chain::Call take_call();
  // For how long the client must be silent before it is greeted, milliseconds; if it is not: talked_first(); if that says no, advance() says Close.
  [[nodiscard]] std::uint64_t greeting_delay() const;
  bool talked_first(std::string& output);  // true: it is greeted all the same, when it is time
  // Whether the handshake comes before the greeting: then tls_started() comes before the first advance().
  [[nodiscard]] bool begins_with_tls() const { return service_ == Service::Submissions; }
  [[nodiscard]] std::shared_ptr<const net::tls::Context> tls_context() const { return host_ != nullptr && host_->tls ? host_->tls : configuration_->tls; }
  void tls_started(net::tls::Facts facts);
  // Whether a header of the PROXY protocol comes before all else; then take() comes before the first advance().
  [[nodiscard]] bool begins_with_proxy_header() const { return configuration_->relay.is_proxy(peer_.client()); }
  void take(const net::ProxyHeader& header);
  // How long a handshake may take, milliseconds: less for a stranger while there is too much to do.
  [[nodiscard]] std::uint64_t handshake_time() const;

  // How the call ended. Then advance() with the rest of the input.
  void answer(const chain::Outcome& outcome, std::string& output);

  [[nodiscard]] std::uint64_t delay() const;  // milliseconds
  // When what is waited for should have come, 0: no limit now.
  [[nodiscard]] std::uint64_t deadline() const { return deadline_; }
  // Ends the session from our side; advance() says Close afterwards.
  void close(smtp::ReplyId reply, std::string& output);
  // For the log: the client has gone away, or fell silent.
  void note_end(std::string_view cause);
  void note_timeout();

  // Somebody who is served first when there is too much to do.
  [[nodiscard]] bool is_trusted() const { return is_known_ || may_relay(); }
  // Since when it has said nothing whole while it was to speak; 0: it may, for it is trusted, sends a message or waits for us.
  [[nodiscard]] std::uint64_t idle_since() const;
  // Under stress: the deadline comes sooner.
  void hurry(std::uint64_t now);
  [[nodiscard]] bool is_in_transaction() const { return session_.transaction() != nullptr; }
  [[nodiscard]] bool has_quit() const { return session_.has_quit(); }
  [[nodiscard]] const Configuration& configuration() const { return *configuration_; }
  [[nodiscard]] const Peer& peer() const { return peer_; }
  // For the log: the session's, and within a transaction with its number behind it.
  [[nodiscard]] std::string id() const;

 private:
  void begin() override;
  void append(std::string_view octets) override;
  void discard(smtp::ReplyId reason) override;

  enum class Decision : std::uint8_t { Made, NeedsPolicy, NeedsLists, NeedsCheck, NeedsChain };
  void set_peer(Peer peer);
  Decision decide(std::string& output);
  Decision decide_message(std::string& output);
  Decision decide_verify(std::string& output);
  Decision decide_etrn(std::string& output);
  void answer_etrn(const chain::Outcome& outcome, std::string& output);
  [[nodiscard]] bool takes_for_everyone(std::string_view recipient) const;
  Decision ask_policies(std::string& output);
  void begin_round();
  void choose_host();
  [[nodiscard]] std::string standard_reply(smtp::ReplyId id) const;
  [[nodiscard]] const smtp::ServerOptions& options() const { return host_ != nullptr ? host_->sessions[index(service_)] : configuration_->session(service_); }
  void take_xclient(const smtp::Xclient& xclient);
  // Who is there: conversation_auth.cpp.
  Decision decide_log_in(std::string& output);
  Decision begin_log_in(std::string& output);
  Decision hear_policies(std::string& output);
  Decision check_credentials(std::string& output);
  void take_keys(std::optional<sasl::ScramKeys> keys, std::string& output);
  void log_in(std::string_view reply, std::string& output);
  void refuse_log_in(std::string_view why, std::string reply, bool closes, std::string& output);
  void put_off_log_in(std::string_view why, std::string& output);
  [[nodiscard]] bool may_relay() const;
  void answer(const PolicyVerdict& verdict, std::string& output);
  [[nodiscard]] std::string words_of_yes(std::string_view text, std::string lines) const;
  bool refuse_relaying(std::string& output);
  [[nodiscard]] Standing standing() const;
  [[nodiscard]] ClientFacts client_facts(const Standing& standing) const;
  [[nodiscard]] bool is_looked_up() const;
  [[nodiscard]] bool waits_for_lists() const;
  bool refuse_listed(std::string& output);
  void refuse_recipient(std::string_view reply, std::string& output);
  bool put_off(std::string& output);
  bool note_errors(std::string& output);
  bool refuse_for_disk(std::string& output);
  [[nodiscard]] bool is_hurried() const;
  void note_octets(std::uint64_t octets);
  void discard_message(std::string& output);
  [[nodiscard]] CallFacts facts() const;
  void refuse_message(smtp::ReplyId id, std::string& output);
  void store(std::string_view octets);
  void finish_header();
  [[nodiscard]] std::string missing_fields() const;
  [[nodiscard]] bool has_undeclared_header() const;
  void set_deadline(std::uint64_t now, std::uint64_t octets);
  void limit_rate(std::uint64_t now, std::uint64_t octets);
  [[nodiscard]] std::uint64_t time_for(smtp::ServerSession::Phase phase) const;
  void count_message(std::string_view event) const;
  void log_step(smtp::Stage stage) const;
  void log_message(std::string_view event, std::string_view reply, std::string_view cause) const;

  // Lives from the begin of a message's text to its reply.
  struct Message {
    explicit Message(const base::BlobWriter::Limits& limits) : text(limits) {}
    base::BlobWriter text;
    std::optional<HeaderWatch> header;  // nullopt: nobody wants to know of it
    std::optional<base::Error> failure;  // of storing the text
    std::string id;
    base::WallTime received;
  };

  std::shared_ptr<const Configuration> configuration_;
  base::WallTime connected_ = base::wall_now();
  Service service_;
  Peer peer_;
  std::unique_ptr<const net::tls::Facts> tls_;  // nullptr: in clear
  const VirtualHost* host_ = nullptr;           // whose client it is; nullptr: the server's own
  smtp::ServerSession session_;
  queue::Id id_ = queue::Id::make(connected_);
  std::unique_ptr<Message> message_;
  std::unique_ptr<PolicyRounds> rounds_;  // nullptr: there are no policies
  std::uint64_t deadline_ = 0;
  std::chrono::steady_clock::time_point asked_;  // when a policy or the chain was
  std::uint64_t text_deadline_ = 0;  // of the whole message; 0: none is coming in
  std::uint64_t progressed_ = 0;     // when what was waited for came last
  std::uint64_t rate_deadline_ = 0;  // of its next octets; 0: none is coming in
  std::uint64_t line_deadline_ = 0;  // of a command that has begun; 0: none has
  std::uint64_t unnoted_octets_ = 0;  // by the shield
  unsigned failed_log_ins_ = 0;
  unsigned noted_errors_ = 0;     // by the shield
  unsigned suspicion_ = 0;        // Shield::suspicion() of the client
  enum class Lists : std::uint8_t { Unasked, Asked, Known };
  Lists lists_ = Lists::Unasked;
  bool has_waited_ = false;  // for lists: the question is not new
  std::unique_ptr<const DnsListFindings> listed_;  // nullptr: nothing is known of the client
  bool is_early_talker_ = false;
  bool is_known_ = false;         // Shield::knows_well()
  bool is_checking_ = false;      // credentials, behind the policies
  bool delays_log_in_ = false;    // what is delayed is the reply to a log-in
  unsigned last_progress_ = 0;
  smtp::ServerSession::Phase last_phase_ = smtp::ServerSession::Phase::Asking;
};

}  // namespace smtpd
