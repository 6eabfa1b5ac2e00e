#include "vsl-filter/transaction/saved_message.h"

#include <doctest/doctest.h>

#include "lib/base/clock.h"

using rules::facts_of;

TEST_CASE("saved message: what the last server wrote comes first") {
  const auto facts = facts_of(
      "Return-Path: <ann@client.example>\r\nDelivered-To: bob@own.example\r\n"
      "Received: from localhost by own.example; Fri, 21 Nov 1997 15:55:07 +0000\r\n"
      "Received: from mx.client.example (gate.client.example [192.0.2.10])\r\n\tby own.example with ESMTP id 1;\r\n Fri, 21 Nov 1997 15:55:06 +0000\r\n"
      "From: Other <other@example.org>\r\nTo: carl@example.org\r\n\r\nReturn-Path: <no>\r\n");
  CHECK(facts.reverse_path == "ann@client.example");
  CHECK(facts.recipients == std::vector<std::string>{"bob@own.example"});
  CHECK(facts.helo == "mx.client.example");
  CHECK(facts.client_ip == "192.0.2.10");
  REQUIRE(facts.time);
  CHECK(base::to_rfc3339(*facts.time).starts_with("1997-11-21T15:55:06"));
}

TEST_CASE("saved message: without them, the header says from and for whom") {
  const auto facts = facts_of("From: Ann <ann@client.example>, x@y.example\nTo: g: bob@own.example, carl@own.example;\nCc: bob@own.example\n\n");
  CHECK(facts.reverse_path == "ann@client.example");
  CHECK(facts.recipients == std::vector<std::string>{"bob@own.example", "carl@own.example"});
  CHECK(facts.client_ip.empty());
  CHECK_FALSE(facts.time);
}

TEST_CASE("saved message: the null reverse-path is one") { CHECK(facts_of("Return-Path: <>\nFrom: a@b.example\n\n").reverse_path == ""); }

TEST_CASE("saved message: the line in front of a message of an mbox") {
  const auto facts = facts_of("From ann@client.example Fri Nov 21 09:55:06 1997\nSubject: x\n\n");
  CHECK(rules::mbox_separator("From ann@client.example Fri Nov 21 09:55:06 1997\nSubject: x\n\n").size() == 49);
  CHECK(facts.reverse_path == "ann@client.example");
}

TEST_CASE("saved message: ways to name a client") {
  struct Row {
    const char *received, *ip, *helo;
  };
  for (const auto& [received, ip, helo] : {
           Row{"from a.example ([IPv6:2001:DB8::1]) by x; d", "2001:db8::1", "a.example"},
           Row{"from [192.0.2.1] (unknown [192.0.2.1]) by x", "192.0.2.1", "[192.0.2.1]"},
           Row{"from a.example (192.0.2.1) by x", "192.0.2.1", "a.example"},
           Row{"from a.example (b.example. [192.0.2.1]) (Authenticated sender: u) by x", "192.0.2.1", "a.example"},
           Row{"by x with local id 1; d", "", ""},
           Row{"from a.example (b.example) by x", "", ""},
           Row{"", "", ""},
       }) {
    CAPTURE(received);
    const auto facts = facts_of("Received: " + std::string(received) + "\r\n\r\n");
    CHECK(facts.client_ip == ip);
    CHECK(facts.helo == helo);
  }
}

TEST_CASE("saved message: what is none tells nothing") {
  for (const char* text : {"", "\r\n", "garbage", "From ", "From \n", ": x\n\n"}) {
    const auto facts = facts_of(text);
    CHECK_FALSE(facts.reverse_path);
    CHECK(facts.recipients.empty());
  }
}
