#include "qctl/forward.h"

#include <doctest/doctest.h>

#include "lib/mail/message.h"
#include "lib/queue/testing.h"

using namespace std::chrono_literals;

namespace {
const base::WallTime kNow{1'800'000'000s};

queue::Seen seen_with(const std::string& message) {
  queue::Seen seen;
  seen.item = queue::testing::make_item(message);
  seen.item.context = R"({"quarantine":{"name":"virus","rule":"scan","reason":"Eicar\r\nBcc: x"}})";
  seen.message = base::Blob::of_octets(message);
  seen.place = *queue::Place::parse("quarantine/virus");
  return seen;
}
}  // namespace

TEST_CASE("qctl forward: the message is attached as it came") {
  const std::string original = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nFrom: a@example.org\r\n\r\nhello\r\n--=_\r\nno line end";
  const auto seen = seen_with(original);
  const auto copy = qctl::forwarded(seen, "postmaster@example.org", "mx.example.org", kNow);
  REQUIRE(copy);
  CHECK(copy->item.envelope.reverse_path.empty());
  CHECK(copy->item.envelope.recipients == std::vector<std::string>{"postmaster@example.org"});
  CHECK(copy->item.id != seen.item.id);
  const auto octets = queue::testing::octets_of(copy->octets);
  CHECK(copy->item.message_octets == octets.size());
  const auto index = mail::Message::index(octets);
  REQUIRE(index.parts().size() == 4);  // the whole, the text, the attachment and the message in it
  CHECK(index.parts()[1].type == "text");
  CHECK(index.parts()[2].subtype == "rfc822");
  CHECK(index.body(index.parts()[2]) == original);
  CHECK(index.body(index.parts()[1]).contains("rule:      scan\r\nreason:    Eicar\\x0d\\x0aBcc: x\r\n"));
  CHECK(mail::Message::index(octets).find("Bcc") == nullptr);
  CHECK(copy->item.context.contains("\"forwarded\":{\"of\":\"" + seen.item.id.string() + "\"}"));
}

TEST_CASE("qctl forward: 8-bit messages are said to be so, UTF-8 headers are message/global") {
  const auto octets_for = [](const std::string& message) {
    const auto copy = qctl::forwarded(seen_with(message), "p@example.org", "mx.example.org", kNow);
    REQUIRE(copy);
    return queue::testing::octets_of(copy->octets);
  };
  CHECK_FALSE(octets_for("Subject: x\r\n\r\nplain\r\n").contains("8bit"));
  CHECK(octets_for("Subject: x\r\n\r\n\xff\r\n").contains("message/rfc822\r\nContent-Disposition: attachment"));
  CHECK(octets_for("Subject: x\r\n\r\n\xff\r\n").contains("Content-Transfer-Encoding: 8bit"));
  CHECK(octets_for("Subject: \xc3\xbc\r\n\r\nx\r\n").contains("message/global"));
  CHECK(octets_for("no header at all").contains("(no subject)"));
}
