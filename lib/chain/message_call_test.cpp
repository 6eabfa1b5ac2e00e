#include "lib/chain/message_call.h"

#include <doctest/doctest.h>

using chain::Outcome;
using chain::Words;
using Class = chain::Outcome::Class;
using namespace std::string_literals;

TEST_CASE("chain: exit code and report are read together") {
  struct Case {
    int exit_code;
    std::string report;
    Class result;
    const char* reply;
    bool has_cause;
  };
  for (const auto& c : {
           Case{0, "", Class::Taken, "", false},
           Case{0, "K250 2.0.0 queued as 7\n", Class::Taken, "250 2.0.0 queued as 7", false},
           Case{82, "Z450 4.7.1 not on Sundays", Class::Temporary, "450 4.7.1 not on Sundays", false},
           Case{82, "D554 5.7.1 one\n554 5.7.1 two\r\n", Class::Permanent, "554 5.7.1 one\n554 5.7.1 two", false},
           Case{82, "D", Class::Permanent, "", false},
           Case{82, "", Class::Temporary, "", true},
           Case{82, "K fine", Class::Temporary, "", true},
           Case{0, "Dno", Class::Temporary, "", true},
           Case{0, "Zno", Class::Temporary, "", true},
           Case{0, "hello", Class::Temporary, "", true},
           Case{82, "D\0no"s, Class::Temporary, "", true},
           Case{11, "", Class::Permanent, "", true},
           Case{31, "", Class::Permanent, "", true},
           Case{40, "", Class::Permanent, "", true},
           Case{10, "", Class::Temporary, "", true},
           Case{41, "", Class::Temporary, "", true},
           Case{53, "Dnot for the client", Class::Temporary, "", true},
           Case{1, "", Class::Temporary, "", true},
           Case{255, "", Class::Temporary, "", true},
       }) {
    CAPTURE(c.exit_code);
    CAPTURE(c.report);
    const Outcome outcome = chain::read_outcome(c.exit_code, c.report);
    CHECK(outcome.result == c.result);
    CHECK(outcome.reply == c.reply);
    CHECK(outcome.cause.empty() == !c.has_cause);
    CHECK(outcome.exit_code == c.exit_code);
  }
  CHECK(chain::read_outcome(53, "").cause == "exit code 53 (write error or disk full)");
}

TEST_CASE("chain: a report may have 64 KB") {
  CHECK(chain::read_outcome(82, "D" + std::string(65535, 'x')).result == Class::Permanent);
  CHECK(chain::read_outcome(82, "D" + std::string(65536, 'x')).result == Class::Temporary);
}

TEST_CASE("chain: a chain is cut at its first dashes") {
  const Words words = {"mime-check", "--mark", "X", "--", "unix:/run/q", "--", "z"};
  const auto link = chain::first_link(words);
  CHECK(Words(link.program.begin(), link.program.end()) == Words{"mime-check", "--mark", "X"});
  CHECK(Words(link.rest.begin(), link.rest.end()) == Words{"unix:/run/q", "--", "z"});
  CHECK(chain::first_link(Words{"a"}).rest.empty());
  for (const auto& malformed : {Words{}, Words{"--"}, Words{"--", "a"}, Words{"a", "--"}}) CHECK(chain::first_link(malformed).program.empty());
}

TEST_CASE("chain: answers carry their exit code and letter") {
  CHECK(chain::Answer::taken("250 ok").report == "K250 ok");
  CHECK(chain::Answer::as_reported(base::Fault::Permanent, "554 no").report == "D554 no");
  CHECK(chain::Answer::as_reported(base::Fault::Temporary, "450 later").report == "Z450 later");
  CHECK(chain::Answer::as_reported(base::Fault::Temporary, "").exit_code == 82);
}
