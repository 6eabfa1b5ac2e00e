#include "lib/smtp/client_testing.h"

using namespace smtp;
using namespace std::string_literals;
using State = ClientSession::State;
using testing::transaction_of;

namespace {

struct Dialogue : testing::Dialogue {
  Dialogue() { settings.use_chunking = true; }
  void open(const std::string& extensions) { testing::Dialogue::open("250-mx.example\r\n" + extensions); }
};

constexpr std::string_view kMessage = ".x\n\nhello";

}  // namespace

TEST_CASE("client_session: with BDAT a small message is one write, dots as they are") {
  Dialogue dialogue;
  dialogue.open("250-PIPELINING\r\n250 CHUNKING\r\n");
  dialogue.session.begin(transaction_of(kMessage));
  CHECK(dialogue.sent() == "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nBDAT 13 LAST\r\n.x\r\n\r\nhello\r\n");
  dialogue.expect("250 ok\r\n250 ok\r\n250 2.0.0 queued\r\n", "");
  CHECK(dialogue.session.state() == State::Ready);
  CHECK(dialogue.verdicts() == "K 250 2.0.0 queued at end of data\n");
  auto last = transaction_of(kMessage);
  last.is_last = true;
  dialogue.session.begin(std::move(last));
  CHECK(dialogue.sent() == "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nBDAT 13 LAST\r\n.x\r\n\r\nhello\r\nQUIT\r\n");
  dialogue.expect("250 ok\r\n550 5.1.1 no\r\n503 nobody\r\n", "");
  CHECK(dialogue.verdicts() == "D 550 5.1.1 no at RCPT\n");
  dialogue.session.receive("221 bye\r\n");
  CHECK(dialogue.session.state() == State::Closed);
}

TEST_CASE("client_session: a large message waits until there is somebody to get it") {
  Dialogue dialogue;
  dialogue.open("250-PIPELINING\r\n250 CHUNKING\r\n");
  const std::string large(100'000, 'x');
  dialogue.session.begin(transaction_of(large));
  CHECK(dialogue.sent() == "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\n");
  dialogue.expect("250 ok\r\n550 no\r\n", "");
  CHECK(dialogue.verdicts() == "D 550 no at RCPT\n");
  CHECK(dialogue.session.state() == State::Ready);
  dialogue.session.begin(transaction_of(large));
  (void)dialogue.sent();
  dialogue.expect("250 ok\r\n250 ok\r\n250 ok\r\n", "BDAT 100002 LAST\r\n" + large + "\r\n");
}

TEST_CASE("client_session: without PIPELINING BDAT follows the replies; LMTP and servers without CHUNKING get DATA") {
  Dialogue dialogue;
  dialogue.open("250 CHUNKING\r\n");
  dialogue.session.begin(transaction_of(kMessage));
  CHECK(dialogue.sent() == "MAIL FROM:<a@x.example>\r\n");
  dialogue.expect("250 ok\r\n", "RCPT TO:<b@y.example>\r\n");
  dialogue.expect("250 ok\r\n", "BDAT 13 LAST\r\n.x\r\n\r\nhello\r\n");
  dialogue.expect("452 4.3.1 full\r\n", "");
  CHECK(dialogue.verdicts() == "Z 452 4.3.1 full at end of data\n");
  Dialogue without;
  without.open("250 PIPELINING\r\n");
  without.session.begin(transaction_of(kMessage));
  CHECK(without.sent().ends_with("DATA\r\n"));
}

TEST_CASE("client_session: a chunk that is refused before its end, or whose reply never comes") {
  Dialogue early;
  early.open("250 CHUNKING\r\n");
  const std::string large(1'000'000, 'x');
  early.session.begin(transaction_of(large));
  (void)early.sent();
  early.expect("250 ok\r\n", "RCPT TO:<b@y.example>\r\n");
  early.session.receive("250 ok\r\n");
  (void)early.session.next_output();
  (void)early.session.next_output();
  early.session.receive("552 5.3.4 too large\r\n");
  CHECK(early.session.state() == State::Closed);
  CHECK(early.verdicts() == "D 552 5.3.4 too large at BDAT\n");
  Dialogue lost;
  lost.open("250-PIPELINING\r\n250 CHUNKING\r\n");
  lost.session.begin(transaction_of(kMessage));
  (void)lost.sent();
  lost.session.receive("250 ok\r\n250 ok\r\n");
  lost.session.on_connection_end("connection closed");
  CHECK(lost.verdicts() == "Z 451 4.4.2 connection closed at BDAT; the message may have been delivered (ours) at BDAT\n");
}

TEST_CASE("client_session: XFORWARD tells what the server asks for, and a no is no harm") {
  Dialogue dialogue;
  dialogue.open("250-PIPELINING\r\n250 XFORWARD NAME ADDR HELO\r\n");
  auto transaction = transaction_of(kMessage);
  transaction.client = {{"ADDR", "192.0.2.1"}, {"NAME", ""}, {"HELO", "a b=c"}, {"PORT", "4"}};
  dialogue.session.begin(std::move(transaction));
  CHECK(dialogue.sent() == "XFORWARD ADDR=192.0.2.1 NAME=[UNAVAILABLE] HELO=a+20b+3Dc\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n");
  dialogue.expect("550 not you\r\n250 ok\r\n250 ok\r\n354 go\r\n", "..x\r\n\r\nhello\r\n.\r\n");
  dialogue.expect("250 ok\r\n", "");
  CHECK(dialogue.verdicts() == "K 250 ok at end of data\n");
}
