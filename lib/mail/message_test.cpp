#include "lib/mail/message.h"

#include <doctest/doctest.h>

#include "tests/testdata.h"

using namespace mail;
using Kind = Part::Kind;

namespace {
std::string name_of(const Part& part) { return part.type + "/" + part.subtype; }

// "mixed(plain alternative(plain html))"
std::string shape(const Message& message, std::uint32_t index = 0) {
  const auto& part = message.parts()[index];
  std::string text = part.subtype;
  std::string inside;
  for (auto child = part.first_child; child != kNoPart; child = message.parts()[child].next_sibling) inside += (inside.empty() ? "" : " ") + shape(message, child);
  return inside.empty() ? text : text + "(" + inside + ")";
}

// What must hold of every index, whatever the octets are.
void check_invariants(const Message& message) {
  const auto size = message.octets().size();
  REQUIRE_FALSE(message.parts().empty());
  for (const auto& part : message.parts()) {
    REQUIRE(part.offset <= part.body);
    REQUIRE(part.body <= part.end);
    REQUIRE(part.end <= size);
    for (const auto& field : message.fields(part)) {
      REQUIRE(field.offset >= part.offset);
      REQUIRE(static_cast<std::size_t>(field.body.data() - message.octets().data()) + field.body.size() <= part.body);
    }
    if (part.kind == Kind::Multipart) {
      REQUIRE(part.body <= part.preamble_end);
      REQUIRE(part.preamble_end <= part.end);
      REQUIRE(part.preamble_end <= part.epilogue);
      REQUIRE(part.epilogue <= part.end);
    }
    if (part.parent == kNoPart) continue;
    const auto& parent = message.parts()[part.parent];
    REQUIRE(parent.depth + 1 == part.depth);
    REQUIRE(part.offset >= parent.body);
    REQUIRE(part.end <= parent.end);
  }
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

constexpr std::string_view kNested =
    "From: a@b\n"
    "Content-Type: multipart/mixed; boundary=out\n"
    "\n"
    "preamble\n"
    "--out\n"
    "Content-Type: multipart/alternative;\n"
    " boundary=\"in side\"\n"
    "\n"
    "--in side\n"
    "\n"
    "plain\n"
    "--in side \t\n"
    "Content-Type: text/html\n"
    "Content-Transfer-Encoding: Quoted-Printable (x)\n"
    "\n"
    "<p>\n"
    "--in side--\n"
    "inner epilogue\n"
    "--out\n"
    "Content-Type: message/rfc822\n"
    "\n"
    "Subject: inside\n"
    "\n"
    "body\n"
    "--out--\n"
    "epilogue\n";
}  // namespace

TEST_CASE("message: header fields have their names, folded bodies, places and lines") {
  constexpr std::string_view octets = "Subject: a\r\n folded\r\n\tfield\r\nX-Empty:\r\nOld \t: form\r\n\r\nbody\r\n";
  const auto message = Message::index(octets);
  const auto fields = message.fields(message.root());
  REQUIRE(fields.size() == 3);
  CHECK(fields[0].name == "Subject");
  CHECK(fields[0].body == " a\r\n folded\r\n\tfield");
  CHECK(unfold(fields[0].body) == "a folded\tfield");
  CHECK(fields[1].body.empty());
  CHECK(fields[1].line == 4);
  CHECK(fields[1].offset == 29);
  CHECK(fields[2].name == "Old");
  CHECK(message.find("old") == &fields[2]);
  CHECK(message.find("none") == nullptr);
  CHECK(message.body(message.root()) == "body\r\n");
  CHECK(message.root().has_separator);
  CHECK(message.root().body_line == 7);
}

TEST_CASE("message: where a header ends that is not ended by an empty line") {
  struct Case {
    std::string_view octets;
    std::size_t fields;
    std::string_view body;
    bool has_separator;
  };
  for (const auto& [octets, count, body, has_separator] : std::initializer_list<Case>{
           {"", 0, "", false},
           {"\n", 0, "", true},
           {"\r\nx", 0, "x", true},
           {"no field\n", 0, "no field\n", false},
           {"A: b", 1, "", false},
           {"A: b\nno field\nC: d\n\n", 1, "no field\nC: d\n\n", false},
           {"A: b\r", 1, "", false},
           {"From me Fri Nov 21\nA: b\n\nx", 2, "x", true},
           {">From me\nA: b\n\nx", 2, "x", true},
           {"A: b\nFrom me\n\nx", 1, "From me\n\nx", false},
           {" leading\nA: b\n\nx", 2, "x", true},
           {": empty name\nA: b\n\nx", 2, "x", true},
           {"A B: c\n\nx", 0, "A B: c\n\nx", false},
           {std::string_view("A\0B: c\n\nx", 9), 0, std::string_view("A\0B: c\n\nx", 9), false},
           {"A: b\n \n\t\n\nx", 1, "x", true},
       }) {
    CAPTURE(octets);
    const auto message = Message::index(octets);
    check_invariants(message);
    CHECK(message.fields(message.root()).size() == count);
    CHECK(message.body(message.root()) == body);
    CHECK(message.root().has_separator == has_separator);
  }
}

TEST_CASE("message: the parts of a nested multipart, with both line ends") {
  for (const auto& octets : {std::string(kNested), with_crlf(kNested)}) {
    const std::string eol = octets.contains('\r') ? "\r\n" : "\n";
    const auto message = Message::index(octets);
    check_invariants(message);
    CHECK(shape(message) == "mixed(alternative(plain html) rfc822(plain))");
    const auto parts = message.parts();
    REQUIRE(parts.size() == 6);
    CHECK(parts[0].kind == Kind::Multipart);
    CHECK(parts[0].is_closed);
    CHECK(octets.substr(parts[0].body, parts[0].preamble_end - parts[0].body) == "preamble");
    CHECK(octets.substr(parts[0].epilogue) == "epilogue" + eol);
    CHECK(parts[1].boundary == "in side");
    CHECK(parts[1].preamble_end == parts[1].body);
    CHECK(octets.substr(parts[1].epilogue, parts[1].end - parts[1].epilogue) == "inner epilogue");
    CHECK(message.body(parts[2]) == "plain");
    CHECK(parts[2].field_count == 0);
    CHECK(parts[2].has_separator);
    CHECK(message.body(parts[3]) == "<p>");
    CHECK(parts[3].encoding == TransferEncoding::QuotedPrintable);
    CHECK(parts[3].line == 13);
    CHECK(parts[4].kind == Kind::Message);
    CHECK(parts[5].parent == 4);
    CHECK(parts[5].depth == 2);
    CHECK(message.body(parts[5]) == "body");
    CHECK(message.fields(parts[5])[0].line == 22);
  }
}

TEST_CASE("message: delimiters that are none, and ends that are missing") {
  const auto shape_of = [](std::string_view body) {
    static std::string octets;
    octets = "Content-Type: multipart/mixed; boundary=\"b\"\n\n" + std::string(body);
    const auto message = Message::index(octets);
    check_invariants(message);
    return shape(message) + (message.root().is_closed ? "" : " open");
  };
  CHECK(shape_of("--b\n\nx\n--b--\n") == "mixed(plain)");
  CHECK(shape_of("--b\n\nx\n--b--") == "mixed(plain)");
  CHECK(shape_of("--b\n\nx\n") == "mixed(plain) open");
  CHECK(shape_of("--b\n\nx\n--bc\n--b c\n -- b\n--b-\n-b\n--B\n--b--\n") == "mixed(plain)");
  CHECK(shape_of("--b--\n") == "mixed");
  CHECK(shape_of("") == "mixed open");
  CHECK(shape_of("text\n") == "mixed open");
  CHECK(shape_of("--b--\n--b\n\nafter the end\n") == "mixed");
  CHECK(shape_of("--b\nA: b\n--b\n--b--\n") == "mixed(plain plain)");  // a header that a delimiter ends
  // An inner multipart that is not closed is ended by the outer delimiter; one with the same boundary has it first.
  CHECK(shape_of("--b\nContent-Type: multipart/x; boundary=c\n\n--c\n\nx\n--b\n\ny\n--b--\n") == "mixed(x(plain) plain)");
  CHECK(shape_of("--b\nContent-Type: multipart/x; boundary=b\n\n--b\n\nx\n--b--\n--b\n\ny\n--b--\n") == "mixed(x(plain) plain)");
  CHECK(shape_of("--b\nContent-Type: multipart/x; boundary=b--\n\n--b--\n\nx\n--b----\n--b--\n") == "mixed(x(plain))");
}

TEST_CASE("message: what a part is taken for") {
  const auto type_of = [](std::string_view header) {
    const auto octets = std::string(header) + "\n\n";
    const auto message = Message::index(octets);
    return name_of(message.root()) + (message.root().kind == Kind::Leaf ? "" : message.root().kind == Kind::Multipart ? " multipart" : " message");
  };
  CHECK(type_of("A: b") == "text/plain");
  CHECK(type_of("Content-Type: TEXT/HTML") == "text/html");
  CHECK(type_of("Content-Type: garbage") == "text/plain");
  CHECK(type_of("Content-Type: text/html\nContent-Type: image/png") == "text/html");
  CHECK(type_of("Content-Type: multipart/mixed") == "multipart/mixed");
  CHECK(type_of("Content-Type: multipart/mixed; boundary=\"\"") == "multipart/mixed");
  CHECK(type_of("Content-Type: multipart/mixed; boundary*0=a; boundary*1=b") == "multipart/mixed multipart");
  CHECK(type_of("Content-Type: message/rfc822") == "message/rfc822 message");
  CHECK(type_of("Content-Type: message/global") == "message/global message");
  CHECK(type_of("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64") == "message/rfc822");
  CHECK(type_of("Content-Type: message/partial; id=x") == "message/partial");

  constexpr std::string_view digest = "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\ny\n--b\nContent-Type: text/plain\n\nz\n--b--\n";
  CHECK(shape(Message::index(digest)) == "digest(rfc822(plain) plain)");
}

TEST_CASE("message: limits hold at, and not above, their edge") {
  std::string deep;
  for (int level = 0; level < 5; ++level) deep += "Content-Type: message/rfc822\n\n";
  deep += "\nx";
  CHECK(Message::index(deep, {.depth = 5}).limit() == Message::Limit::None);
  CHECK(Message::index(deep, {.depth = 5}).parts().size() == 6);
  const auto cut = Message::index(deep, {.depth = 4});
  CHECK(cut.limit() == Message::Limit::Depth);
  CHECK(cut.parts().size() == 5);
  CHECK(cut.parts()[4].kind == Kind::Leaf);

  std::string wide = "Content-Type: multipart/mixed; boundary=b\n\n";
  for (int part = 0; part < 4; ++part) wide += "--b\n\nx\n";
  wide += "--b--\nepilogue";
  CHECK(Message::index(wide, {.parts = 5}).limit() == Message::Limit::None);
  const auto narrow = Message::index(wide, {.parts = 4});
  check_invariants(narrow);
  CHECK(narrow.limit() == Message::Limit::Parts);
  CHECK(narrow.parts().size() == 4);
  CHECK(wide.substr(narrow.limit_offset()).starts_with("\nx\n--b--"));
  CHECK(narrow.root().is_closed);
  CHECK(Message::index(deep, {.parts = 3}).parts().size() == 3);
  CHECK(Message::index(deep, {.parts = 3}).limit() == Message::Limit::Parts);

  const std::string fields = "A: 1\n 1\nB: 2\n 2\nC: 3\n 3\n\nbody";
  CHECK(Message::index(fields, {.fields = 3}).limit() == Message::Limit::None);
  const auto few = Message::index(fields, {.fields = 2});
  CHECK(few.limit() == Message::Limit::Fields);
  CHECK(few.fields(few.root()).size() == 2);
  CHECK(few.fields(few.root())[1].body == " 2\n 2");
  CHECK(few.body(few.root()) == "body");
  const auto none = Message::index(fields, {.fields = 0});
  CHECK(none.fields(none.root()).empty());
}

TEST_CASE("message: an index is made of a message that is cut at any octet") {
  for (const auto& octets : {std::string(kNested), with_crlf(kNested)}) {
    for (std::size_t length = 0; length <= octets.size(); ++length) {
      const std::string cut(octets, 0, length);  // a copy, so that a sanitizer sees what is read behind it
      check_invariants(Message::index(cut));
    }
  }
}

TEST_CASE("message: all sample messages, whole and cut, written back from their parts octet by octet") {
  const auto directory = testdata::find("mime");
  if (directory.empty()) return;
  int seen = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
    const auto extension = file.path().extension();
    if (extension != ".eml" && extension != ".raw" && extension != ".txt") continue;
    const auto octets = testdata::read(file.path());
    const auto message = Message::index(octets);
    CAPTURE(file.path().string());
    check_invariants(message);
    ++seen;
    // Header lines from fields, and what lies between parts: together they are the message.
    std::string written;
    const auto& root = message.root();
    for (const auto& field : message.fields(root)) {
      const auto end = static_cast<std::size_t>(field.body.data() - octets.data()) + field.body.size();
      CHECK(octets.substr(field.offset, field.name.size()) == field.name);
      written.append(octets, written.size(), end - written.size());
    }
    written.append(octets, written.size(), root.body - written.size());
    written += message.body(root);
    CHECK(written == octets);
    for (std::size_t length = octets.size(); length > 0; length = length * 7 / 8) check_invariants(Message::index(std::string_view(octets).substr(0, length)));
  }
  CHECK(seen >= 269);
}
