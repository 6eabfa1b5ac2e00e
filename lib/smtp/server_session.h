// The server's side of an SMTP session as a state machine without I/O: octets come in, replies and questions go out. Sockets,
// clocks, TLS and policy are the driver's (smtpd/), or a test's, or a fuzzer's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/sasl/mechanisms.h"
#include "lib/smtp/dot_reader.h"
#include "lib/smtp/replies.h"
#include "lib/smtp/server_options.h"
#include "lib/smtp/transaction.h"

namespace smtp {

inline constexpr std::size_t kMaxExchangeLineOctets = 12'288 + 2;  // with CR LF; RFC 4954 section 4.3

// Where the octets of a message go while they come in. Outlives the session.
class MessageSink {
 public:
  virtual void begin() = 0;                          // the text is about to come: the place for a Received field
  virtual void append(std::string_view octets) = 0;  // borrowed; it is the sink's to remember that it failed
  // What came since begin() is dropped: for this reply, or for None because the client or the driver gave it up.
  virtual void discard(ReplyId reason) = 0;

 protected:
  ~MessageSink() = default;
};

enum class Step : std::uint8_t {
  NeedInput,  // all input is eaten
  Ask,        // stage() waits for answer(); what is left of the input comes again after it
  Delay,      // the client has made too many errors: write the output only after a while, then advance() again
  StartTls,   // write the output, throw the rest of the input away (RFC 3207 section 4.2), shake hands, then tls_started()
  Close,      // write the output and close
};

struct Answer {
  bool accepts = true;
  bool closes = false;         // the session ends after the reply, as a 421 wants it
  // Complete lines, WireReply::lines; "": the standard reply of the stage. Of a yes to EHLO the words of the first line stand in front of
  // what is offered.
  std::string_view reply = {};
  bool counts = true;           // a refusal counts as an error of the client
  bool delays = false;          // Step::Delay comes before the reply is written
};

// Who a client has shown to be.
struct Identity {
  std::string user;  // whom it acts as; for ANONYMOUS what it says of itself, perhaps nothing
  const sasl::Mechanism* mechanism = nullptr;
};

// Who a trusted proxy says the client is; "": it does not know. None has control characters.
struct Xclient {
  std::string name, address, port, login, server_address, server_port;  // addresses as XCLIENT writes them: "IPV6:2001:db8::1"
};

class ServerSession {
 public:
  // Both are borrowed for the session's life.
  ServerSession(const ServerOptions& options, MessageSink& sink) : options_(&options), sink_(&sink) {}

  // Eats octets from the front of `input` and appends replies to `output`, of several commands if they came together
  // (RFC 2920). The first call, with no input, greets.
  Step advance(std::string_view& input, std::string& output);

  // The driver's decision, after Step::Ask. At Stage::Message the transaction is over with it.
  void answer(const Answer& answer, std::string& output);
  // At Stage::Auth, instead of answer(), if the question is about keys: the exchange goes on with them.
  void answer_keys(sasl::ScramKeys keys, std::string& output);
  // What is known of the TLS channel, for mechanisms that use it; the name of the server is put in.
  void tls_started(sasl::Facts facts = {});
  // The driver ends the session: time limit, stop of the server.
  void close(ReplyId reply, std::string& output);

  // What is said from now on, and offered; borrowed too. Not within a transaction.
  void use(const ServerOptions& options) { options_ = &options; }

  [[nodiscard]] Stage stage() const { return stage_; }  // of the question
  [[nodiscard]] const std::string& helo() const { return helo_; }
  [[nodiscard]] bool is_extended() const { return is_extended_; }  // EHLO
  [[nodiscard]] bool is_lmtp() const { return options_->is_lmtp; }
  [[nodiscard]] bool is_secured() const { return is_secured_; }
  // The client may say that it is somebody else. Then Stage::Connect comes again, with what it has said.
  void allow_xclient(bool allows) { allows_xclient_ = allows; }
  [[nodiscard]] std::unique_ptr<const Xclient> take_xclient() { return std::move(xclient_); }
  // At Stage::Verify the address or name, at Stage::Etrn the domain.
  [[nodiscard]] const std::string& subject() const { return *subject_; }
  // At Stage::Auth.
  [[nodiscard]] const sasl::Question& question() const { return exchange_->machine->question(); }
  [[nodiscard]] const sasl::Mechanism& mechanism() const { return *exchange_->mechanism; }
  [[nodiscard]] unsigned transactions() const { return transactions_; }  // that MAIL has begun
  // nullptr: it has not authenticated.
  [[nodiscard]] const Identity* identity() const { return identity_.get(); }
  // From MAIL to the reply to the message; at Stage::Mail with the sender and at Stage::Rcpt with the recipient (the last one)
  // that are asked about. nullptr when there is none.
  [[nodiscard]] const Transaction* transaction() const { return transaction_.get(); }

  // For time limits: what was said last, the text of a message, or the driver's own answer is waited for; and a number that
  // changes whenever what was waited for has come.
  enum class Phase : std::uint8_t { Connected, Greeted, HasSender, HasRecipient, Text, Asking };
  [[nodiscard]] Phase phase() const;
  [[nodiscard]] unsigned progress() const { return progress_; }
  // A command line has begun, its end has not come.
  [[nodiscard]] bool has_begun_line() const { return !line_.empty() || reading_ == Reading::OverlongCommand; }
  // Every error from now on is answered late, not only those beyond the limit.
  void delay_errors(bool delays) { delays_errors_ = delays; }
  [[nodiscard]] unsigned messages() const { return messages_; }  // accepted
  [[nodiscard]] unsigned errors() const { return errors_; }
  [[nodiscard]] bool has_quit() const { return has_quit_; }

 private:
  // What a client may say next; verbs say in which of these they are allowed.
  enum State : std::uint8_t { kStart = 1, kReady = 2, kMail = 4, kRcpt = 8, kBdat = 16 };
  static constexpr std::uint8_t kInClear = 32;  // also before STARTTLS where that is required
  static constexpr std::uint8_t kAny = kStart | kReady | kMail | kRcpt | kBdat;
  // What the octets are that come next.
  enum class Reading : std::uint8_t { Greeting, Command, OverlongCommand, Data, Chunk, Nothing };
  enum class Argument : std::uint8_t { None, Required, Optional };
  struct Verb {
    std::string_view name;
    std::uint8_t allowed;
    Argument argument;
    unsigned extension;  // that must be offered; 0: none
    void (ServerSession::*handle)(std::string_view argument, std::string& output);
  };
  static const Verb kVerbs[];
  static const Verb* find(std::string_view word);
  // What an answer does at each stage. `accept` says the standard reply.
  struct StageRow {
    Stage stage;
    void (ServerSession::*accept)(std::string& output);
    void (ServerSession::*refuse)();
  };
  static const StageRow kStages[];

  // Each eats octets of its kind and returns whether there may be more to do; false: more input is needed.
  bool read(std::string_view& input, std::string& output);
  bool read_greeting(std::string& output);
  bool read_command(std::string_view& input, std::string& output);
  bool skip_command(std::string_view& input, std::string& output);
  bool read_data(std::string_view& input, std::string& output);
  bool read_chunk(std::string_view& input, std::string& output);

  void command(std::string_view line, std::string& output);
  void helo(std::string_view argument, std::string& output);
  void ehlo(std::string_view argument, std::string& output);
  void greet(std::string_view name, bool is_extended, std::string& output);
  void mail(std::string_view argument, std::string& output);
  void rcpt(std::string_view argument, std::string& output);
  void data(std::string_view argument, std::string& output);
  void bdat(std::string_view argument, std::string& output);
  void rset(std::string_view argument, std::string& output);
  void noop(std::string_view argument, std::string& output);
  void vrfy(std::string_view argument, std::string& output);
  void expn(std::string_view argument, std::string& output);
  void etrn(std::string_view argument, std::string& output);
  void help(std::string_view argument, std::string& output);
  void quit(std::string_view argument, std::string& output);
  void starttls(std::string_view argument, std::string& output);
  void auth(std::string_view argument, std::string& output);
  void xclient(std::string_view argument, std::string& output);
  static std::string xclient_line();
  void response(std::string_view line, std::string& output);
  void follow(const sasl::Move& move, std::string& output);
  void end_exchange(ReplyId reply, std::string& output);
  bool keeps_refusal(const Answer& answer, std::string& output);
  void append_ehlo(std::string& output) const;
  [[nodiscard]] bool is_usable(const sasl::Mechanism& mechanism) const;
  [[nodiscard]] bool is_forbidden_in_clear(const sasl::Mechanism& mechanism) const;
  [[nodiscard]] bool is_of_exchange(std::string_view piece) const;
  [[nodiscard]] bool needs_identity() const { return options_->auth_required && identity_ == nullptr; }

  void ask(Stage stage, std::string& output);
  void accept_connect(std::string& output);
  void accept_helo(std::string& output);
  void accept_auth(std::string& output);
  void accept_mail(std::string& output);
  void accept_rcpt(std::string& output);
  void accept_data(std::string& output);
  void accept_message(std::string& output);
  void accept_verify(std::string& output);
  void accept_etrn(std::string& output);
  void refuse_connect();
  void refuse_helo();
  void refuse_auth();
  void refuse_mail();
  void refuse_rcpt();
  void refuse_data();
  void refuse_message();
  void refuse_aside();
  [[nodiscard]] bool is_of_labels(const mail::Mailbox& path) const;

  void reply(const Refusal& reply, std::string& output);
  void reply_to_message(const Refusal& reply, std::string& output);
  void repeat_for(std::size_t recipients, std::size_t from, std::string& output) const;
  [[nodiscard]] bool is_of_other_protocol(const Verb& verb) const;
  bool count_error(std::string& output);
  bool count_idle_command(std::string& output);
  void take_text(std::string_view octets);
  [[nodiscard]] ReplyId defect() const;
  void end_data(std::string& output);
  void begin_chunk();
  void drop_chunk(ReplyId refusal);
  void end_chunk(std::string& output);
  void end();
  void drop_message(ReplyId reason);
  void reset();
  [[nodiscard]] unsigned extensions() const;
  [[nodiscard]] bool is_too_large() const;
  [[nodiscard]] bool refuses_bare_line_ends() const;

  // An AUTH command that is not over.
  struct Exchange {
    const sasl::Mechanism* mechanism;
    std::unique_ptr<sasl::Exchange> machine;
    std::string refusal;  // not empty: decided; the client is owed it when it has responded to a last challenge
  };

  const ServerOptions* options_;
  MessageSink* sink_;
  std::string line_;  // begin of a command line whose end has not come; empty between commands
  std::string helo_;
  std::unique_ptr<Transaction> transaction_;
  std::unique_ptr<Exchange> exchange_;
  std::unique_ptr<Identity> identity_;
  std::unique_ptr<const Xclient> xclient_;
  std::unique_ptr<const std::string> subject_;  // of VRFY or ETRN
  std::unique_ptr<sasl::Facts> channel_;  // nullptr: nothing is known of it
  std::uint64_t chunk_left_ = 0;
  DotReader text_;
  unsigned progress_ = 0;
  unsigned messages_ = 0;
  unsigned transactions_ = 0;
  unsigned errors_ = 0;
  unsigned idle_commands_ = 0;
  State state_ = kStart;
  Reading reading_ = Reading::Greeting;
  Stage stage_ = Stage::Connect;
  ReplyId overlong_reply_ = ReplyId::LineTooLong;  // to the line that is skipped
  ReplyId chunk_refusal_ = ReplyId::None;  // reply to a chunk whose octets are thrown away; None: it was answered already
  bool is_asking_ = false;
  bool is_extended_ = false;
  bool is_secured_ = false;
  bool starts_tls_ = false;
  bool has_quit_ = false;
  bool allows_xclient_ = false;
  bool delays_ = false;
  bool delays_errors_ = false;
  bool is_chunked_ = false;     // the message comes by BDAT
  bool is_last_chunk_ = false;
  bool drops_chunk_ = false;
  bool has_text_ = false;       // sink_->begin() was called and the message is neither dropped nor handed over
  bool is_discarded_ = false;   // the message is dropped, its octets are read to their end
};

}  // namespace smtp
