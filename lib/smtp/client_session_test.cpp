#include "lib/smtp/client_testing.h"

using namespace smtp;
using Class = Verdict::Class;
using State = ClientSession::State;

namespace {

constexpr std::string_view kMessage = "Subject: x\r\n\r\nhello\r\n";
constexpr std::string_view kAll = "250-mx.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";
constexpr std::string_view kNoPipelining = "250-mx.example\r\n250 8BITMIME\r\n";

struct Dialogue : testing::Dialogue {
  void open(std::string_view reply_to_ehlo = kAll) { testing::Dialogue::open(reply_to_ehlo); }
};
ClientTransaction transaction_of(std::vector<std::string> recipients, std::string_view message = kMessage) {
  return testing::transaction_of(message, std::move(recipients));
}

struct LmtpDialogue : Dialogue {
  LmtpDialogue() { settings.is_lmtp = true; }
};

constexpr std::string_view kDataWire = "Subject: x\r\n\r\nhello\r\n.\r\n";

}  // namespace

TEST_CASE("client_session: with PIPELINING a transaction is two writes") {
  Dialogue dialogue;
  dialogue.open();
  dialogue.session.begin(transaction_of({"b@y.example", "c@y.example"}));
  CHECK(dialogue.sent() == "MAIL FROM:<a@x.example> SIZE=21\r\nRCPT TO:<b@y.example>\r\nRCPT TO:<c@y.example>\r\nDATA\r\n");
  dialogue.expect("250 2.1.0 ok\r\n250 2.1.5 ok\r\n550 5.1.1 no such user\r\n", "");
  dialogue.expect("354 go\r\n", kDataWire);
  CHECK(dialogue.session.state() == State::Busy);
  dialogue.expect("250 2.0.0 queued\r\n", "");
  CHECK(dialogue.session.state() == State::Ready);
  CHECK(dialogue.verdicts() == "K 250 2.0.0 queued at end of data\nD 550 5.1.1 no such user at RCPT\n");
}

TEST_CASE("client_session: without PIPELINING every command waits for its reply") {
  Dialogue dialogue;
  dialogue.open(kNoPipelining);
  dialogue.session.begin(transaction_of({"b@y.example", "c@y.example"}));
  CHECK(dialogue.sent() == "MAIL FROM:<a@x.example>\r\n");
  dialogue.expect("250 ok\r\n", "RCPT TO:<b@y.example>\r\n");
  dialogue.expect("451 later\r\n", "RCPT TO:<c@y.example>\r\n");
  dialogue.expect("250 ok\r\n", "DATA\r\n");
  dialogue.expect("354 go\r\n", kDataWire);
  dialogue.expect("554 5.7.1 spam\r\n", "");
  CHECK(dialogue.verdicts() == "Z 451 later at RCPT\nD 554 5.7.1 spam at end of data\n");
}

TEST_CASE("client_session: PIPELINING is not used when it is switched off") {
  Dialogue dialogue;
  dialogue.settings.use_pipelining = false;
  dialogue.open();
  dialogue.session.begin(transaction_of({"b@y.example"}));
  CHECK(dialogue.sent() == "MAIL FROM:<a@x.example> SIZE=21\r\n");
}

TEST_CASE("client_session: a server that does not know EHLO is greeted with HELO") {
  Dialogue dialogue;
  dialogue.expect("220 old.example\r\n", "EHLO me.example\r\n");
  dialogue.expect("502 what?\r\n", "HELO me.example\r\n");
  dialogue.expect("250 old.example\r\n", "");
  CHECK(dialogue.session.state() == State::Ready);
  dialogue.session.begin(transaction_of({"b@y.example"}));
  CHECK(dialogue.sent() == "MAIL FROM:<a@x.example>\r\n");
}

TEST_CASE("client_session: what ends a session before it is ready") {
  struct Row {
    std::string_view greeting, reply_to_ehlo, reply_to_helo;
    Class result;
    ClientStage stage;
    std::string_view words, last;
  };
  for (const auto& row : std::vector<Row>{
           {"554 5.3.2 no mail here\r\n", "", "", Class::Permanent, ClientStage::Greeting, "554 5.3.2 no mail here", "QUIT\r\n"},
           {"421 busy\r\n", "", "", Class::Temporary, ClientStage::Greeting, "421 busy", ""},
           {"450 busy\r\n", "", "", Class::Temporary, ClientStage::Greeting, "450 busy", "QUIT\r\n"},
           {"220 x\r\n", "421 bye\r\n", "", Class::Temporary, ClientStage::Hello, "421 bye", ""},
           {"220 x\r\n", "450 later\r\n", "", Class::Temporary, ClientStage::Hello, "450 later", "QUIT\r\n"},
           {"220 x\r\n", "354 what\r\n", "", Class::Temporary, ClientStage::Hello, "354 what", "QUIT\r\n"},
           {"220 x\r\n", "500 no\r\n", "550 nor that\r\n", Class::Permanent, ClientStage::Helo, "550 nor that", "QUIT\r\n"},
           {"HTTP/1.1 400 Bad Request\r\n", "", "", Class::Temporary, ClientStage::Greeting, "451 4.5.0 not a reply: HTTP/1.1 400 Bad Request at greeting", ""},
           {"220 x\r\n250 y\r\n250 z\r\n", "", "", Class::Temporary, ClientStage::Quit, "451 4.5.0 reply that nobody asked for at QUIT: 250 z", ""},
       }) {
    CAPTURE(row.words);
    Dialogue dialogue;
    dialogue.session.receive(row.greeting);
    if (!row.reply_to_ehlo.empty()) {
      CHECK(dialogue.sent() == "EHLO me.example\r\n");
      dialogue.session.receive(row.reply_to_ehlo);
    }
    if (!row.reply_to_helo.empty()) {
      CHECK(dialogue.sent() == "HELO me.example\r\n");
      dialogue.session.receive(row.reply_to_helo);
    }
    CHECK(dialogue.session.state() == State::Closed);
    CHECK(dialogue.session.failure().result == row.result);
    CHECK(dialogue.session.failure().stage == row.stage);
    CHECK(dialogue.session.failure().reply.words() == row.words);
    CHECK(dialogue.sent() == row.last);
  }
}

TEST_CASE("client_session: no recipient, no message") {
  SUBCASE("one by one: DATA is not sent") {
    Dialogue dialogue;
    dialogue.open(kNoPipelining);
    dialogue.session.begin(transaction_of({"b@y.example"}));
    (void)dialogue.sent();
    dialogue.expect("250 ok\r\n", "RCPT TO:<b@y.example>\r\n");
    dialogue.expect("550 no\r\n", "");
    CHECK(dialogue.session.state() == State::Ready);
    CHECK(dialogue.verdicts() == "D 550 no at RCPT\n");
  }
  SUBCASE("pipelined: a refused DATA says nothing new") {
    Dialogue dialogue;
    dialogue.open();
    dialogue.session.begin(transaction_of({"b@y.example"}));
    (void)dialogue.sent();
    dialogue.expect("250 ok\r\n450 no\r\n554 no valid recipients\r\n", "");
    CHECK(dialogue.session.state() == State::Ready);
    CHECK(dialogue.verdicts() == "Z 450 no at RCPT\n");
  }
  SUBCASE("pipelined: a 354 gets an empty message, RFC 2920 section 3.1") {
    Dialogue dialogue;
    dialogue.open();
    dialogue.session.begin(transaction_of({"b@y.example"}));
    (void)dialogue.sent();
    dialogue.expect("250 ok\r\n550 no\r\n354 go\r\n", ".\r\n");
    CHECK(dialogue.session.state() == State::Busy);
    dialogue.expect("250 queued\r\n", "");
    CHECK(dialogue.session.state() == State::Ready);
    CHECK(dialogue.verdicts() == "D 550 no at RCPT\n");
  }
  SUBCASE("MAIL refused, one by one") {
    Dialogue dialogue;
    dialogue.open(kNoPipelining);
    dialogue.session.begin(transaction_of({"b@y.example", "c@y.example"}));
    (void)dialogue.sent();
    dialogue.expect("550 5.7.1 not from you\r\n", "");
    CHECK(dialogue.verdicts() == "D 550 5.7.1 not from you at MAIL\nD 550 5.7.1 not from you at MAIL\n");
  }
  SUBCASE("MAIL refused, pipelined: the replies that follow are noise") {
    Dialogue dialogue;
    dialogue.open();
    dialogue.session.begin(transaction_of({"b@y.example"}));
    (void)dialogue.sent();
    dialogue.expect("451 4.7.1 greylisted\r\n250 ok\r\n354 go\r\n", ".\r\n");
    dialogue.expect("250 queued\r\n", "");
    CHECK(dialogue.verdicts() == "Z 451 4.7.1 greylisted at MAIL\n");
  }
}

TEST_CASE("client_session: several transactions on one connection, with RSET only after one that was left open") {
  Dialogue dialogue;
  dialogue.open();
  dialogue.session.begin(transaction_of({"b@y.example"}));
  (void)dialogue.sent();
  dialogue.expect("250 ok\r\n250 ok\r\n354 go\r\n", kDataWire);
  dialogue.expect("250 queued\r\n", "");
  CHECK(dialogue.verdicts() == "K 250 queued at end of data\n");

  dialogue.session.begin(transaction_of({"b@y.example"}));
  CHECK(dialogue.sent().starts_with("MAIL FROM"));
  dialogue.expect("250 ok\r\n250 ok\r\n452 no space\r\n", "");
  CHECK(dialogue.verdicts() == "Z 452 no space at DATA\n");

  dialogue.session.begin(transaction_of({"b@y.example"}));
  CHECK(dialogue.sent().starts_with("RSET\r\nMAIL FROM"));
  dialogue.expect("250 flushed\r\n250 ok\r\n250 ok\r\n354 go\r\n", kDataWire);
  dialogue.expect("250 queued\r\n", "");
  CHECK(dialogue.verdicts() == "K 250 queued at end of data\n");

  dialogue.session.quit();
  CHECK(dialogue.sent() == "QUIT\r\n");
  CHECK(dialogue.session.state() == State::Closing);
  dialogue.expect("221 bye\r\n", "");
  CHECK(dialogue.session.state() == State::Closed);
  CHECK_FALSE(dialogue.session.has_failed());
}

TEST_CASE("client_session: the last transaction has QUIT behind its final dot") {
  Dialogue dialogue;
  dialogue.open();
  auto last = transaction_of({"b@y.example"});
  last.is_last = true;
  dialogue.session.begin(std::move(last));
  (void)dialogue.sent();
  dialogue.expect("250 ok\r\n250 ok\r\n354 go\r\n", std::string(kDataWire) + "QUIT\r\n");
  dialogue.expect("250 queued\r\n", "");
  CHECK(dialogue.session.state() == State::Closing);
  CHECK(dialogue.verdicts() == "K 250 queued at end of data\n");
  SUBCASE("goodbye") { dialogue.session.receive("221 bye\r\n"); }
  SUBCASE("no goodbye") { dialogue.session.on_connection_end("connection closed"); }
  CHECK(dialogue.session.state() == State::Closed);
  CHECK_FALSE(dialogue.session.has_failed());
}

TEST_CASE("client_session: what a message needs and the server does not offer") {
  struct Row {
    std::string_view extensions, message, sender, recipient;
    std::string_view verdict;  // "": MAIL is sent, with `parameters`
    std::string_view parameters;
  };
  constexpr std::string_view k8bit = "A: b\r\n\r\n\xE9\r\n", kUtf8 = "A: \xC3\xA9\r\n\r\nb\r\n", kPlain = "A: b\r\n\r\nc\r\n";
  for (const auto& row : std::vector<Row>{
           {"250-x\r\n250 8BITMIME\r\n", k8bit, "a@x", "b@y", "", " BODY=8BITMIME"},
           {"250-x\r\n250 8bitmime\r\n", kPlain, "a@x", "b@y", "", ""},
           {"250 x\r\n", k8bit, "a@x", "b@y", "D 554 5.6.3 message has 8-bit octets and host offers no 8BITMIME (ours) at MAIL\n", ""},
           {"250-x\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n", kUtf8, "a@x", "b@y", "", " BODY=8BITMIME SMTPUTF8"},
           {"250-x\r\n250 8BITMIME\r\n", kUtf8, "a@x", "b@y", "D 554 5.6.9 header is in UTF-8 and host offers no SMTPUTF8 (ours) at MAIL\n", ""},
           {"250-x\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n", kPlain, "\xC3\xA9@x", "b@y", "", " SMTPUTF8"},
           {"250-x\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n", kPlain, "a@x", "\xC3\xA9@y", "", " SMTPUTF8"},
           {"250 x\r\n", kPlain, "\xC3\xA9@x", "b@y", "D 553 5.6.7 sender address is in UTF-8 and host offers no SMTPUTF8 (ours) at MAIL\n", ""},
           {"250 x\r\n", kPlain, "a@x", "\xC3\xA9@y", "D 553 5.6.7 recipient address is in UTF-8 and host offers no SMTPUTF8 (ours) at RCPT\n", ""},
           {"250-x\r\n250 SIZE 12\r\n", kPlain, "a@x", "b@y", "", " SIZE=11"},
           {"250-x\r\n250 SIZE 11\r\n", kPlain, "a@x", "b@y", "", " SIZE=11"},
           {"250-x\r\n250 SIZE 10\r\n", kPlain, "a@x", "b@y", "D 552 5.3.4 message of 11 octets, host takes 10 (ours) at MAIL\n", ""},
           {"250-x\r\n250 SIZE 0\r\n", kPlain, "a@x", "b@y", "", " SIZE=11"},
           {"250-x\r\n250 SIZE\r\n", kPlain, "a@x", "b@y", "", " SIZE=11"},
           {"250-x\r\n250 SIZE -1\r\n", kPlain, "a@x", "b@y", "", " SIZE=11"},
           {"250 x\r\n", kPlain, "a@x\r\nRSET", "b@y", "D 553 5.1.7 sender address that SMTP cannot carry (ours) at MAIL\n", ""},
           {"250 x\r\n", kPlain, "a@x", "b@y\r\nDATA", "D 553 5.1.3 recipient address that SMTP cannot carry (ours) at RCPT\n", ""},
           {"250 x\r\n", kPlain, "a@x", "b@y> SIZE=1", "D 553 5.1.3 recipient address that SMTP cannot carry (ours) at RCPT\n", ""},
           {"250 x\r\n", kPlain, "a@x", "", "D 553 5.1.3 recipient address that SMTP cannot carry (ours) at RCPT\n", ""},
       }) {
    CAPTURE(row.extensions);
    CAPTURE(row.verdict);
    Dialogue dialogue;
    dialogue.open(row.extensions);
    auto transaction = transaction_of({std::string(row.recipient)}, row.message);
    transaction.reverse_path = row.sender;
    dialogue.session.begin(std::move(transaction));
    if (row.verdict.empty()) {
      CHECK(dialogue.session.state() == State::Busy);
      CHECK(dialogue.sent() == "MAIL FROM:<" + std::string(row.sender) + ">" + std::string(row.parameters) + "\r\n");
    } else {
      CHECK(dialogue.session.state() == State::Ready);
      CHECK(dialogue.sent().empty());
      CHECK(dialogue.verdicts() == row.verdict);
    }
  }
}

TEST_CASE("client_session: 8-bit octets go undeclared when that is wished") {
  Dialogue dialogue;
  dialogue.settings.sends_undeclared_8bit = true;
  dialogue.open("250 x\r\n");
  dialogue.session.begin(transaction_of({"b@y"}, "A: b\r\n\r\n\xE9\r\n"));
  CHECK(dialogue.sent() == "MAIL FROM:<a@x.example>\r\n");
}

TEST_CASE("client_session: only the recipient that needs SMTPUTF8 is refused") {
  Dialogue dialogue;
  dialogue.open("250-x\r\n250 PIPELINING\r\n");
  dialogue.session.begin(transaction_of({"\xC3\xA9@y", "c@y"}));
  CHECK(dialogue.sent() == "MAIL FROM:<a@x.example>\r\nRCPT TO:<c@y>\r\nDATA\r\n");
  dialogue.expect("250 ok\r\n250 ok\r\n354 go\r\n", kDataWire);
  dialogue.expect("250 queued\r\n", "");
  CHECK(dialogue.verdicts() == "D 553 5.6.7 recipient address is in UTF-8 and host offers no SMTPUTF8 (ours) at RCPT\nK 250 queued at end of data\n");
}

TEST_CASE("client_session: all or nothing") {
  Dialogue dialogue;
  dialogue.open();
  auto transaction = transaction_of({"b@y.example", "c@y.example"});
  transaction.all_or_nothing = true;
  dialogue.session.begin(std::move(transaction));
  CHECK(dialogue.sent() == "MAIL FROM:<a@x.example> SIZE=21\r\nRCPT TO:<b@y.example>\r\nRCPT TO:<c@y.example>\r\n");
  SUBCASE("all") {
    dialogue.expect("250 ok\r\n250 ok\r\n", "");
    dialogue.expect("250 ok\r\n", "DATA\r\n");
    dialogue.expect("354 go\r\n", kDataWire);
    dialogue.expect("250 queued\r\n", "");
    CHECK(dialogue.verdicts() == "K 250 queued at end of data\nK 250 queued at end of data\n");
  }
  SUBCASE("nothing") {
    dialogue.expect("250 ok\r\n250 ok\r\n550 5.1.1 no\r\n", "");
    CHECK(dialogue.session.state() == State::Ready);
    CHECK(dialogue.verdicts() == "Z 451 4.3.0 not sent, since another recipient was refused (ours) at RCPT\nD 550 5.1.1 no at RCPT\n");
    dialogue.session.begin(transaction_of({"b@y.example"}));
    CHECK(dialogue.sent().starts_with("RSET\r\nMAIL"));
  }
}

TEST_CASE("client_session: LMTP has a reply for each accepted recipient") {
  LmtpDialogue dialogue;
  dialogue.expect("220 x\r\n", "LHLO me.example\r\n");
  dialogue.expect("250-x\r\n250 PIPELINING\r\n", "");
  dialogue.session.begin(transaction_of({"b@y", "c@y", "d@y"}));
  CHECK(dialogue.sent() == "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nRCPT TO:<d@y>\r\nDATA\r\n");
  dialogue.expect("250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n", kDataWire);
  dialogue.expect("250 stored\r\n", "");
  CHECK(dialogue.session.state() == State::Busy);
  SUBCASE("all replies") {
    dialogue.expect("452 quota\r\n", "");
    CHECK(dialogue.session.state() == State::Ready);
    CHECK(dialogue.verdicts() == "K 250 stored at end of data\nD 550 no at RCPT\nZ 452 quota at end of data\n");
  }
  SUBCASE("lost in between") {
    dialogue.session.on_connection_end("connection closed");
    CHECK(dialogue.verdicts() ==
          "K 250 stored at end of data\nD 550 no at RCPT\n"
          "Z 451 4.4.2 connection closed at end of data; the message may have been delivered (ours) at end of data\n");
  }
}

TEST_CASE("client_session: LMTP does not fall back to HELO") {
  LmtpDialogue dialogue;
  dialogue.session.receive("220 x\r\n500 no LMTP\r\n");
  CHECK(dialogue.session.state() == State::Closed);
  CHECK(dialogue.session.failure().result == Class::Permanent);
}

TEST_CASE("client_session: a session that dies leaves open what another host may take") {
  constexpr std::string_view kLost = "connection closed";
  Dialogue dialogue;
  dialogue.open();
  dialogue.session.begin(transaction_of({"b@y", "c@y"}));
  (void)dialogue.sent();
  SUBCASE("before MAIL is answered") {
    dialogue.session.on_connection_end(kLost);
    CHECK(dialogue.session.failure().reply.words() == "451 4.4.2 connection closed at MAIL");
    CHECK(dialogue.verdicts() == "? 0 at greeting\n? 0 at greeting\n");
  }
  SUBCASE("421 in the middle") {
    dialogue.expect("250 ok\r\n550 no\r\n421 4.3.2 going down\r\n", "");
    CHECK(dialogue.session.failure().reply.words() == "421 4.3.2 going down");
    CHECK(dialogue.session.failure().stage == ClientStage::Rcpt);
    CHECK(dialogue.verdicts() == "D 550 no at RCPT\n? 0 at greeting\n");
  }
  SUBCASE("garbage in the middle") {
    dialogue.expect("250 ok\r\n250 ok\r\n\x01\xFF\r\n", "");
    CHECK(dialogue.session.failure().reply.words() == "451 4.5.0 not a reply: \\x01\\xff at RCPT");
    CHECK(dialogue.verdicts() == "? 0 at greeting\n? 0 at greeting\n");
  }
  SUBCASE("250 instead of 354") {
    dialogue.expect("250 ok\r\n250 ok\r\n250 ok\r\n250 what?\r\n", "QUIT\r\n");
    CHECK(dialogue.session.state() == State::Closed);
    CHECK(dialogue.verdicts() == "Z 250 what? at DATA\nZ 250 what? at DATA\n");
  }
  SUBCASE("after the final dot: nobody else is asked, it may be there already") {
    dialogue.expect("250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n", kDataWire);
    dialogue.session.on_connection_end(kLost);
    CHECK(dialogue.verdicts() == "Z 451 4.4.2 connection closed at end of data; the message may have been delivered (ours) at end of data\nD 550 no at RCPT\n");
  }
  SUBCASE("421 as the reply to the message is a refusal of it") {
    dialogue.expect("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", kDataWire);
    dialogue.expect("421 4.3.0 no\r\n", "");
    CHECK(dialogue.session.state() == State::Closed);
    CHECK(dialogue.verdicts() == "Z 421 4.3.0 no at end of data\nZ 421 4.3.0 no at end of data\n");
  }
}

TEST_CASE("client_session: a server may refuse a message that is not all sent") {
  const std::string large = "A: b\r\n\r\n" + std::string(300'000, 'x') + "\r\n";
  Dialogue dialogue;
  dialogue.open("250-x\r\n250 PIPELINING\r\n");
  dialogue.session.begin(transaction_of({"b@y"}, large));
  (void)dialogue.sent();
  dialogue.session.receive("250 ok\r\n250 ok\r\n354 go\r\n");
  CHECK_FALSE(dialogue.session.next_output().empty());
  CHECK(dialogue.session.time_limit_milliseconds() == dialogue.settings.limits.block);
  SUBCASE("for good") {
    dialogue.session.receive("552 5.3.4 too large\r\n");
    CHECK(dialogue.verdicts() == "D 552 5.3.4 too large at message\n");
  }
  SUBCASE("421: another host may take it") {
    dialogue.session.receive("421 bye\r\n");
    CHECK(dialogue.verdicts() == "? 0 at greeting\n");
  }
  SUBCASE("a yes that comes too early is none") {
    dialogue.session.receive("250 fine\r\n");
    CHECK(dialogue.session.failure().reply.words() == "451 4.5.0 reply that nobody asked for at message: 250 fine");
    CHECK(dialogue.verdicts() == "? 0 at greeting\n");
  }
  SUBCASE("lost") {
    dialogue.session.on_connection_end("connection closed");
    CHECK(dialogue.verdicts() == "? 0 at greeting\n");
  }
  CHECK(dialogue.session.state() == State::Closed);
  CHECK(dialogue.sent().empty());  // no QUIT into the middle of a message
}

TEST_CASE("client_session: too many recipients, said with 452 or 552, is no refusal for good") {
  Dialogue dialogue;
  dialogue.open();
  dialogue.session.begin(transaction_of({"b@y", "c@y", "d@y"}));
  (void)dialogue.sent();
  dialogue.expect("250 ok\r\n250 ok\r\n552 too many\r\n452 4.5.3 too many\r\n354 go\r\n", kDataWire);
  dialogue.expect("250 queued\r\n", "");
  CHECK(dialogue.verdicts() == "K 250 queued at end of data\nZ 552 too many at RCPT\nZ 452 4.5.3 too many at RCPT\n");
}

TEST_CASE("client_session: the limits of RFC 5321 section 4.5.3.2 at each stage") {
  Dialogue dialogue;
  dialogue.settings.limits = {.greeting = 1, .hello = 2, .mail = 3, .rcpt = 4, .data = 5, .block = 6, .message = 7000, .quit = 8};
  auto& session = dialogue.session;
  CHECK(session.time_limit_milliseconds() == 1);
  session.receive("220 x\r\n");
  CHECK(session.time_limit_milliseconds() == 2);
  session.receive("250-x\r\n250 PIPELINING\r\n");
  CHECK(session.time_limit_milliseconds() == 0);
  session.begin(transaction_of({"b@y"}));
  CHECK(session.time_limit_milliseconds() == 3);
  session.receive("250 ok\r\n");
  CHECK(session.time_limit_milliseconds() == 4);
  session.receive("250 ok\r\n");
  CHECK(session.time_limit_milliseconds() == 5);
  const auto progress = session.progress();
  session.receive("354");
  CHECK(session.progress() == progress);  // a dribbling server gains no time
  session.receive(" go\r\n");
  CHECK(session.progress() != progress);
  (void)dialogue.sent();
  CHECK(session.time_limit_milliseconds() == 7000);
  session.on_time_limit();
  CHECK(dialogue.verdicts() == "Z 451 4.4.2 no answer within 7 s at end of data; the message may have been delivered (ours) at end of data\n");
  CHECK(session.time_limit_milliseconds() == 0);
}

TEST_CASE("client_session: an idle connection that the server ends is no longer ready") {
  Dialogue dialogue;
  dialogue.open();
  SUBCASE("with a word") { dialogue.session.receive("421 4.4.2 idle for too long\r\n"); }
  SUBCASE("without") { dialogue.session.on_connection_end("connection closed"); }
  CHECK(dialogue.session.state() == State::Closed);
  CHECK(dialogue.session.failure().result == Class::Temporary);
}
