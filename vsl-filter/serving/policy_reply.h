// The session question (lib/chain/policy.h): rules for smtpd, and for a Postfix that asks check_policy_service.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/chain/message_call.h"
#include "vsl-filter/serving/postfix_action.h"
#include "vsl-filter/stages/rule_set.h"
#include "vsl-filter/transaction/stage.h"
#include "vsl-filter/transaction/transaction.h"

namespace rules {

// A session of which several questions come.
struct AskedSession {
  Session session;
  Stages ran = 0;  // their rules have run
  bool knows_question = false;  // the session has been told already what the question says of it
  ToldPostfix told;
  std::string last_question;  // of Postfix
  std::string refusal;        // the answer to that; "" if it was none
};

// Postfix hands no state back: what rules learnt is kept by its attribute `instance`, for the sessions that asked last.
class PolicyMemory {
 public:
  static constexpr std::size_t kMost = 2000;

  // Out of here; a new one if there is none.
  [[nodiscard]] std::unique_ptr<AskedSession> take(const std::string& instance);
  void put(const std::string& instance, std::unique_ptr<AskedSession> session);

 private:
  struct Entry {
    std::string instance;
    std::unique_ptr<AskedSession> session;
  };
  std::mutex mutex_;
  std::list<Entry> recent_;  // the last one used in front
  std::unordered_map<std::string, std::list<Entry>::iterator> by_instance_;
};

// `question`: its text. The report of the answer is the reply; exit code not 0: no question that can be answered.
[[nodiscard]] chain::Answer answer_question(const RuleSet& rules, const std::string& question, PolicyMemory& memory);

}  // namespace rules
