#include "lib/mail/mailbox_list.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/testdata.h"

using namespace mail;
using nlohmann::json;

namespace {
json written(const NamedMailbox& mailbox) { return json::array({mailbox.name, mailbox.address}); }
json written(const AddressList& list) {
  json entries = json::array();
  for (const auto& entry : list.entries) {
    if (!entry.is_group) {
      entries.push_back(written(entry.mailbox));
      continue;
    }
    json members = json::array();
    for (const auto& member : entry.members) members.push_back(written(member));
    entries.push_back({{"group", entry.mailbox.name}, {"members", members}});
  }
  return entries;
}

std::vector<ListFault> faults_of(std::string_view body) {
  std::vector<ListFault> faults;
  for (const auto& finding : parse_address_list(body).findings) faults.push_back(finding.fault);
  return faults;
}
}  // namespace

TEST_CASE("mailbox list: the suite with the examples of RFC 5322 appendix A") {
  const auto file = testdata::find("addresses/mailbox-lists.json");
  if (file.empty()) return;
  const auto suite = json::parse(testdata::read(file));
  for (const auto& test : suite["cases"]) {
    const auto input = test["input"].get<std::string>();
    CAPTURE(input);
    const auto list = parse_address_list(input);
    if (test["parsed"] != "lenient") CHECK(written(list) == test["parsed"]);
  }
}

TEST_CASE("mailbox list: what mail has is taken, and the wrong is said") {
  using enum ListFault;
  using Faults = std::vector<ListFault>;
  struct Case {
    std::string_view body;
    std::string_view entries;
    Faults faults;
  };
  const Case cases[] = {
      {"A <a@x.y>, b@x.y", R"([["A","a@x.y"],["","b@x.y"]])", {}},
      {"\"Q. \\\"x\\\"\" <a@x.y>", R"([["Q. \"x\"","a@x.y"]])", {}},
      {"J. D. <a@x.y>", R"([["J. D.","a@x.y"]])", {ObsoletePhrase}},
      {"<@a,@b:c@d.e>", R"([["","c@d.e"]])", {ObsoleteRoute}},
      {"a @ x . y", R"([["","a@x.y"]])", {ObsoleteSpacing}},
      {"a . b@x.y", R"([["","a.b@x.y"]])", {ObsoleteSpacing}},
      {"\"a\".b@x.y", R"([["","a.b@x.y"]])", {ObsoleteLocalPart}},
      {"a@x.y,, b@x.y", R"([["","a@x.y"],["","b@x.y"]])", {ObsoleteEmptyElement}},
      {"a@x.y,", R"([["","a@x.y"]])", {ObsoleteEmptyElement}},
      {"Alice <a@x.y", R"([["Alice","a@x.y"]])", {UnclosedAngle}},
      {"Alice a@x.y>", R"([["Alice","a@x.y"]])", {Syntax, Syntax}},
      {"Alice", R"([["","Alice"]])", {MissingDomain}},
      {"Alice Smith", R"([])", {MissingDomain, Syntax}},
      {"<Alice>", R"([["","Alice"]])", {MissingDomain}},
      {"a@x.y b@x.y", R"([["","a@x.y"]])", {Syntax}},
      {"a@x.y; b@x.y", R"([["","a@x.y"],["","b@x.y"]])", {Semicolon, Syntax}},
      {"a@b Corp <a@x.y>", R"([["a@b Corp","a@x.y"]])", {Syntax}},
      {"<<a@x.y>>", R"([])", {Syntax, Syntax}},
      {"\"Alice <a@x.y>", R"([["","\"Alice <a@x.y>\""]])", {UnclosedQuote, MissingDomain}},
      {"a@x.y (Alice", R"([["Alice","a@x.y"]])", {UnclosedComment}},
      {"<>", R"([])", {EmptyAngle}},
      {"@x.y", R"([])", {MissingLocalPart}},
      {"a@", R"([["","a"]])", {Syntax, MissingDomain}},
      {"a@[1.2.3.4", R"([["","a"]])", {UnclosedLiteral, MissingDomain}},
      {"a..b@x.y", R"([["","\"a..b\"@x.y"]])", {Syntax}},
      {"a.@x.y", R"([["","\"a.\"@x.y"]])", {Syntax}},
      {"G: a@x.y, B <b@x.y>", R"([{"group":"G","members":[["","a@x.y"],["B","b@x.y"]]}])", {UnclosedGroup}},
      {"G: H: a@x.y;", R"([{"group":"G","members":[]},{"group":"H","members":[["","a@x.y"]]}])", {NestedGroup}},
      {"G:;, a@x.y", R"([{"group":"G","members":[]},["","a@x.y"]])", {}},
      {"x=?utf-8?q?=41?= =?utf-8?q?=42?= <a@x.y>", R"([["xAB","a@x.y"]])", {}},
      {"=?utf-8?q?B=2C_A?= <a@x.y>", R"([["B, A","a@x.y"]])", {}},
      {"\"=?utf-8?q?a?=\" <a@x.y>", R"([["=?utf-8?q?a?=","a@x.y"]])", {}},
      {"\"a\r\n b\" <a@x.y>", R"([["a b","a@x.y"]])", {}},
      {"<\"a\r\n b\"@x.y>", R"([["","\"a b\"@x.y"]])", {}},
      {"]]] <a@x.y>, b@x.y", R"([["","b@x.y"]])", {Syntax}},
  };
  for (const auto& [body, entries, faults] : cases) {
    CAPTURE(body);
    CHECK(written(parse_address_list(body)) == json::parse(entries));
    const auto found = faults_of(body);
    std::string numbers;
    for (const auto fault : found) numbers += " " + std::to_string(static_cast<int>(fault));
    CAPTURE(numbers);
    CHECK(found == faults);
  }
}

TEST_CASE("mailbox list: addresses of mail-parser") {
  const auto file = testdata::find("mime/mail-parser/headers/address.json");
  if (file.empty()) return;
  const auto suite = json::parse(testdata::read(file));
  int compared = 0;
  for (const auto& test : suite) {
    auto header = test["header"].get<std::string>();
    for (auto at = header.find('\n'); at != std::string::npos; at = header.find('\n', at + 1))
      if (at + 1 >= header.size() || (header[at + 1] != ' ' && header[at + 1] != '\t')) header.resize(at);
    const auto list = parse_address_list(header);
    // It keeps comments, routes and blanks in names and addresses, and reads links as addresses: compared is where nothing of that is.
    if (!list.findings.empty() || header.contains('(') || header.contains("://") || header.contains("mailto:") || header.contains("\"=?") || header.contains("=?utf-8?q?bar") ||
        header.contains("=?ISO-8859-1?Q =?"))
      continue;
    CAPTURE(header);
    json addresses = json::array();
    const auto add = [&](const json& all) {
      for (const auto& address : all) addresses.push_back({address["name"].is_null() ? "" : address["name"], address["address"]});
    };
    const auto& expected = test["expected"];
    if (expected.contains("List")) add(expected["List"]);
    if (expected.contains("Group"))
      for (const auto& group : expected["Group"]) add(group["addresses"]);
    json ours = json::array();
    for (const auto* mailbox : list.mailboxes()) ours.push_back(written(*mailbox));
    CHECK(ours == addresses);
    ++compared;
  }
  CHECK(compared >= 25);
}

TEST_CASE("mailbox list: limits, and input that a recursive reader would die of") {
  CHECK(parse_address_list("a@b,a@b,a@b", 3).findings.empty());
  const auto cut = parse_address_list("a@b,a@b,a@b,a@b", 3);
  CHECK(cut.mailboxes().size() == 3);
  CHECK(cut.findings.back().fault == ListFault::TooMany);
  const std::string deep(1'000'000, '(');
  CHECK(faults_of("a@b " + deep) == std::vector{ListFault::UnclosedComment});
  CHECK(parse_address_list("a@b " + deep + std::string(deep.size(), ')')).findings.empty());
  CHECK(parse_address_list(std::string(1'000'000, ',')).findings.size() <= 1000);
  CHECK(parse_address_list(std::string(1'000'000, '<')).entries.empty());
}

TEST_CASE("mailbox list: a phrase is written so that it reads back") {
  CHECK(encode_phrase("John Doe") == "John Doe");
  CHECK(encode_phrase("John Q. Public") == "\"John Q. Public\"");
  CHECK(encode_phrase("a \"b\" \\") == "\"a \\\"b\\\" \\\\\"");
  CHECK(encode_phrase("") == "\"\"");
  for (const auto* name : {"John Doe", "John Q. Public", "Doe, J", "a  b", " a", "Zo\xc3\xab", "=?x?q?y?=", "\xf0\x9f\x98\x80 very long name that takes more than one encoded word to write down in full"}) {
    const auto list = parse_address_list(encode_phrase(name) + " <a@b.c>");
    REQUIRE(list.entries.size() == 1);
    CHECK(list.entries[0].mailbox.name == name);
    CHECK(list.findings.empty());
  }
}
