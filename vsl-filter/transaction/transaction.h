// What rules act on (vsl.md 2.2): the facts of a connection, shared by all its transactions, and one transaction from MAIL to the
// end of delivery, with what rules made of it. Knows no I/O, no clock and no language.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/authn/dkim.h"
#include "lib/base/blob.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/chain/delegation.h"
#include "vsl-filter/transaction/message.h"
#include "vsl-filter/transaction/recipients.h"
#include "vsl-filter/transaction/stage.h"
#include "vsl-filter/transaction/standing.h"

namespace rules {

// The status that ended the rules of a transaction or connection: "skipped" of vsl.md 4.4.
struct Skip {
  enum class Kind : std::uint8_t { None, Next, Accept, Faccept, Deny, Info, Quarantine, Delegated, DelegationResult };
  Kind kind = Kind::None;
  std::string code;   // name of a standard reply: "Denied"
  std::string reply;  // else the text of a reply of its own
  std::string name;   // of Quarantine

  // Whether all stages behind it do nothing and report it.
  [[nodiscard]] bool finishes() const { return kind == Kind::Faccept || kind == Kind::Deny || kind == Kind::Quarantine || kind == Kind::Delegated; }
  friend bool operator==(const Skip&, const Skip&) = default;
};
// "Quarantine"; "" for None.
std::string_view name_of(Skip::Kind kind);
std::optional<Skip::Kind> skip_kind_of(std::string_view name);

struct TlsFacts {
  std::string protocol, cipher, sni, client_certificate;
  friend bool operator==(const TlsFacts&, const TlsFacts&) = default;
};

struct Credentials {
  enum class Kind : std::uint8_t { Verify, Query, AnonymousToken } kind = Kind::Verify;
  std::string id;        // authid; the token of AnonymousToken
  std::string password;  // of Verify while AUTH goes on; never written anywhere
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

// Who set a message aside, for whoever looks into the quarantine.
struct QuarantineNote {
  std::string rule;   // the directive
  std::string stage;  // "" : nothing is known
  base::WallTime time{};
  std::string reason;
  friend bool operator==(const QuarantineNote&, const QuarantineNote&) = default;
};

// JSON texts by the names that scripts give them.
using Variables = std::map<std::string, std::string, std::less<>>;

// What rules of connect, helo and authenticate made of a connection, beside a status that ended them.
struct RulesMade {
  Variables variables;
  std::string headers;  // the fields, each with CRLF
  std::vector<std::string> recipients;
  friend bool operator==(const RulesMade&, const RulesMade&) = default;
};

struct Connection {
  std::string client_ip, server_ip;  // without brackets; "" when the client came by no network
  std::uint16_t client_port = 0, server_port = 0;
  std::string server_name;
  std::string helo;
  base::WallTime time{};
  std::optional<TlsFacts> tls;
  bool is_secured = false;
  bool is_authenticated = false;
  std::optional<Credentials> credentials;
  std::uint64_t error_count = 0, authentication_attempts = 0;
  Standing standing;

  // What rules of connect, helo and authenticate left, for every transaction.
  Skip skip;
  Variables variables;
  HeaderList headers;
  std::vector<std::string> recipients;
  // ... and what there was of it before the rules of helo: a client may say HELO again.
  std::optional<RulesMade> before_helo;

  [[nodiscard]] RulesMade made() const;
  void restore(const RulesMade& made);
};

// What rules ask of the queue for a message (queue:: of vsl.md 5.4).
struct QueueWishes {
  struct PutOff {
    std::string reason;  // "450 4.3.2 at night"
    base::WallTime until{};
    friend bool operator==(const PutOff&, const PutOff&) = default;
  };
  std::optional<PutOff> put_off;                     // when the first delivery is tried
  std::optional<std::uint64_t> retry_after_seconds;  // from one attempt to the next
  std::optional<std::uint64_t> expire_seconds;       // from its arrival until it is given up
  int priority = 0;                                  // below 0: behind fresh mail
  bool no_bounce = false;                            // its sender is told nothing of its delivery
  std::string verp = {};                             // delimiters (lib/mail/verp.h): each recipient is sent to from an address of its own
  friend bool operator==(const QueueWishes&, const QueueWishes&) = default;
};

// A DKIM signature that rules have put on the message: made again when they change the message afterwards.
struct MadeSignature {
  std::shared_ptr<const authn::PrivateKey> key;
  authn::dkim::SignOptions options;
  std::string body;  // of the field, as it stands behind the blank after its colon
};

struct Transaction {
  std::string reverse_path;  // "" is <>
  std::string given_reverse_path;  // as MAIL said it
  Recipients recipients;
  std::string message_id;  // [A-Za-z0-9-]
  base::WallTime time{};   // of MAIL
  Skip skip;
  Variables variables;
  HeaderList headers;  // what was added before the message came
  std::optional<Message> message;
  std::string quarantine;    // its name, once rules want the message there
  QuarantineNote quarantine_note;
  QueueWishes wishes;
  std::string hold;          // why it shall be held
  std::optional<chain::Delegation> delegation;  // a content filter has it, or has had it
  std::vector<MadeSignature> signatures;  // of this stage, in their order
  std::uint64_t signed_at = 0;            // changes() of the message then
  Variables results;         // spf, dkim, dmarc, arc, bimi, flow: what later stages learn (JSON)

  // "" and "<>" are the null reverse-path. Fault::Permanent: not a valid address.
  [[nodiscard]] base::Result<void> rewrite_reverse_path(std::string_view address);
  // "virus", "virus/zip": a folder of the spool's quarantine, and never a path out of it (vsmtp-spool(5)).
  [[nodiscard]] base::Result<void> set_quarantine(std::string_view name);
};

class Session {
 public:
  Connection connection;

  [[nodiscard]] Transaction* transaction() { return transaction_ ? &*transaction_ : nullptr; }
  [[nodiscard]] const Transaction* transaction() const { return transaction_ ? &*transaction_ : nullptr; }

  // What the client said. EHLO and HELO end a transaction (RFC 5321 section 4.1.4); STARTTLS forgets all that the client said
  // before it (RFC 3207 section 4.2). Of several greetings the last one counts: what rules of helo made of an earlier one is
  // undone, unless they ended the rules of the connection with it.
  void helo(std::string name);
  // The rules of authenticate have run, on what they found: that stays when the client greets once more.
  void authenticated(const RulesMade& before);
  void starttls(TlsFacts tls);
  Transaction& mail(std::string reverse_path, std::string message_id, base::WallTime now);
  void rcpt(std::string address, base::WallTime now);
  // To the transaction, what rules left for each one before there was one: fields, recipients, a quarantine. mail() and rcpt() do so.
  void inherit();
  void refuse_rcpt();
  void reset() { transaction_.reset(); }
  [[nodiscard]] base::Result<void> message(base::Blob octets);
  void message(Message message);  // one that is open already; there is a transaction

  // The fields that rules see now: of the message, else those they have added.
  [[nodiscard]] HeaderList& headers();
  // A recipient that rules add before there is a transaction joins each one at its first RCPT (3.15 [a]).
  [[nodiscard]] base::Result<void> add_recipient(std::string_view address, base::WallTime now);
  void forget_recipient(std::string_view address);  // one of these

  // That of the transaction, else of the connection.
  [[nodiscard]] const Skip& skip() const;
  void set_skip(Stage stage, Skip skip);
  // nullptr: nothing of that name. A variable of the transaction hides that of the connection.
  [[nodiscard]] const std::string* variable(std::string_view name) const;
  void set_variable(Stage stage, std::string_view name, std::string json);

  // The message is in the queue, and goes on in spite of what has set it aside before: an operator wants it so.
  void release();

  // Where the spool shall put the message, a folder of vsmtp-spool(5): "quarantine/NAME", "hold", "deliver", "dead",
  // "delegated"; "" leaves it to the queue. What cannot be the name of a quarantine is held.
  [[nodiscard]] std::string place() const;

 private:
  void add_early_recipients(std::size_t position);

  std::optional<Transaction> transaction_;
};

bool is_message_id(std::string_view id);

}  // namespace rules
