// An SMTP or LMTP client (RFC 5321, RFC 2033) as a state machine without I/O: the server's octets come in, octets for it
// go out, transactions are begun and their verdicts taken. Sockets and clocks are the caller's.
//
//   Opening --greeting, EHLO--> Ready --begin()--> Busy --last reply--> Ready ... --quit()--> Closing --221--> Closed
//   Opening --STARTTLS, 220--> Securing --on_secured()--> Opening --EHLO, AUTH--> Ready
//
// Every way of failing ends in Closed; failure() says why.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/mail/dsn.h"
#include "lib/sasl/client.h"
#include "lib/smtp/dot_writer.h"
#include "lib/smtp/extensions.h"
#include "lib/smtp/message_needs.h"
#include "lib/smtp/reply.h"

namespace smtp {

// Where in a session something was said.
enum class ClientStage : std::uint8_t { Greeting, Hello, Helo, StartTls, Auth, Forward, Mail, Rcpt, Data, Chunk, Block, Message, Reset, Quit };
std::string_view stage_name(ClientStage stage);  // "greeting", "EHLO", "RCPT", "end of data"

struct Verdict {
  enum class Class : std::uint8_t {
    Undecided,  // the session ended before; another host may be asked
    Accepted,
    Temporary,
    Permanent,
  };
  Class result = Class::Undecided;
  ClientStage stage = ClientStage::Greeting;
  bool is_ours = false;  // the server said nothing: the words of `reply` are ours
  Reply reply;
};

struct ClientTransaction {
  std::string reverse_path;
  std::vector<std::string> recipients;
  std::string_view message;  // must stay until the session is no longer Busy
  MessageNeeds needs;        // scan_message(message)
  std::vector<std::pair<std::string, std::string>> client = {};  // XFORWARD: "ADDR", "192.0.2.1"; told as far as the server asks
  std::string why_8bit = {};    // for the refusal of one with 8-bit octets where that must be: why it cannot be sent otherwise
  mail::DsnRequest dsn = {};    // of these recipients; told to a server that offers DSN, and to no other
  bool all_or_nothing = false;  // no message for anybody when one recipient is refused
  bool requires_tls = false;    // REQUIRETLS (RFC 8689) with MAIL; only of a session whose server offers it
  bool is_last = false;         // QUIT goes out behind the message, without waiting for the reply in between
};

class ClientSession {
 public:
  struct TimeLimits {  // milliseconds; RFC 5321 section 4.5.3.2
    std::uint64_t greeting = 300'000;  // 4.5.3.2.1
    std::uint64_t hello = 300'000;
    std::uint64_t tls = 300'000;       // the reply to STARTTLS, and the handshake behind it
    std::uint64_t auth = 300'000;
    std::uint64_t mail = 300'000;      // 4.5.3.2.2
    std::uint64_t rcpt = 300'000;      // 4.5.3.2.3
    std::uint64_t data = 120'000;      // 4.5.3.2.4
    std::uint64_t block = 180'000;     // 4.5.3.2.5
    std::uint64_t message = 600'000;   // 4.5.3.2.6
    std::uint64_t quit = 5'000;        // nothing depends on the reply
  };
  enum class StartTls : std::uint8_t { Never, IfOffered, Required };
  struct Settings {
    std::string helo;
    StartTls start_tls = StartTls::Never;  // of a session that is not secured from its begin
    std::optional<sasl::Login> login = {};         // then there is no mail without it
    std::vector<std::string> auth_mechanisms = {};  // that may be used; empty: all
    bool auth_in_clear = false;                     // also those that show the password, without TLS
    bool is_lmtp = false;
    bool use_pipelining = true;
    bool use_chunking = false;  // BDAT instead of DATA where it is offered (RFC 3030)
    // A message with octets over 127 for a server without 8BITMIME: send it as it is rather than refuse it.
    bool sends_undeclared_8bit = false;
    TimeLimits limits = {};
    ReplyReader::Limits replies = {};
  };
  // `settings` is borrowed for the session's life.
  explicit ClientSession(const Settings& settings);

  enum class State : std::uint8_t { Opening, Securing, Ready, Busy, Closing, Closed };
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const Extensions& extensions() const { return extensions_; }

  // ---- the connection's side
  void receive(std::string_view octets);
  // No more octets come: `cause` is for the verdict ("connection closed", "read: Connection reset by peer").
  void on_connection_end(std::string_view cause);
  void on_time_limit();
  // TLS is open: when Securing, or before the greeting where TLS begins with the connection. Both ends know `bindings` of it, best first.
  void on_secured(std::vector<sasl::ChannelBinding> bindings);
  // It is not, or not as it should be: `cause` is for the verdict.
  void on_tls_failure(std::string cause);
  [[nodiscard]] bool is_secured() const { return is_secured_; }
  // The next octets to send, valid until the next call; empty: nothing now.
  std::string_view next_output();
  // How long the server may take for what is awaited now; 0: nothing is awaited.
  [[nodiscard]] std::uint64_t time_limit_milliseconds() const;
  // Changes when the server has answered or a block has been handed out: then the limit begins anew. Part of a reply does
  // not count, so that a server cannot hold a session for ever octet by octet.
  [[nodiscard]] std::uint64_t progress() const { return progress_; }

  // ---- the transaction's side
  // Only when Ready. May be over at once, when the server cannot take the message.
  void begin(ClientTransaction transaction);
  // When not Busy any more: one verdict a recipient, in their order.
  [[nodiscard]] std::vector<Verdict> take_verdicts();
  void quit();  // only when Ready
  // When Closed otherwise than after QUIT: why. result is Temporary or Permanent (the server refused in its greeting or
  // to EHLO).
  [[nodiscard]] const Verdict& failure() const { return failure_; }
  [[nodiscard]] bool has_failed() const { return failure_.result != Verdict::Class::Undecided; }

 private:
  friend std::string_view stage_name(ClientStage stage);
  struct StageRow {
    ClientStage stage;
    std::string_view name;
    std::uint64_t TimeLimits::*limit;
    void (ClientSession::*put_command)();
    void (ClientSession::*on_reply)(Reply);
  };
  static const StageRow kStages[];
  static const StageRow& row_of(ClientStage stage);

  // script_ is what this session says, a stage a command: [0, answered_) have their replies, [answered_, sent_) wait for
  // them, the rest is to be sent. Without PIPELINING at most one waits.
  void plan(ClientStage stage, std::size_t times = 1);
  void drop_unsent();
  void send_planned();
  [[nodiscard]] bool is_pipelining() const { return extensions_.pipelining && settings_->use_pipelining; }
  [[nodiscard]] bool is_awaiting() const { return answered_ < sent_; }
  [[nodiscard]] ClientStage awaited() const { return script_[answered_]; }
  // Its reply is about the message.
  [[nodiscard]] static bool is_end_of_message(ClientStage stage) { return stage == ClientStage::Message || stage == ClientStage::Chunk; }
  [[nodiscard]] bool must_wait(ClientStage stage) const;
  [[nodiscard]] ClientStage stage() const;
  [[nodiscard]] std::string at_stage() const;

  void put_hello();
  void put_helo();
  void put_start_tls();
  void put_auth();
  void put_mail();
  void put_rcpt();
  void put_dsn_of_message();
  void put_dsn_of(const mail::DsnRequest::Recipient& asked, std::string_view recipient);
  void put_data();
  void put_forward();
  void put_chunk();
  void put_reset();
  void put_quit();

  void on_reply(Reply reply);
  void on_unasked_reply(Reply reply);
  void on_greeting(Reply reply);
  void on_hello(Reply reply);
  void on_helo(Reply reply);
  void on_start_tls(Reply reply);
  void on_auth(Reply reply);
  void on_mail(Reply reply);
  void on_rcpt(Reply reply);
  void on_data(Reply reply);
  void on_forward(Reply reply);
  void on_chunk(Reply reply);
  void on_message(Reply reply);
  void on_reset(Reply reply);
  void on_quit(Reply reply);

  void go_on_after_hello();
  void begin_auth();

  void refuse_what_server_cannot_take();
  void start_message();
  void decide_open(const Verdict& verdict);  // for every recipient without a verdict
  void finish_transaction();
  void fail(Verdict verdict);

  const Settings* settings_;
  State state_ = State::Opening;
  ReplyReader reader_;
  Extensions extensions_;
  std::uint64_t progress_ = 0;
  Verdict failure_;

  bool is_secured_ = false;
  std::vector<sasl::ChannelBinding> bindings_;
  std::unique_ptr<sasl::ClientExchange> auth_;
  std::string auth_line_;

  std::vector<ClientStage> script_;
  std::size_t sent_;
  std::size_t answered_ = 0;
  std::string commands_;    // for next_output()
  std::string handed_out_;  // by it
  DotWriter writer_;

  ClientTransaction transaction_;
  std::vector<Verdict> verdicts_;
  std::vector<std::size_t> asked_;     // recipients that get an RCPT
  std::vector<std::size_t> accepted_;  // those of them that the server took
  std::size_t rcpt_sent_ = 0;
  std::size_t rcpt_answered_ = 0;
  std::size_t messages_answered_ = 0;  // LMTP: a reply for each that is accepted
  bool needs_smtputf8_ = false;
  bool mail_accepted_ = false;
  bool needs_reset_ = false;  // MAIL was sent, and no reply to a message has ended its transaction
};

}  // namespace smtp
