#include "lib/mail/received.h"

#include <doctest/doctest.h>

#include <set>

using namespace mail;

namespace {
// Fri, 21 Nov 1997 15:55:06 UTC
const base::WallTime kTime{std::chrono::seconds(880127706)};

std::string received(const Trace& trace) {
  std::string field;
  append_received(field, trace);
  return field;
}
}  // namespace

TEST_CASE("received: the field has the clauses of RFC 5321 section 4.4") {
  CHECK(received({.helo = "client.example", .client_host = "host.example", .client_ip = "192.0.2.1", .by = "mx.example", .protocol = "ESMTP", .id = "4711",
                  .recipient = "user@example.org", .tls = {}, .time = kTime}) ==
        "Received: from client.example (host.example [192.0.2.1])\r\n"
        "\tby mx.example with ESMTP id 4711\r\n"
        "\tfor <user@example.org>; Fri, 21 Nov 1997 15:55:06 +0000\r\n");
  CHECK(received({.helo = {}, .client_host = {}, .client_ip = "2001:db8::1", .by = "mx.example", .protocol = "SMTP", .id = {}, .recipient = {}, .tls = {}, .time = kTime}) ==
        "Received: from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])\r\n"
        "\tby mx.example with SMTP; Fri, 21 Nov 1997 15:55:06 +0000\r\n");
  CHECK(received({.helo = "c", .client_host = {}, .client_ip = {}, .by = "mx", .protocol = "ESMTPS", .id = "1", .recipient = {}, .tls = "TLSv1.3 X", .time = kTime}) ==
        "Received: from c\r\n\tby mx with ESMTPS (TLSv1.3 X) id 1; Fri, 21 Nov 1997 15:55:06 +0000\r\n");
  CHECK(received({.helo = {}, .client_host = {}, .client_ip = {}, .by = "mx", .protocol = "local", .id = "1", .recipient = {}, .tls = {}, .time = kTime}) ==
        "Received: by mx with local id 1; Fri, 21 Nov 1997 15:55:06 +0000\r\n");
}

TEST_CASE("received: nothing a client says ends a line, a comment or a clause") {
  const auto field = received({.helo = "x\r\nBcc: y (z);", .client_host = "a)\n(b", .client_ip = "192.0.2.1", .by = "mx", .protocol = "SMTP", .id = "1",
                               .recipient = "\"a\r\n\tb\"@c", .tls = "T)\r\n(", .time = kTime});
  CHECK(field ==
        "Received: from x??Bcc:?y??z?? (a??\?b [192.0.2.1])\r\n\tby mx with SMTP (T??\?\?) id 1\r\n\tfor <\"a??\?b\"@c>; Fri, 21 Nov 1997 15:55:06 +0000\r\n");
  const auto long_field = received({.helo = std::string(5000, 'a'), .client_host = std::string(5000, 'b'), .client_ip = "192.0.2.1", .by = "mx", .protocol = "SMTP",
                                    .id = {}, .recipient = {}, .tls = {}, .time = kTime});
  CHECK(long_field.find("\r\n") < 998);  // RFC 5322 section 2.1.1
}

TEST_CASE("received: the protocol is one of the registered keywords") {
  CHECK(protocol_name({}) == "SMTP");
  CHECK(protocol_name({.is_extended = true}) == "ESMTP");
  CHECK(protocol_name({.is_extended = true, .is_tls = true}) == "ESMTPS");
  CHECK(protocol_name({.is_extended = true, .is_authenticated = true}) == "ESMTPA");
  CHECK(protocol_name({.is_extended = true, .is_tls = true, .is_authenticated = true}) == "ESMTPSA");
  CHECK(protocol_name({.is_extended = true, .is_smtputf8 = true}) == "UTF8SMTP");
  CHECK(protocol_name({.is_extended = true, .is_smtputf8 = true, .is_tls = true, .is_authenticated = true}) == "UTF8SMTPSA");
  CHECK(protocol_name({.is_lmtp = true}) == "LMTP");
  CHECK(protocol_name({.is_lmtp = true, .is_smtputf8 = true, .is_authenticated = true}) == "UTF8LMTPA");
  std::set<std::string_view> names;
  for (int bits = 0; bits < 16; ++bits)
    names.insert(protocol_name({.is_lmtp = (bits & 8) != 0, .is_extended = true, .is_smtputf8 = (bits & 4) != 0, .is_tls = (bits & 2) != 0, .is_authenticated = (bits & 1) != 0}));
  CHECK(names.size() == 16);
}

TEST_CASE("received: fields are counted in the header and nowhere else") {
  struct Case {
    std::string_view message;
    std::size_t count;
  };
  for (const auto& [message, count] : std::initializer_list<Case>{
           {"", 0},
           {"Received: a\r\nreceived:b\r\nRECEIVED \t: c\r\n\r\nReceived: body\r\n", 3},
           {"Received: a\nReceived: b\n\nReceived: body\n", 2},
           {"Received: a\r\n Received: folded\r\nX-Received: b\r\nReceivedX: c\r\nReceived d\r\n", 1},
           {"\r\nReceived: body\r\n", 0},
           {"\nReceived: body\n", 0},
           {"Subject: x\r\nReceived: cut", 1},
           {"Received", 0},
       }) {
    CAPTURE(message);
    CHECK(count_received(message) == count);
  }
  CHECK(count_received("Received: a\nReceived: b\nReceived: c\n", 2) == 2);
}
