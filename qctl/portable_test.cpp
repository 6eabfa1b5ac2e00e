#include "qctl/portable.h"

#include <doctest/doctest.h>

#include <array>

#include "lib/queue/testing.h"

using namespace std::chrono_literals;
using queue::EventKind;

namespace {
const base::WallTime kNow{1'800'000'000s};

queue::Seen seen_with(const std::string& message) {
  queue::Seen seen;
  seen.item = queue::testing::make_item(message);
  seen.item.envelope = {"", {"a@one.example", "\xff@two.example", "c d@three.example"}};
  seen.item.context = R"({"b":1, "a":[2]})";
  seen.place = *queue::Place::parse("deferred");
  seen.modified = kNow;
  seen.events = {{kNow, EventKind::Deferred, 0, "mx one", "a@one.example", "451 later"}, {kNow, EventKind::Sent, 1, "mx", "", "250 ok"}};
  return seen;
}

std::vector<qctl::Portable> read(std::string_view octets) {
  std::vector<qctl::Portable> messages;
  qctl::read_portable(octets, [&](base::Result<qctl::Portable> message, const std::string& where) {
    CAPTURE(where);
    REQUIRE(message.has_value());
    messages.push_back(std::move(*message));
    return true;
  });
  return messages;
}

std::vector<std::string> errors(std::string_view octets) {
  std::vector<std::string> texts;
  qctl::read_portable(octets, [&](const base::Result<qctl::Portable>& message, const std::string& where) {
    if (!message) texts.push_back(where + ": " + message.error().cause);
    return true;
  });
  return texts;
}

std::string all_octets() {
  std::string octets = "Subject: x\r\n\r\n";
  for (int i = 0; i < 256; ++i) octets += static_cast<char>(i);
  return octets + "\r\n";
}

// What may go wrong on the way through lines.
const std::string kMessages[] = {"", "\r\n", "\n", "x", "Subject: x\r\n\r\nbody\r\n", "Subject: x\r\n\r\nbody", "a\r\n\r\n", "a\r\n\r\n\r\n", "a\nb\r\n",
                                 "From me\r\n", "\r\nFrom me\r\n>From you\r\n>>From x\r\n", "X-Vsmtp-Lines: crlf\r\nX-Vsmtp-Id: y\r\n\r\n", " folded\r\n",
                                 "a\r\r\n", "a\r", "a\n", "a\n\nFrom b\n", "{\r\n", all_octets(), "\xc3\xbc\r\n"};
}  // namespace

TEST_CASE("qctl export: JSON lines come back as they were, octet by octet") {
  std::string lines;
  for (const auto& message : kMessages) lines += qctl::to_json_line(seen_with(message), message);
  const auto messages = read(lines);
  REQUIRE(messages.size() == std::size(kMessages));
  for (std::size_t i = 0; i < messages.size(); ++i) {
    CHECK(messages[i].message == kMessages[i]);
    CHECK(messages[i].context == R"({"b":1, "a":[2]})");
    CHECK(messages[i].reverse_path == "");
    CHECK(messages[i].recipients == std::vector<std::string>{"a@one.example", "\xff@two.example", "c d@three.example"});
    CHECK(messages[i].place == queue::Place::parse("deferred"));
    CHECK(messages[i].next_attempt == kNow);
    REQUIRE(messages[i].events.size() == 2);
    CHECK(queue::to_line(messages[i].events[0]) == queue::to_line(seen_with("").events[0]));
    CHECK(messages[i].id.has_value());
    CHECK(messages[i].arrived == messages[i].id->time());
  }
  CHECK(lines.contains(R"("email_status":{"heldback")"));  // the canonical form is in it
}

TEST_CASE("qctl export: an mbox gives back every message, octet by octet, and who has not got it") {
  std::string mbox;
  for (const auto& message : kMessages) mbox += qctl::to_mbox(seen_with(message), message);
  const auto messages = read(mbox);
  REQUIRE(messages.size() == std::size(kMessages));
  for (std::size_t i = 0; i < messages.size(); ++i) {
    CAPTURE(kMessages[i]);
    CHECK(messages[i].message == kMessages[i]);
    CHECK(messages[i].reverse_path == "");
    CHECK(messages[i].recipients == std::vector<std::string>{"a@one.example", "c d@three.example"});
    CHECK(messages[i].place == queue::Place::parse("deferred"));
  }
}

TEST_CASE("qctl import: mboxes of others, files of a spool, and plain messages") {
  const auto foreign = read("From me@x.example Fri Nov 21 20:15:00 2026\nSubject: a\n\n>From here\n>>From there\n\nFrom MAILER-DAEMON x\r\nSubject: b\r\n\r\nbody\r\n");
  REQUIRE(foreign.size() == 2);
  CHECK(foreign[0].reverse_path == "me@x.example");
  CHECK(foreign[0].message == "Subject: a\r\n\r\nFrom here\r\n>From there\r\n");
  CHECK(foreign[1].reverse_path == "");
  CHECK(foreign[1].message == "Subject: b\r\n\r\nbody\r\n");
  CHECK_FALSE(foreign[0].id.has_value());
  CHECK(foreign[0].recipients.empty());

  auto item = queue::testing::make_item("text\r\n");
  const auto stored = read(to_octets(item) + "text\r\n");
  REQUIRE(stored.size() == 1);
  CHECK(stored[0].id == item.id);
  CHECK(stored[0].message == "text\r\n");
  CHECK(stored[0].recipients == item.envelope.recipients);

  const auto plain = read("Subject: a\n\nb\n");
  REQUIRE(plain.size() == 1);
  CHECK(plain[0].message == "Subject: a\n\nb\n");
  CHECK_FALSE(plain[0].reverse_path.has_value());

  const auto context = read(R"({"envelop":{"mail_from":"me@x","rcpt":[{"address":"a@y"},7]},"message":"Subject: a\r\n","b":1})");
  REQUIRE(context.size() == 1);
  CHECK(context[0].reverse_path == "me@x");
  CHECK(context[0].recipients == std::vector<std::string>{"a@y"});
  CHECK(context[0].context == R"({"envelop":{"mail_from":"me@x","rcpt":[{"address":"a@y"},7]},"b":1})");
}

TEST_CASE("qctl import: what is wrong is told with where it is") {
  CHECK(errors("{}\n\n{\"message\":7}\nnot JSON\n") == std::vector<std::string>{"line 1: expected: a member message or message_base64",
                                                                             "line 3: expected: a member message or message_base64", "line 4: expected: one JSON object"});
  CHECK(errors(R"({"message":"x","vsmtp":{"id":"no"}})").front().starts_with("line 1: expected: vsmtp.id"));
  CHECK(errors(R"({"message_base64":"%%"})").size() == 1);
  CHECK(errors("From x\nX-Vsmtp-Id: y\nX-Vsmtp-Octets: 99\nshort").front().starts_with("octet 0: cut short; expected: 99 octets"));
  CHECK(errors("vsmtp-item 2\n").size() == 1);
}
