#include "deliver-pipe/end.h"

#include <doctest/doctest.h>

using chain::Delivery;
using pipe_delivery::result_of;

TEST_CASE("pipe: exit codes of sysexits and of qmail") {
  struct Case {
    int code;
    Delivery delivery;
    std::string_view reply;
  };
  for (const auto& c : std::initializer_list<Case>{{0, Delivery::Accepted, "250 2.0.0 delivered to command cmd"},
                                                   {99, Delivery::Accepted, "250 2.0.0 delivered to command cmd"},
                                                   {64, Delivery::Rejected, "550 5.3.0 command line usage error"},
                                                   {67, Delivery::Rejected, "550 5.1.1 user unknown"},
                                                   {71, Delivery::Deferred, "451 4.3.0 system resource problem"},
                                                   {75, Delivery::Deferred, "451 4.3.0 temporary failure"},
                                                   {77, Delivery::Rejected, "550 5.7.0 permission denied"},
                                                   {78, Delivery::Rejected, "550 5.3.5 local configuration error"},
                                                   {100, Delivery::Rejected, "550 5.3.0 command failed for good"},
                                                   {111, Delivery::Deferred, "451 4.3.0 command failed for now"},
                                                   {127, Delivery::Deferred, "451 4.3.0 command not found"},
                                                   {1, Delivery::Deferred, "451 4.3.0 command ended with exit code 1"},
                                                   {255, Delivery::Deferred, "451 4.3.0 command ended with exit code 255"}}) {
    CAPTURE(c.code);
    const auto result = result_of({c.code, {}, "", ""}, "cmd");
    CHECK(result.delivery == c.delivery);
    CHECK(result.text == c.reply);
  }
  const auto killed = result_of({{}, 11, "", ""}, "cmd");
  CHECK(killed.delivery == Delivery::Deferred);
  CHECK(killed.text == "451 4.3.0 cmd was killed by signal 11");
}

TEST_CASE("pipe: what a command says is in the reply, or is the reply") {
  const auto said = [](int code, std::string output, std::string errors = "") { return result_of({code, {}, std::move(output), std::move(errors)}, "cmd"); };
  CHECK(said(75, "no room\nmore").text == "451 4.3.0 temporary failure: no room");
  CHECK(said(75, "", "\n no room\r\n").text == "451 4.3.0 temporary failure: no room");
  CHECK(said(75, "a\x01z").text == "451 4.3.0 temporary failure: a\\x01z");
  CHECK(said(0, "5.7.1 no").delivery == Delivery::Accepted);
  CHECK(said(1, "5.7.1 no").text == "550 5.7.1 no");
  CHECK(said(1, "5.7.1 no").delivery == Delivery::Rejected);
  CHECK(said(67, "4.2.2 full").text == "450 4.2.2 full");
  CHECK(said(67, "4.2.2 full").delivery == Delivery::Deferred);
  CHECK(said(67, "2.0.0 fine").text == "550 5.1.1 user unknown: 2.0.0 fine");
  CHECK(said(67, "550 5.7.1 no").text == "550 5.1.1 user unknown: 550 5.7.1 no");
  CHECK(said(75, std::string(5000, 'x')).text.size() < 500);
}
