#include "smtpd/outcome_reply.h"

#include <array>

namespace smtpd {
namespace {

using smtp::ReplyClass;

// Exit codes of qmail-queue(8) whose meaning a client may know more of than its class says.
struct ExitReply {
  int exit_code;
  std::string_view text;
};
constexpr auto kExitReplies = std::to_array<ExitReply>({
    {11, "554 5.1.3 Address too long"},
    {51, "451 4.3.0 Out of memory"},
    {53, "452 4.3.1 Insufficient system storage"},
    {72, "451 4.4.1 The next server does not answer"},
    {73, "451 4.4.1 The next server cannot be reached"},
    {74, "451 4.4.2 The connection to the next server was lost"},
});

std::string_view standard_text(ReplyClass reply_class, int exit_code) {
  for (const auto& row : kExitReplies)
    if (row.exit_code == exit_code && row.text.front() - '0' == static_cast<int>(reply_class)) return row.text;
  return reply_class == ReplyClass::Permanent ? "554 5.3.0 Message refused" : "451 4.3.0 Requested action aborted: local error in processing";
}

ReplyClass class_of(chain::Outcome::Class result) {
  switch (result) {
    case chain::Outcome::Class::Taken: return ReplyClass::Positive;
    case chain::Outcome::Class::Temporary: return ReplyClass::Transient;
    case chain::Outcome::Class::Permanent: break;
  }
  return ReplyClass::Permanent;
}

}  // namespace

OutcomeReply reply_to(const chain::Outcome& outcome, std::string_view id, bool utf8) {
  constexpr int kClosing = 421;
  OutcomeReply result;
  ReplyClass reply_class = class_of(outcome.result);
  result.accepts = reply_class == ReplyClass::Positive;
  if (!outcome.reply.empty()) {
    result.reply = smtp::reply_of_text(reply_class, outcome.reply, utf8);
    if (result.reply.code == 0) {
      result.complaint = "reply contradicts exit code " + std::to_string(outcome.exit_code) + ": " + outcome.reply;
      if (!result.accepts) reply_class = ReplyClass::Transient;
    }
  }
  if (result.reply.code == 0) {
    const int exit_code = result.complaint.empty() ? outcome.exit_code : 0;
    const std::string text = result.accepts ? "2.0.0 Ok: queued as " + std::string(id) : std::string(standard_text(reply_class, exit_code));
    result.reply = smtp::reply_of_text(reply_class, text);
  }
  result.closes = result.reply.code == kClosing;
  return result;
}

}  // namespace smtpd
