// What the tests of the client's session share.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/smtp/client_session.h"

namespace smtp::testing {

// "Z 451 later at RCPT"; what the session says by itself is "(ours)".
inline std::string text_of(const Verdict& verdict) {
  std::string text(1, "?KZD"[static_cast<int>(verdict.result)]);
  return text + " " + verdict.reply.words() + (verdict.is_ours ? " (ours)" : "") + " at " + std::string(stage_name(verdict.stage));
}

// Both ends of a dialogue: what the client says is compared, what the server says is given.
struct Dialogue {
  ClientSession::Settings settings{.helo = "me.example"};
  ClientSession session{settings};

  std::string sent() {
    std::string octets;
    for (auto block = session.next_output(); !block.empty(); block = session.next_output()) octets += block;
    return octets;
  }
  // Says `reply` and compares what comes back.
  void expect(std::string_view reply, std::string_view answer) {
    session.receive(reply);
    CHECK(sent() == answer);
  }
  void greet(std::string_view reply_to_ehlo, std::string_view answer) {
    expect("220 mx.example ESMTP\r\n", "EHLO me.example\r\n");
    expect(reply_to_ehlo, answer);
  }
  void open(std::string_view reply_to_ehlo) {
    greet(reply_to_ehlo, "");
    REQUIRE(session.state() == ClientSession::State::Ready);
  }
  std::string failure() { return text_of(session.failure()); }
  // A line for each recipient.
  std::string verdicts() {
    std::string text;
    for (const auto& verdict : session.take_verdicts()) text += text_of(verdict) + "\n";
    return text;
  }
};

// From a@x.example. `message` is borrowed.
inline ClientTransaction transaction_of(std::string_view message, std::vector<std::string> recipients = {"b@y.example"}) {
  ClientTransaction transaction;
  transaction.reverse_path = "a@x.example";
  transaction.recipients = std::move(recipients);
  transaction.message = message;
  transaction.needs = scan_message(message);
  return transaction;
}

}  // namespace smtp::testing
