#include "vsl-filter/transaction/header_list.h"

#include <doctest/doctest.h>

#include <chrono>

#include "vsl-filter/transaction/field_text.h"

using rules::HeaderList;
using Strings = std::vector<std::string>;

namespace {

std::string written(const HeaderList& header) {
  std::string out;
  header.append_to(out);
  return out;
}

// The message of vsl.md section 6.
constexpr std::string_view kMessage =
    "From: Ann <ann@client.example>\r\nTo: bob@own.example\r\nSubject: hello\r\nX-A: 1\r\nX-A: 2\r\n\r\nbody\r\n";

}  // namespace

TEST_CASE("header list: M1, fields are found in any case") {
  const HeaderList header(kMessage);
  CHECK(header.get("x-a") == "1");
  CHECK(header.count("X-A") == 2);
  CHECK(header.get_all("X-A") == Strings{" 1", " 2"});
  CHECK(header.get("none").empty());
  CHECK_FALSE(header.has("none"));
  CHECK(header.lines("x-A") == Strings{"X-A: 1", "X-A: 2"});
  CHECK(header.lines("x-A", 1) == Strings{"X-A: 1"});
  CHECK(header.lines().size() == 5);
  CHECK_FALSE(header.is_changed());
  CHECK(header.has_separator());
  CHECK(kMessage.substr(header.body_offset()) == "body\r\n");
  CHECK(written(header) + "\r\nbody\r\n" == kMessage);
}

TEST_CASE("header list: M2, rename takes all, remove the first") {
  HeaderList header(kMessage);
  REQUIRE(header.prepend("X-B", "0"));
  REQUIRE(header.append("X-C", "9"));
  REQUIRE(header.set("Subject", "new"));
  REQUIRE(header.rename("X-A", "X-D"));
  CHECK(header.remove("X-D"));
  CHECK(header.lines() == Strings{"X-B: 0", "From: Ann <ann@client.example>", "To: bob@own.example", "Subject: new", "X-D: 2", "X-C: 9"});
  CHECK(header.is_changed());
  CHECK_FALSE(header.remove("X-A"));
  CHECK(header.size() == 6);
}

TEST_CASE("header list: M3, what was added before the message goes above it, in its order") {
  HeaderList added;
  REQUIRE(added.append("X-P", "a"));
  REQUIRE(added.prepend("X-Q", "b"));
  REQUIRE(added.set("X-R", "c"));
  REQUIRE(added.set("x-p", "a2"));
  HeaderList header(kMessage);
  header.put_above(added);
  CHECK(written(header).starts_with("X-Q: b\r\nx-p: a2\r\nX-R: c\r\nFrom: Ann"));
  CHECK(header.get("X-P") == "a2");
  REQUIRE(header.prepend("X-P", "first"));
  CHECK(header.get_all("x-p") == Strings{" first", " a2"});
  const HeaderList copy = added.copy();
  REQUIRE(added.append("X-P", "later"));
  CHECK(copy.lines() == Strings{"X-Q: b", "x-p: a2", "X-R: c"});
}

TEST_CASE("header list: M5, a value cannot begin another field") {
  HeaderList header(kMessage);
  using namespace std::string_view_literals;
  for (const auto value : {"a\r\nX-Evil: 1"sv, "a\nX-Evil: 1"sv, "a\rX-Evil: 1"sv, "a\r\n"sv, "a\n"sv, "a\n\n b"sv, "a\r\n\r\nbody"sv, "a\n \t\n b"sv, "\r"sv, "a\n "sv, "a\r\r\n b"sv}) {
    CAPTURE(value);
    CHECK_FALSE(header.append("X-E", value));
    CHECK_FALSE(header.prepend("X-E", value));
    CHECK_FALSE(header.set("Subject", value));
  }
  for (const auto name : {""sv, "X E"sv, "X:E"sv, "X-E\r\nX-Evil"sv, "X\0E"sv, "X-\xc3\xa9"sv, "X\t"sv}) {
    CAPTURE(name);
    CHECK_FALSE(header.append(name, "1"));
    CHECK_FALSE(header.set(name, "1"));
    CHECK_FALSE(header.rename("Subject", name));
  }
  CHECK(header.append("X-E", "a\r\nX-Evil: 1").error().cause == "value of header field 'X-E': a line end that would begin another field");
  CHECK_FALSE(header.is_changed());
  CHECK(written(header) + "\r\nbody\r\n" == kMessage);
}

TEST_CASE("header list: folded values are taken, and given back without their line ends") {
  HeaderList header("Subject:  one\r\n two\r\n\tthree \r\nX-LF: a\n b\r\n\r\n");
  CHECK(header.get("subject") == "one two\tthree ");
  CHECK(header.get_all("subject") == Strings{"  one two\tthree "});
  CHECK(header.lines("subject") == Strings{"Subject:  one\r\n two\r\n\tthree "});
  CHECK(header.get("X-LF") == "a b");
  REQUIRE(header.set("Subject", "four\n five\r\n six"));
  CHECK(header.lines("subject") == Strings{"Subject: four\r\n five\r\n six"});
  CHECK(header.get("subject") == "four five six");
}

TEST_CASE("header list: long lines are folded where they have blanks") {
  std::string value;
  while (value.size() < 3000) value += "0123456789 ";
  value.pop_back();
  const auto text = rules::field_text("X-Long", value);
  REQUIRE(text);
  CHECK(rules::field_value(std::string_view(*text).substr(7)) == value);
  for (std::size_t at = 0; at < text->size();) {
    const auto end = text->find("\r\n", at);
    CHECK(end - at <= 998);
    at = end + 2;
  }
  const std::string word(2000, 'x');
  CHECK(*rules::field_text("X", word) == "X: " + word + "\r\n");
  CHECK(*rules::field_text("X", std::string(995, 'x')) == "X: " + std::string(995, 'x') + "\r\n");
  CHECK(*rules::field_text("X", std::string(2000, ' ')) == "X: " + std::string(2000, ' ') + "\r\n");
}

TEST_CASE("header list: line ends are those of the message") {
  HeaderList header("From: a@b\nX: 1\n\nbody\n");
  REQUIRE(header.append("Y", "2\n 3"));
  HeaderList added;
  REQUIRE(added.append("Z", "4\r\n 5"));
  header.put_above(added);
  REQUIRE(header.rename("X", "W"));
  CHECK(written(header) == "Z: 4\n 5\nFrom: a@b\nW: 1\nY: 2\n 3\n");
}

TEST_CASE("header list: what is hardly a header") {
  using namespace std::string_view_literals;
  struct Row {
    std::string_view message, with_field;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"", "X: 1\r\n"},
           {"\r\nbody", "X: 1\r\n"},
           {"A: b", "X: 1\r\nA: b\r\n"},
           {"A: b\r\n", "X: 1\r\nA: b\r\n"},
           {"A: b\r", "X: 1\r\nA: b\r\r\n"},
           {"A: b\nC: d\r", "X: 1\nA: b\nC: d\r\r\n"},
           {"A: b\r", "X: 1\r\nA: b\r\r\n"},
           {"From me Mon\r\nA: b\r\n\r\n", "From me Mon\r\nX: 1\r\nA: b\r\n"},
           {" odd\r\nA: b\r\n\r\n", " odd\r\nX: 1\r\nA: b\r\n"},
           {"A: b\r\nno field\r\nC: d\r\n", "X: 1\r\nA: b\r\n"},
           {": nameless\r\nA: b\r\n\r\n", "X: 1\r\n: nameless\r\nA: b\r\n"},
           {"A : b\r\nB:\r\n\r\n", "X: 1\r\nA : b\r\nB:\r\n"},
           {"A: \0\xff\r\n\r\n\0"sv, "X: 1\r\nA: \0\xff\r\n"sv},
       }) {
    CAPTURE(row.message);
    HeaderList header(row.message);
    REQUIRE(header.prepend("X", "1"));
    CHECK(written(header) == row.with_field);
  }
  CHECK(HeaderList("A : b\r\n\r\n").get("a") == "b");
  CHECK(HeaderList("B:\r\n\r\n").get_all("B") == Strings{""});
  CHECK(HeaderList("A: \0\xff\r\n\r\n"sv).get("a") == "\0\xff"sv);
  HeaderList spaced("A : b\r\n\r\n");
  REQUIRE(spaced.rename("A", "C"));
  CHECK(written(spaced) == "C: b\r\n");
}

TEST_CASE("header list: renamed fields keep their order among those of the new name") {
  HeaderList header("A: 1\r\nB: 2\r\nA: 3\r\nB: 4\r\n\r\n");
  REQUIRE(header.rename("a", "b"));
  CHECK(header.get_all("B") == Strings{" 1", " 2", " 3", " 4"});
  CHECK(header.count("A") == 0);
  CHECK(header.lines().front() == "b: 1");
  REQUIRE(header.rename("B", "B"));
  CHECK(header.count("b") == 4);
  for (const char* expected : {" 1", " 2", " 3", " 4"}) {
    CHECK(header.get_all("b").front() == expected);
    CHECK(header.remove("B"));
  }
  CHECK(written(header).empty());
}

TEST_CASE("header list: work grows with what is touched, not with the header") {
  constexpr int kFields = 100'000;
  std::string message;
  for (int i = 0; i < kFields; ++i) message += "X-A: " + std::to_string(i) + "\r\n";
  message += "Subject: last\r\n\r\n";
  HeaderList header(message);
  const auto start = std::chrono::steady_clock::now();
  CHECK(header.count("x-a") == kFields);
  for (int i = 0; i < kFields; ++i) {
    if (header.get("subject") != "last") FAIL("lost");
    if (!header.prepend("X-B", "1") || !header.append("X-C", "2")) FAIL("refused");
  }
  REQUIRE(header.rename("X-B", "X-A"));
  CHECK(header.get("X-A") == "1");
  int removed = 0;
  while (header.remove("X-A")) ++removed;
  CHECK(removed == 2 * kFields);
  CHECK(header.size() == kFields + 1);
  // Squares of these numbers would take minutes.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}
