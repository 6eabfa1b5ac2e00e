// Whom a session asks at its stages, and what the answers add up to (Postfix's access(5), SMTPD_POLICY_README). No I/O.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/chain/message_call.h"
#include "lib/chain/policy.h"
#include "lib/chain/policy_action.h"
#include "lib/chain/policy_client.h"
#include "lib/smtp/server_options.h"

namespace smtpd {

struct Policy {
  chain::Words words;   // as PolicyClient takes them
  unsigned stages = 0;  // bit() of those at which it is asked
};

struct PolicyConfiguration {
  std::vector<Policy> policies;         // asked in their order
  chain::PolicyAction when_it_fails;    // instead of an answer that does not come or cannot be meant
  chain::PolicyClient::Limits limits;

  [[nodiscard]] unsigned stages() const;
  // "vsl-filter --policy main.vsl -- rcpt=inet:127.0.0.1:10023": in front of a policy may stand the stages it is for, as in
  // "mail,rcpt=unix:/run/policy"; else it is asked at all but auth, which would show
  // it passwords: that must be said, or "all".
  [[nodiscard]] static base::Result<std::vector<Policy>> parse(const chain::Words& words);
};

// What policies have asked for, beside yes or no.
struct PolicyEffects {
  std::vector<std::string> fields;  // to stand above the Received field
  std::string hold;                 // why the message is held; "" is not held
  bool discards = false;
  std::string redirect;             // the only recipient; "": those that the client gave
  std::vector<std::string> copies;  // further recipients
  std::string filter;               // the server that all of them are sent to (ForwardTarget); "": as their domains are
};

struct PolicyVerdict {
  bool accepts = true;
  bool closes = false;
  std::string reply;  // "554 5.7.1 no"; "": the standard reply
  bool has_decided = false;  // by an OK or a refusal: nobody else is to be asked
  bool has_failed = false;   // the policy, not the client
  std::string keys;          // the attribute `keys` of an OK
};

class PolicyRounds {
 public:
  // Borrowed for life. `client` is for the log.
  PolicyRounds(const PolicyConfiguration& configuration, std::string client) : configuration_(configuration), client_(std::move(client)) {}

  // A round of questions about a stage begins. At Stage::Mail what an earlier transaction led to is forgotten; what came before
  // it stays for the session. A client may say HELO again: the last one counts, and what an earlier one led to is forgotten too.
  // `instance` is what the transaction is called, or the session before there is one.
  void begin(smtp::Stage stage, std::string instance = {});
  [[nodiscard]] bool is_under_way() const { return is_under_way_; }
  [[nodiscard]] const std::string& instance() const { return instance_; }
  // Who is asked now; nullptr: everybody has been, or one has decided.
  [[nodiscard]] const Policy* policy() const;
  void take(const base::Result<chain::PolicyAttributes>& answer);
  // The end of the round.
  [[nodiscard]] PolicyVerdict finish();

  // What the policy that is asked now said last; it is handed back to it.
  [[nodiscard]] const std::string& state() const { return now_.states[next_]; }
  // That of the last policy that has one, for the message.
  [[nodiscard]] std::string_view state_of_message() const;
  [[nodiscard]] const PolicyEffects& effects() const { return now_.effects; }

 private:
  struct Learnt {
    PolicyEffects effects;
    std::vector<std::string> states;  // one a policy
    std::vector<unsigned> stages;     // one a policy: where it is asked
  };
  [[nodiscard]] static Learnt nothing_learnt(const PolicyConfiguration& configuration);
  void apply(const chain::PolicyAction& action, const chain::PolicyAttributes& attributes);
  void refuse(std::string reply, bool closes);
  void refuse_for_failure();
  void note(bool is_warning, std::string_view what, std::string_view text) const;
  void skip();
  void keep_effects();

  const PolicyConfiguration& configuration_;
  std::string client_, instance_;
  PolicyEffects lasting_;  // of connect and AUTH: no further greeting undoes them
  Learnt before_ = nothing_learnt(configuration_);  // of the session, without a transaction
  Learnt now_ = before_;
  smtp::Stage stage_ = smtp::Stage::Connect;
  std::size_t next_ = 0;
  bool is_under_way_ = false;
  PolicyVerdict verdict_;
  std::string defer_if_permit_, defer_if_reject_;  // replies; "": nobody asked for it
};

}  // namespace smtpd
