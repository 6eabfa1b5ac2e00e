// Asks policies: the caller's end of the session question (policy.h), from a loop, many sessions at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "lib/base/result.h"
#include "lib/chain/message_call.h"
#include "lib/chain/policy.h"
#include "lib/net/loop.h"

namespace chain {

// A policy is named "unix:SOCKET", "inet:ADDRESS:PORT", or a program with its arguments, which reads questions on descriptor 0 and
// answers on descriptor 1. Connections and programs are kept and used again; each has one question at a time, so there are as many
// as questions at once. Where one that was kept turns out to have gone away, the question is asked once more.
//
// A resident program of ours says in its answer that it takes questions as frames, too. When a second connection to it were to be made,
// all questions share one instead (policy_link.h), until that ends: then it is asked by text again, in case it is another program now.
class PolicyClient {
 public:
  struct Limits {
    std::uint64_t timeout_milliseconds = 100'000;  // of a question, waiting in line included
    std::uint64_t idle_milliseconds = 300'000;     // then a connection that nobody uses is closed, and its program ends
    std::size_t connections = 100;                 // to each policy; more questions wait in line
  };
  PolicyClient(net::Loop& loop, const Limits& limits);
  ~PolicyClient();  // questions that are open end in nothing

  using Done = std::function<void(base::Result<PolicyAttributes>)>;  // good until it returns
  // `question` ends with its empty line. `done` is called later from the loop, never from inside ask().
  std::uint64_t ask(const Words& policy, std::string question, Done done);
  void cancel(std::uint64_t handle);

 private:
  struct Internal;
  std::unique_ptr<Internal> internal_;
};

// Where a policy is; Fault::Config: the name is no address. A program needs none.
[[nodiscard]] base::Result<void> check_policy(const Words& policy);

}  // namespace chain
