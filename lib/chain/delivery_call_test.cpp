#include "lib/chain/delivery_call.h"

#include <doctest/doctest.h>

using chain::Delivery;
using chain::DeliveryReport;
using Class = chain::Outcome::Class;
using namespace std::string_literals;

TEST_CASE("chain: a delivery call is HOST SENDER RECIPIENT...") {
  const auto call = chain::parse_delivery_call({"example.org", "", "a@example.org", "b@example.org"});
  REQUIRE(call);
  CHECK(call->host == "example.org");
  CHECK(call->sender.empty());
  CHECK(call->recipients.size() == 2);
  CHECK(chain::to_arguments(*call) == chain::Words{"example.org", "", "a@example.org", "b@example.org"});
  CHECK(chain::parse_delivery_call({"example.org", ""}).error().fault == base::Fault::Usage);
}

TEST_CASE("chain: a delivery report is written and read back") {
  DeliveryReport report;
  report.recipients = {{Delivery::Accepted, "ok"}, {Delivery::Rejected, "no\nuser"}, {Delivery::Deferred, "nul\0here"s}};
  report.overall = Class::Taken;
  report.text = "250 done";
  const auto octets = chain::to_octets(report);
  CHECK(octets == "rok\0hno\nuser\0snul here\0K250 done\0"s);
  const auto read = chain::parse_delivery_report(octets, 3);
  CHECK(read.final(0) == Delivery::Accepted);
  CHECK(read.final_text(0) == "ok");  // else that of the call
  CHECK(chain::parse_delivery_report("r\0K250 done\0"s, 1).final_text(0) == "250 done");
  CHECK(read.final(1) == Delivery::Rejected);
  CHECK(read.final_text(1) == "no\nuser");
  CHECK(read.final(2) == Delivery::Deferred);
  CHECK(chain::to_answer(report).exit_code == 0);
}

TEST_CASE("chain: a report about no recipient is written as the overall report alone, and read back as such") {
  const auto dead = DeliveryReport::for_all(2, Class::Temporary, "no connection");
  CHECK(chain::to_octets(dead) == "Zno connection\0"s);
  CHECK(chain::parse_delivery_report(chain::to_octets(dead), 2).is_overall_only);
  CHECK(chain::to_octets(DeliveryReport::for_all(2, Class::Taken, "ok")) == "rok\0rok\0Kok\0"s);
  CHECK_FALSE(chain::parse_delivery_report("sgreylisted\0sgreylisted\0Zgreylisted\0"s, 2).is_overall_only);
  CHECK(chain::parse_delivery_report("garbage", 2).is_overall_only);
}

// Of two recipients; the letters are what finally holds for each.
TEST_CASE("chain: what a delivery report says in the end for each recipient") {
  struct Case {
    std::string report;
    std::string expected;
  };
  for (const auto& c : {
           Case{"ra\0rb\0Kok\0"s, "rr"},
           Case{"ra\0hb\0Kok\0"s, "rh"},
           Case{"ra\0rb\0Zlost after DATA\0"s, "ss"},
           Case{"ra\0hb\0Dmessage refused\0"s, "hh"},
           Case{"ha\0sb\0Dgiving up\0"s, "hs"},
           Case{"Zno connection\0"s, "ss"},
           Case{"Dno such host\0"s, "hh"},
           Case{"Kall\0"s, "rr"},
           Case{"ha\0Zconnection died\0"s, "hs"},
           // unsound: nobody is delivered, refusals stand
           Case{"", "ss"},
           Case{"ra\0rb\0"s, "ss"},
           Case{"ra\0hb\0"s, "sh"},
           Case{"ra\0Kok\0"s, "ss"},
           Case{"ra\0Dno\0"s, "ss"},
           Case{"ra\0rb\0rc\0Kok\0"s, "ss"},
           Case{"ra\0rb\0Kok"s, "ss"},
           Case{"ra\0rb\0Kok\0x"s, "ss"},
           Case{"ra\0rb\0Kok\0Kok\0"s, "ss"},
           Case{"ra\0xb\0Kok\0"s, "ss"},
           Case{"\0"s, "ss"},
           Case{"garbage", "ss"},
       }) {
    CAPTURE(c.report);
    const auto report = chain::parse_delivery_report(c.report, 2);
    REQUIRE(report.recipients.size() == 2);
    CHECK(std::string{static_cast<char>(report.final(0)), static_cast<char>(report.final(1))} == c.expected);
    for (std::size_t i = 0; i < 2; ++i) CHECK_FALSE(report.final_text(i).empty());
  }
}

TEST_CASE("chain: a delivery call that did not end well is deferred for all, with its cause") {
  chain::Outcome outcome;
  outcome.cause = "deliver-remote: killed by signal 11";
  const auto report = chain::read_delivery(outcome, 2);
  CHECK(report.final(1) == Delivery::Deferred);
  CHECK(report.final_text(1) == outcome.cause);
}
