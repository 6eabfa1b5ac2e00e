#include "address-map/entries.h"

#include <doctest/doctest.h>

using namespace address_map;
using Kind = Target::Kind;

namespace {

Targets one(Format format, std::string_view text) {
  const auto entries = parse_map(format, text, "map");
  REQUIRE_MESSAGE(entries, std::string(text));
  REQUIRE(entries->size() == 1);
  return entries->front().targets;
}

std::string error_of(Format format, std::string_view text) {
  const auto entries = parse_map(format, text, "map");
  REQUIRE_MESSAGE(!entries, std::string(text));
  CHECK(entries.error().fault == base::Fault::Config);
  return entries.error().cause;
}

}  // namespace

TEST_CASE("aliases: names and what they lead to") {
  CHECK(one(Format::Aliases, "postmaster: root\n") == Targets{{Kind::Address, "root"}});
  CHECK(one(Format::Aliases, "a:b") == Targets{{Kind::Address, "b"}});
  CHECK(one(Format::Aliases, "team: ann,\n  bob@example.org , \\team, ann") == Targets{{Kind::Address, "ann"}, {Kind::Address, "bob@example.org"}, {Kind::Final, "team"}});
  CHECK(one(Format::Aliases, "cmd: \"|/usr/bin/vacation -a \\\"x, y\\\" joe\", joe") == Targets{{Kind::Command, "/usr/bin/vacation -a \"x, y\" joe"}, {Kind::Address, "joe"}});
  CHECK(one(Format::Aliases, "cmd: |\"exec this\"") == Targets{{Kind::Command, "exec this"}});
  CHECK(one(Format::Aliases, "cmd: |this") == Targets{{Kind::Command, "this"}});
  CHECK(one(Format::Aliases, "file: /var/mail/x, \"/srv/a b/\"") == Targets{{Kind::File, "/var/mail/x"}, {Kind::File, "/srv/a b/"}});
  CHECK(one(Format::Aliases, "list: :include:/etc/list") == Targets{{Kind::Include, "/etc/list"}});
  CHECK(one(Format::Aliases, "odd: \"a b\"@example.org") == Targets{{Kind::Address, "\"a b\"@example.org"}});
}

TEST_CASE("aliases: lines, comments, case") {
  const auto entries = parse_map(Format::Aliases, "# aliases\r\n\r\n  # more\nRoot:\tJoe\r\n\n  , Ann\n\"Odd Name\": x\nlast: y", "map");
  REQUIRE(entries);
  REQUIRE(entries->size() == 3);
  CHECK((*entries)[0].key == "root");
  CHECK((*entries)[0].line == 4);
  CHECK((*entries)[0].targets == Targets{{Kind::Address, "Joe"}, {Kind::Address, "Ann"}});
  CHECK((*entries)[1].key == "odd name");
  CHECK((*entries)[2].key == "last");
}

TEST_CASE("aliases: every mistake is told with file and line") {
  CHECK(error_of(Format::Aliases, "a: b\nnonsense\nc:\n") == "map:2: expected: name: address, ...\nmap:3: 'c' leads nowhere");
  CHECK(error_of(Format::Aliases, "  begins: x\n").starts_with("map:1: begins with a blank"));
  CHECK(error_of(Format::Aliases, "a: b\nA: c\n") == "map:2: 'a' stands in line 1 already");
  CHECK(error_of(Format::Aliases, ": x").contains("no name"));
  CHECK(error_of(Format::Aliases, "a@b: x").contains("has no domain"));
  CHECK(error_of(Format::Aliases, "a: \"b").contains("not closed"));
  CHECK(error_of(Format::Aliases, "a: |").contains("empty"));
  CHECK(error_of(Format::Aliases, "a: :include:list").contains("whole path"));
  CHECK(error_of(Format::Aliases, "a: :fail: no").contains("expected: :include:"));
  CHECK(error_of(Format::Aliases, "a: b c").contains("blank within a name"));
  CHECK(error_of(Format::Aliases, "a: b@").contains("'b@'"));
  CHECK(error_of(Format::Aliases, std::string_view("a: b\0c", 6)).contains("NUL"));
}

TEST_CASE("virtual: addresses and domains") {
  CHECK(one(Format::Virtual, "Info@Example.org  ann, bob@example.com carl") == Targets{{Kind::Address, "ann"}, {Kind::Address, "bob@example.com"}, {Kind::Address, "carl"}});
  CHECK(one(Format::Virtual, "@old.example @new.example") == Targets{{Kind::Address, "@new.example"}});
  CHECK(one(Format::Virtual, "@old.example catch@new.example") == Targets{{Kind::Address, "catch@new.example"}});
  CHECK(parse_map(Format::Virtual, "\"A b\"@Example.org x", "map")->front().key == "\"a b\"@example.org");
  CHECK(error_of(Format::Virtual, "a@b.example").contains("leads nowhere"));
  CHECK(error_of(Format::Virtual, "a@b.example @c.example").contains("cannot lead to a whole domain"));
  CHECK(error_of(Format::Virtual, "@a.example @b.example @c.example").contains("expected: one @domain"));
  CHECK(error_of(Format::Virtual, "a@b.example |cmd").contains("cannot stand here"));
  CHECK(error_of(Format::Virtual, "a@b.example /file").contains("cannot stand here"));
  CHECK(error_of(Format::Virtual, "@ x").contains("no domain behind the @"));
  CHECK(error_of(Format::Virtual, "a@b@c x").contains("a@b@c"));
}

TEST_CASE("recipients: the first word counts") {
  const auto entries = parse_map(Format::Recipients, "Joe\nann@example.org OK\n@all.example\n", "map");
  REQUIRE(entries);
  REQUIRE(entries->size() == 3);
  CHECK((*entries)[0].key == "joe");
  CHECK((*entries)[1].key == "ann@example.org");
  CHECK((*entries)[2].key == "@all.example");
}

TEST_CASE("include: addresses alone") {
  CHECK(*parse_include("# list\na@example.org, b\n\n\"c d\"@x\r\n", "f") == Targets{{Kind::Address, "a@example.org"}, {Kind::Address, "b"}, {Kind::Address, "\"c d\"@x"}});
  CHECK(parse_include("a\n|cmd\n", "f").error().cause.starts_with("f:2: "));
  CHECK(parse_include("", "f")->empty());
}

TEST_CASE("compiled entries are read as they were written") {
  const Targets targets = {{Kind::Address, "a@b"}, {Kind::Command, "x | y"}, {Kind::File, "/f/"}, {Kind::Include, "/i"}, {Kind::Final, "me"}};
  CHECK(*parse_octets(to_octets(targets)) == targets);
  CHECK(parse_octets("")->empty());
  for (const auto* bad : {"a@b\n", "@\n", "@a", "\n", "xabc\n"}) CHECK_FALSE(parse_octets(bad));
}
