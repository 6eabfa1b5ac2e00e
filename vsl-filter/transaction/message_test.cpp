#include "vsl-filter/transaction/message_testing.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/io.h"

using rules::HeaderList;
using rules::Message;
using rules::testing::finished;
using rules::testing::open;

namespace {

constexpr std::string_view kMessage = "From: Ann <ann@client.example>\r\nTo: bob@own.example, carl@other.example\r\nSubject: hello\r\n\r\nbody\r\n";
const base::BlobWriter::Limits kLimits;

base::Blob in_file(std::string_view octets, std::uint64_t offset) {
  auto file = base::memory_file("test");
  REQUIRE(file);
  REQUIRE(base::write_all(file->get(), std::string(offset, '#')));
  REQUIRE(base::write_all(file->get(), octets));
  return base::Blob::of_file(std::move(*file), offset, octets.size());
}

}  // namespace

TEST_CASE("message: what rules leave alone is handed on as it is, not copied") {
  const auto blob = in_file(kMessage, 100);
  auto message = Message::open(blob);
  REQUIRE(message);
  CHECK(message->header().get("subject") == "hello");
  CHECK_FALSE(message->header().remove("X-None"));
  REQUIRE(message->remove_recipient("nobody@own.example"));
  REQUIRE(message->header().rename("X-None", "X-Some"));
  CHECK_FALSE(message->is_changed());
  const auto same = message->finish(kLimits);
  REQUIRE(same);
  CHECK(same->file() == blob.file());
  CHECK(same->offset() == 100);
  const auto in_memory = base::Blob::of_octets(std::string(kMessage));
  CHECK(Message::open(in_memory)->finish(kLimits)->octets().data() == in_memory.octets().data());
}

TEST_CASE("message: a changed header is written once, above the body's octets") {
  for (const bool is_file : {false, true}) {
    auto message = Message::open(is_file ? in_file(kMessage, 7) : base::Blob::of_octets(std::string(kMessage)));
    REQUIRE(message);
    REQUIRE(message->header().append("X-New", "1"));
    CHECK(message->is_changed());
    CHECK(*message->body() == "body\r\n");
    CHECK(finished(*message) == "From: Ann <ann@client.example>\r\nTo: bob@own.example, carl@other.example\r\nSubject: hello\r\nX-New: 1\r\n\r\nbody\r\n");
    CHECK(*message->text() == finished(*message));
  }
}

TEST_CASE("message: a large one is written to a file, octet by octet") {
  std::string octets = "Subject: large\r\n\r\n";
  while (octets.size() < 300'000) octets += static_cast<char>(octets.size() * 7);
  auto message = Message::open(in_file(octets, 0));
  REQUIRE(message);
  REQUIRE(message->header().prepend("X-New", "1"));
  const auto blob = message->finish(kLimits);
  REQUIRE(blob);
  CHECK_FALSE(blob->is_in_memory());
  CHECK(finished(*message) == "X-New: 1\r\n" + octets);
  auto small = Message::open(in_file("A: b\r\n\r\nbody", 3));
  REQUIRE(small->header().prepend("X-New", "1"));
  CHECK(small->finish(kLimits)->is_in_memory());
}

TEST_CASE("message: M4, recipients in To") {
  auto message = open(kMessage);
  REQUIRE(message.remove_recipient("bob@own.example"));
  REQUIRE(message.add_recipient("dan@own.example"));
  REQUIRE(message.rewrite_recipient("carl@other.example", "carla@other.example"));
  CHECK(message.header().get("To") == "carla@other.example, dan@own.example");
  REQUIRE(message.remove_recipient("carla@other.example"));
  REQUIRE(message.remove_recipient("dan@own.example"));
  CHECK_FALSE(message.header().has("To"));
  REQUIRE(message.rewrite_recipient("old@own.example", "new@own.example"));
  CHECK(message.header().lines("to").front() == "To: new@own.example");
  REQUIRE(message.rewrite_recipient("absent@own.example", "other@own.example"));
  CHECK(message.header().get("To") == "new@own.example");
}

TEST_CASE("message: every To field is looked at, a new recipient goes to the first") {
  auto message = open("TO: a@x.org\r\nto: A <a@x.org>, b@x.org\r\n\r\n");
  REQUIRE(message.add_recipient("c@x.org"));
  REQUIRE(message.remove_recipient("a@x.org"));
  CHECK(finished(message) == "TO: c@x.org\r\nto: b@x.org\r\n\r\n");
}

TEST_CASE("message: From becomes the bare address") {
  auto message = open(kMessage);
  REQUIRE(message.rewrite_sender("eve@own.example"));
  CHECK(message.header().get("From") == "eve@own.example");
  auto without = open("X: 1\r\n\r\n");
  REQUIRE(without.rewrite_sender("eve@own.example"));
  CHECK(finished(without) == "X: 1\r\nFrom: eve@own.example\r\n\r\n");
}

TEST_CASE("message: an address that is none changes nothing") {
  auto message = open(kMessage);
  for (const auto* bad : {"", "nobody", "a@b\r\nX-Evil: 1", "a@b c", "<a@b.org>", "a@b.org, c@d.org"}) {
    CAPTURE(bad);
    CHECK_FALSE(message.add_recipient(bad));
    CHECK_FALSE(message.remove_recipient(bad));
    CHECK_FALSE(message.rewrite_recipient("bob@own.example", bad));
    CHECK_FALSE(message.rewrite_recipient(bad, "bob@own.example"));
    CHECK_FALSE(message.rewrite_sender(bad));
  }
  CHECK_FALSE(message.is_changed());
  CHECK(message.add_recipient("nobody").error().cause.starts_with("'nobody' is not a valid address: "));
}

TEST_CASE("message: without header, body or separator") {
  struct Row {
    std::string_view message, changed;
  };
  using namespace std::string_view_literals;
  for (const Row& row : std::initializer_list<Row>{
           {"", "X: 1\r\n"},
           {"\r\n", "X: 1\r\n\r\n"},
           {"A: b\r\n\r\n", "X: 1\r\nA: b\r\n\r\n"},
           {"A: b\r\n", "X: 1\r\nA: b\r\n"},
           {"A: b", "X: 1\r\nA: b\r\n"},
           {"only a body\r\n", "X: 1\r\n\r\nonly a body\r\n"},
           {"A: b\r\nbroken\r\n", "X: 1\r\nA: b\r\nbroken\r\n"},
           {"A: b\n\nunix\n", "X: 1\nA: b\n\nunix\n"},
           {"A: \xff\0\r\n\r\n\0\xfe\r\nx\0"sv, "X: 1\r\nA: \xff\0\r\n\r\n\0\xfe\r\nx\0"sv},
       }) {
    CAPTURE(row.message);
    auto message = open(row.message);
    CHECK(finished(message) == row.message);
    REQUIRE(message.header().prepend("X", "1"));
    CHECK(finished(message) == row.changed);
  }
  CHECK(open("A: b\n\nunix\n").text() == "A: b\r\n\r\nunix\r\n");
}

TEST_CASE("message: MIME parts are those of the header as it is now") {
  auto message = open("Content-Type: text/plain\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n");
  REQUIRE(message.parts());
  CHECK((*message.parts())->parts().size() == 1);
  const auto* before = *message.parts();
  REQUIRE(message.header().append("X-Other", "1"));
  CHECK(*message.parts() == before);
  REQUIRE(message.header().set("Content-Type", "multipart/mixed; boundary=b"));
  CHECK((*message.parts())->parts().size() == 3);
  REQUIRE(message.header().rename("Content-Type", "X-Type"));
  CHECK((*message.parts())->parts().size() == 1);
}
