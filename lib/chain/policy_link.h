// Session questions over a connection to a resident program: many at a time, each a frame (frame.h), those of one turn of the loop in one
// write. Only for programs that have said that they take them so (policy_client.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/chain/policy.h"
#include "lib/chain/resident_link.h"
#include "lib/net/loop.h"

namespace chain {

struct PolicyQuestion {
  std::uint64_t handle = 0;
  std::string text;  // with its empty line
  std::function<void(base::Result<PolicyAttributes>)> done;
  std::uint64_t asked_at = 0, deadline = 0;  // milliseconds
  bool is_asked_again = false;
};

class PolicyLink final : ResidentLink::User {
 public:
  // Whom a link reports to. Outlives it.
  class User {
   public:
    // The answer is good until it returns. Questions may be asked and given up inside; the link stays.
    virtual void on_answer(PolicyLink& link, PolicyQuestion question, base::Result<PolicyAttributes> answer) = 0;
    // It is over; what has no answer is to be had by take_all(). The link may be destroyed here.
    virtual void on_end(PolicyLink& link, const std::string& cause) = 0;

   protected:
    ~User() = default;
  };

  // `name` is "unix:SOCKET".
  [[nodiscard]] static base::Result<std::unique_ptr<PolicyLink>> connect(net::Loop& loop, const std::string& name, User& user);

  // Nothing is sent before flush().
  void ask(PolicyQuestion question);
  void flush();
  [[nodiscard]] bool wants_flush() const { return link_ && link_->wants_flush(); }

  // Questions without an answer, those that were given up among them: the program has them all the same.
  [[nodiscard]] std::size_t open_count() const { return slots_.size() - free_.size(); }
  [[nodiscard]] std::uint64_t last_answer() const { return last_answer_; }  // when it came, or when the link was made
  [[nodiscard]] bool has_answered() const { return has_answered_; }          // once at least
  // The question keeps its place until it is answered or out of time, and nobody is told then. False: it is not here.
  bool give_up(std::uint64_t handle);
  [[nodiscard]] std::vector<PolicyQuestion> take_late(std::uint64_t now);
  [[nodiscard]] std::vector<PolicyQuestion> take_all();

 private:
  PolicyLink(net::Loop& loop, const std::string& name, User& user) : loop_(loop), user_(user), program_{name}, last_answer_(loop.now_milliseconds()) {}
  std::span<char> read_buffer() override { return buffer_; }
  void on_answer(ResidentLink& link, AnswerFrame frame, std::optional<base::Blob> message) override;
  void on_closed_for_calls(ResidentLink&) override {}  // its end follows
  void on_end(ResidentLink& link, const std::string& cause) override;
  PolicyQuestion take(std::size_t slot);

  net::Loop& loop_;
  User& user_;
  Words program_;
  std::uint64_t last_answer_;
  bool has_answered_ = false;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 16U);
  // The id of a frame is the handle of its question and, in the low bits, its slot.
  std::vector<std::optional<PolicyQuestion>> slots_;
  std::vector<std::size_t> free_;  // slots
  std::unique_ptr<ResidentLink> link_;
};

}  // namespace chain
