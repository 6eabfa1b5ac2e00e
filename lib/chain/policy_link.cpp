#include "lib/chain/policy_link.h"

#include <utility>

namespace chain {
namespace {

constexpr std::size_t kNoMessage = 0;
constexpr unsigned kSlotBits = 20;
constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << kSlotBits) - 1;

base::Error no_answer(std::string cause) { return {base::Fault::Temporary, std::move(cause)}; }

// Attributes are views into the report.
base::Result<PolicyAttributes> read(const Answer& answer) {
  if (answer.exit_code != 0 || answer.report.empty()) return std::unexpected(no_answer("the policy has no answer"));
  if (answer.report.size() > kPolicyOctets) return std::unexpected(no_answer("an answer of more than 64 KB"));
  return parse_policy(answer.report);
}

}  // namespace

base::Result<std::unique_ptr<PolicyLink>> PolicyLink::connect(net::Loop& loop, const std::string& name, User& user) {
  std::unique_ptr<PolicyLink> made(new PolicyLink(loop, name, user));
  auto link = ResidentLink::connect(loop, name, *made);
  if (!link) return std::unexpected(link.error());
  made->link_ = std::move(*link);
  return made;
}

void PolicyLink::ask(PolicyQuestion question) {
  if (free_.empty()) {
    free_.push_back(slots_.size());
    slots_.emplace_back();
  }
  const auto slot = free_.back();
  free_.pop_back();
  Call call;
  call.kind = Kind::Policy;
  call.envelope = std::move(question.text);
  call.envelope.pop_back();  // the empty line, which is no part of a call
  (void)link_->put(question.handle << kSlotBits | slot, call, kNoMessage, {program_, {}});  // there is no message that could not be read
  question.text = std::move(call.envelope);
  question.text += '\n';
  slots_[slot] = std::move(question);
}

void PolicyLink::flush() {
  if (link_) link_->flush();
}

PolicyQuestion PolicyLink::take(std::size_t slot) {
  PolicyQuestion question = std::move(*slots_[slot]);
  slots_[slot].reset();
  free_.push_back(slot);
  return question;
}

// What nobody waits for any more was late.
void PolicyLink::on_answer(ResidentLink&, AnswerFrame frame, std::optional<base::Blob>) {
  last_answer_ = loop_.now_milliseconds();
  has_answered_ = true;
  const std::size_t slot = frame.id & kSlotMask;
  if (slot >= slots_.size() || !slots_[slot] || slots_[slot]->handle != frame.id >> kSlotBits) return;
  user_.on_answer(*this, take(slot), read(frame.answer));
}

void PolicyLink::on_end(ResidentLink&, const std::string& cause) { user_.on_end(*this, cause); }

bool PolicyLink::give_up(std::uint64_t handle) {
  for (auto& question : slots_) {
    if (!question || question->handle != handle) continue;
    question->done = [](const auto&) {};
    question->is_asked_again = true;  // but not over again
    return true;
  }
  return false;
}

std::vector<PolicyQuestion> PolicyLink::take_late(std::uint64_t now) {
  std::vector<PolicyQuestion> late;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot)
    if (slots_[slot] && slots_[slot]->deadline <= now) late.push_back(take(slot));
  return late;
}

std::vector<PolicyQuestion> PolicyLink::take_all() {
  std::vector<PolicyQuestion> all;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot)
    if (slots_[slot]) all.push_back(take(slot));
  return all;
}

}  // namespace chain
