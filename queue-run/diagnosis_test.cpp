#include "queue-run/diagnosis.h"

#include <doctest/doctest.h>

using namespace run;

TEST_CASE("diagnosis: status, host and words of what transports say") {
  struct Row {
    const char* text;
    Outcome outcome;
    const char *status, *mta, *reply;
    bool is_smtp;
  };
  using enum Outcome;
  for (const Row& row : {
           Row{"mx.example.org[192.0.2.1]:25 said at RCPT: 550 5.1.1 no such user", Failed, "5.1.1", "mx.example.org", "550 5.1.1 no such user", true},
           {"[192.0.2.1]:2525 said at end of data: 554 go away", Failed, "5.0.0", "[192.0.2.1]", "554 go away", true},
           {"[2001:db8::1]:25 said at EHLO: 554 go away", Failed, "5.0.0", "[2001:db8::1]", "554 go away", true},
           {"a.example[192.0.2.1]:25: 451 4.4.1 connect: refused\nb.example[192.0.2.2]:25 said at RCPT: 450 4.2.0 first\n4.2.0 second", Delayed, "4.2.0",
            "b.example", "450 4.2.0 first 4.2.0 second", true},
           {"a.example[192.0.2.1]:25: 451 4.4.1 connect: refused", Delayed, "4.4.1", "a.example", "451 4.4.1 connect: refused", true},
           {"mx.example.org[192.0.2.1]:25 (DANE-EE) said at RCPT: 550 5.1.1 no such user", Failed, "5.1.1", "mx.example.org", "550 5.1.1 no such user", true},
           {"mx.example.org[192.0.2.1]:25 (MTA-STS): 451 4.4.2 connection closed", Delayed, "4.4.2", "mx.example.org", "451 4.4.2 connection closed", true},
           {"mx.example.org[192.0.2.1]:25 (MTA-STS", Failed, "5.0.0", "", "mx.example.org[192.0.2.1]:25 (MTA-STS", false},
           // As a progress file has it.
           {"a.example[192.0.2.1]:25: 451 4.4.1 x\\x0ab.example[192.0.2.2]:25: 451 4.4.2 y", Delayed, "4.4.2", "b.example", "451 4.4.2 y", true},
           {"550 5.1.1 no such user", Failed, "5.1.1", "", "550 5.1.1 no such user", true},
           {"given up, too long in the queue; last: a.example[192.0.2.1]:25: 451 4.4.1 timeout", Failed, "4.4.1", "a.example", "451 4.4.1 timeout", true},
           {"given up, too long in the queue; last: killed by signal 11", Failed, "4.4.7", "", "killed by signal 11", false},
           {"not tried, suspended after: a.example[192.0.2.1]:25: 421 busy", Delayed, "4.0.0", "a.example", "421 busy", true},
           {"450 4.2.0 later", Failed, "5.0.0", "", "450 4.2.0 later", true},  // a class that contradicts
           {"550 5.1.1 never", Delayed, "4.0.0", "", "550 5.1.1 never", true},
           {"I do not like recipient", Failed, "5.0.0", "", "I do not like recipient", false},
           {"250 2.1.5 ok", Succeeded, "2.1.5", "", "250 2.1.5 ok", true},
           {"2500 things", Succeeded, "2.0.0", "", "2500 things", false},
           {"550 5.1.1.1 odd", Failed, "5.0.0", "", "550 5.1.1.1 odd", true},
           {"", Failed, "5.0.0", "", "", false},
       }) {
    CAPTURE(row.text);
    const auto diagnosis = diagnose(row.text, row.outcome);
    CHECK(diagnosis.status == row.status);
    CHECK(diagnosis.remote_mta == row.mta);
    CHECK(diagnosis.reply == row.reply);
    CHECK(diagnosis.is_smtp == row.is_smtp);
  }
}

TEST_CASE("diagnosis: a status is explained whatever its class") {
  CHECK(explanation_of("5.1.1") == explanation_of("4.1.1"));
  CHECK_FALSE(explanation_of("5.1.10").empty());
  CHECK(explanation_of("5.0.0").empty());
  CHECK(explanation_of("").empty());
}
