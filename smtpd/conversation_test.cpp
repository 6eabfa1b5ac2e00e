#include "smtpd/conversation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

using smtpd::Conversation;
using Next = smtpd::Conversation::Next;

namespace {

std::shared_ptr<const smtpd::Configuration> configuration(const std::function<void(smtpd::Configuration&)>& change = {}) {
  auto made = std::make_shared<smtpd::Configuration>();
  made->sessions[0].server_name = "mx.example.org";
  made->time = {.connect = 1000, .helo = 2000, .mail_from = 3000, .rcpt_to = 4000, .data = 5000, .data_total = 12000, .error_delay = 500, .stop = 100, .drain = 100, .handshake = 1000};
  if (change) change(*made);
  made->sessions[0].prepare();
  return made;
}

smtpd::Peer relay_client() {
  smtpd::Peer peer;
  peer.client_ip = "192.0.2.1";
  peer.client_port = 40000;
  peer.server_ip = "192.0.2.2";
  peer.server_port = 25;
  peer.is_relay_client = true;
  return peer;
}

struct Talk {
  explicit Talk(std::shared_ptr<const smtpd::Configuration> with = configuration(), smtpd::Peer peer = relay_client())
      : conversation(std::move(with), smtpd::Service::Smtp, std::move(peer), 0) {
    say("");
  }
  Next say(std::string_view octets, std::uint64_t now = 0) {
    output.clear();
    const std::string own(octets);
    std::string_view input = own;
    const Next next = conversation.advance(input, output, now);
    unread = input;
    return next;
  }
  Next open(std::uint64_t now = 0) {
    return say("EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n", now);
  }
  std::string output, unread;
  Conversation conversation;
};

std::string text_of(const base::Blob& message) { return std::string(message.view()->octets()); }

chain::Outcome outcome(chain::Outcome::Class result, std::string reply = "") {
  chain::Outcome o;
  o.result = result;
  o.reply = std::move(reply);
  return o;
}

}  // namespace

TEST_CASE("a message becomes a call, and its outcome the reply") {
  Talk talk;
  CHECK(talk.open() == Next::Read);
  CHECK(talk.say("Subject: x\r\n\r\n..y\r\n.\r\nNOOP\r\n") == Next::Call);
  CHECK(talk.unread == "NOOP\r\n");
  const auto call = talk.conversation.take_call();
  CHECK(call.envelope == std::string("Fa@a.example\0Tb@b.example\0\0", 27));
  const auto text = text_of(call.message);
  CHECK(text.starts_with("Received: from c.example ([192.0.2.1])\r\n\tby mx.example.org with ESMTP id "));
  CHECK(text.ends_with("\r\nSubject: x\r\n\r\n.y\r\n"));
  const auto has = [&](const char* word) { return std::ranges::find(call.environment, word) != call.environment.end(); };
  for (const char* word : {"PROTO=TCP", "TCPREMOTEIP=192.0.2.1", "TCPREMOTEPORT=40000", "TCPLOCALIP=192.0.2.2", "TCPLOCALPORT=25", "TCPLOCALHOST=mx.example.org",
                           "RELAYCLIENT=", "SMTPHELOHOST=c.example", "SMTPMAILFROM=a@a.example", "SMTPRCPTCOUNT=1"})
    CHECK_MESSAGE(has(word), word);

  const auto context = nlohmann::json::parse(call.context);
  CHECK(context["connection"]["client_addr"] == "192.0.2.1:40000");
  CHECK(context["connection"]["server_addr"] == "192.0.2.2:25");
  CHECK(context["connection"]["is_authenticated"] == false);
  CHECK(context["envelop"]["helo"] == "c.example");
  CHECK(context["envelop"]["rcpt"][0]["address"] == "b@b.example");
  CHECK(context["envelop"]["rcpt"][0]["email_status"].contains("waiting"));
  CHECK(context["metadata"]["skipped"].is_null());
  CHECK(context["size"] == 18);
  CHECK(text.find("id " + context["metadata"]["message_id"].get<std::string>()) != std::string::npos);

  talk.output.clear();
  talk.conversation.answer(outcome(chain::Outcome::Class::Taken, "250 2.0.0 Ok: queued as X"), talk.output);
  CHECK(talk.output == "250 2.0.0 Ok: queued as X\r\n");
  CHECK(talk.say("NOOP\r\n") == Next::Read);
  CHECK_FALSE(talk.conversation.is_in_transaction());
}

TEST_CASE("what stands in names and addresses cannot break the JSON or the Received field") {
  Talk talk;
  talk.say("EHLO [IPv6:2001:db8::1]\r\nMAIL FROM:<\"a\\\"b\\\\ c\"@a.example> SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<\"<x>; \"@b.example>\r\nRCPT TO:<\xc3\xbc@b.example>\r\nDATA\r\n");
  CHECK(talk.say(".\r\n") == Next::Call);
  const auto call = talk.conversation.take_call();
  const auto context = nlohmann::json::parse(call.context);
  CHECK(context["envelop"]["mail_from"] == "\"a\\\"b\\\\ c\"@a.example");
  CHECK(context["envelop"]["rcpt"][1]["address"] == "\xc3\xbc@b.example");
  CHECK(context["smtputf8"] == true);
  CHECK(context["body"] == "8BITMIME");
  CHECK(text_of(call.message).find("with UTF8SMTP id") != std::string::npos);
}

TEST_CASE("a refusal of the chain is told, and a 421 ends the session") {
  Talk talk;
  talk.open();
  talk.say(".\r\n");
  (void)talk.conversation.take_call();
  talk.output.clear();
  talk.conversation.answer(outcome(chain::Outcome::Class::Permanent, "554 5.7.1 no"), talk.output);
  CHECK(talk.output == "554 5.7.1 no\r\n");
  talk.say("MAIL FROM:<>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n");
  CHECK(talk.say(".\r\n") == Next::Call);
  (void)talk.conversation.take_call();
  talk.output.clear();
  talk.conversation.answer(outcome(chain::Outcome::Class::Temporary, "421 4.3.2 bye"), talk.output);
  CHECK(talk.output == "421 4.3.2 bye\r\n");
  CHECK(talk.say("NOOP\r\n") == Next::Close);
}

TEST_CASE("others than relay clients reach configured domains only") {
  auto peer = relay_client();
  peer.is_relay_client = false;
  Talk talk(configuration(), peer);
  talk.open();
  CHECK(talk.output.find("550 5.7.1 Relaying denied\r\n554 5.5.1 ") != std::string::npos);
}

TEST_CASE("a message that cannot be stored is read to its end and put off") {
  Talk talk(configuration([](smtpd::Configuration& c) { c.message = {.memory_octets = 1000, .memfd_octets = 1500, .directory = "/nonexistent"}; }));
  talk.open();
  CHECK(talk.say(std::string(3000, 'x') + "\r\n.\r\n") == Next::Read);
  CHECK(talk.output.starts_with("452 4.3.1 "));
  CHECK_FALSE(talk.conversation.is_in_transaction());
}

TEST_CASE("each stage has its time, which single octets do not prolong") {
  Talk talk;
  CHECK(talk.conversation.deadline() == 1000);
  talk.say("EHL", 900);
  CHECK(talk.conversation.deadline() == 1000);
  talk.say("O c\r\n", 950);
  CHECK(talk.conversation.deadline() == 2950);
  talk.say("MAIL FROM:<>\r\n", 1000);
  CHECK(talk.conversation.deadline() == 4000);
  talk.say("RCPT TO:<b@b.example>\r\n", 1100);
  CHECK(talk.conversation.deadline() == 5100);
  talk.say("NOOP\r\n", 1200);
  CHECK(talk.conversation.deadline() == 5200);
  talk.say("DATA\r\n", 2000);
  CHECK(talk.conversation.deadline() == 7000);
  talk.say("x", 6000);
  CHECK(talk.conversation.deadline() == 11000);  // within a message each octet counts
  talk.say("x", 10000);
  CHECK(talk.conversation.deadline() == 14000);  // but the whole has 12 s
  CHECK(talk.say("\r\n.\r\n", 12000) == Next::Call);
  CHECK(talk.conversation.deadline() == 0);
  (void)talk.conversation.take_call();
  talk.conversation.answer(outcome(chain::Outcome::Class::Taken), talk.output);
  talk.say("", 20000);
  CHECK(talk.conversation.deadline() == 22000);
  // A message in chunks has its 12 s as a whole too, and so has a chunk that nobody asked for.
  talk.say("MAIL FROM:<>\r\nRCPT TO:<b@b.example>\r\nBDAT 2\r\n", 30000);
  talk.say("ab", 34000);
  talk.say("BDAT 2\r\n", 38000);
  CHECK(talk.conversation.deadline() == 42000);
  talk.say("cdRSET\r\n", 38500);
  talk.say("BDAT 5\r\n", 50000);
  CHECK(talk.conversation.deadline() == 55000);
  talk.say("x", 54000);
  talk.say("x", 58000);
  CHECK(talk.conversation.deadline() == 62000);
}

TEST_CASE("an idle conversation is small") { CHECK(sizeof(Conversation) <= 512); }

TEST_CASE("a command that has begun must end soon, however many octets come") {
  Talk talk(configuration([](auto& made) {
    made.time.connect = 10'000;
    made.time.line = 1500;
  }));
  CHECK(talk.conversation.deadline() == 10'000);
  talk.say("E", 100);
  CHECK(talk.conversation.deadline() == 1600);
  talk.say("H", 1000);
  CHECK(talk.conversation.deadline() == 1600);
  talk.say("LO c.example\r\nNO", 1500);
  CHECK(talk.conversation.deadline() == 3000);  // of the second one
  talk.say("OP\r\n", 2000);
  CHECK(talk.conversation.deadline() == 4000);
  talk.say(std::string(5000, 'x'), 2000);  // thrown away, but not for ever
  CHECK(talk.conversation.deadline() == 3500);
  talk.say("\r\n", 3000);
  CHECK(talk.conversation.deadline() == 5000);
}

TEST_CASE("a message that comes too slowly ends, one that pauses within its rate does not") {
  Talk talk(configuration([](auto& made) {
    made.time.data_total = 60'000;
    made.time.data_rate = 10;
    made.time.data_rate_time = 2000;
  }));
  CHECK(talk.open() == Next::Read);
  CHECK(talk.conversation.deadline() == 2000);
  talk.say("12345", 1000);
  CHECK(talk.conversation.deadline() == 2500);
  talk.say(std::string(100, 'x'), 2400);
  CHECK(talk.conversation.deadline() == 4400);  // no more than data_rate_time from now
  talk.say("x", 4400);
  CHECK(talk.conversation.deadline() == 4500);
  CHECK(talk.say("\r\n.\r\n", 4500) == Next::Call);
  CHECK(talk.conversation.deadline() == 0);
}

TEST_CASE("errors beyond what an address may make are answered later and later") {
  base::Settings settings;
  for (const auto& [name, value] : {std::pair("shield.tarpit_error_count", "2"), std::pair("shield.tarpit_delay", "1s"), std::pair("shield.period", "1h")})
    REQUIRE(settings.set(*base::find_setting(name), value));
  const auto shield = smtpd::Shield::from(settings, std::nullopt);
  REQUIRE(shield);
  const auto with = configuration([&](auto& made) { made.shield = *shield; });
  {
    Talk talk(with);
    CHECK(talk.say("x\r\n") == Next::Read);
    CHECK(talk.say("x\r\n") == Next::Read);
    CHECK(talk.say("x\r\n") == Next::Delay);
    CHECK(talk.conversation.delay() == 500);
  }
  Talk talk(with);  // comes again
  CHECK(talk.say("EHLO c.example\r\n") == Next::Read);
  CHECK(talk.say("x\r\nx\r\n") == Next::Delay);
  CHECK(talk.conversation.delay() == 1500);
  CHECK(talk.say(talk.unread) == Next::Delay);
  CHECK(talk.conversation.delay() == 2500);
}
