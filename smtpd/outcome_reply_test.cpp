#include "smtpd/outcome_reply.h"

#include <doctest/doctest.h>

using Class = chain::Outcome::Class;

namespace {
chain::Outcome outcome(Class result, int exit_code, std::string reply = "") {
  chain::Outcome o;
  o.result = result;
  o.exit_code = exit_code;
  o.reply = std::move(reply);
  return o;
}
}  // namespace

TEST_CASE("the end of a chain becomes a reply") {
  struct Row {
    Class result;
    int exit_code;
    const char *reply, *lines;
    bool closes;
  };
  for (const auto& row : std::initializer_list<Row>{
           {Class::Taken, 0, "", "250 2.0.0 Ok: queued as ID7\r\n", false},
           {Class::Taken, 0, "250 2.0.0 Ok: queued as X", "250 2.0.0 Ok: queued as X\r\n", false},
           {Class::Taken, 0, "thanks", "250 2.0.0 thanks\r\n", false},
           {Class::Taken, 0, "554 no", "250 2.0.0 Ok: queued as ID7\r\n", false},  // it has been taken
           {Class::Permanent, 82, "554 5.7.1 spam", "554 5.7.1 spam\r\n", false},
           {Class::Permanent, 82, "spam\nreally", "554-5.7.1 spam\r\n554 5.7.1 really\r\n", false},
           {Class::Permanent, 31, "", "554 5.3.0 Message refused\r\n", false},
           {Class::Permanent, 11, "", "554 5.1.3 Address too long\r\n", false},
           {Class::Permanent, 82, "250 fine", "451 4.3.0 Requested action aborted: local error in processing\r\n", false},
           {Class::Temporary, 82, "450 4.7.1 later", "450 4.7.1 later\r\n", false},
           {Class::Temporary, 82, "421 4.3.2 bye", "421 4.3.2 bye\r\n", true},
           {Class::Temporary, 53, "", "452 4.3.1 Insufficient system storage\r\n", false},
           {Class::Temporary, 139, "", "451 4.3.0 Requested action aborted: local error in processing\r\n", false},
       }) {
    CAPTURE(row.reply);
    CAPTURE(row.exit_code);
    const auto reply = smtpd::reply_to(outcome(row.result, row.exit_code, row.reply), "ID7", false);
    CHECK(reply.reply.lines == row.lines);
    CHECK(reply.accepts == (row.result == Class::Taken));
    CHECK(reply.closes == row.closes);
  }
  CHECK_FALSE(smtpd::reply_to(outcome(Class::Permanent, 82, "250 fine"), "ID7", false).complaint.empty());
}
