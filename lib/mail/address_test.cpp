#include "lib/mail/address.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "tests/testdata.h"

using namespace mail;

namespace {
constexpr AddressRules kUtf8{.smtputf8 = true};

std::string repeated(char c, std::size_t count) { return std::string(count, c); }
// A domain of `octets` octets with labels of at most 63.
std::string domain_of(std::size_t octets) {
  std::string domain;
  while (octets - domain.size() > 63) domain += repeated('d', std::min<std::size_t>(63, octets - domain.size() - 2)) + ".";
  return domain + repeated('d', octets - domain.size());
}
AddressFault fault_of(std::string_view text, const AddressRules& rules = {}) {
  const auto parsed = parse_mailbox(text, rules);
  REQUIRE_FALSE(parsed);
  return parsed.error();
}
}  // namespace

TEST_CASE("address: a mailbox is split where its domain begins") {
  const auto mailbox = parse_mailbox("\"a@b\\\"c\"@Example.org");
  REQUIRE(mailbox);
  CHECK(mailbox->local_part == "\"a@b\\\"c\"");
  CHECK(mailbox->domain == "Example.org");
  CHECK(mailbox->kind == DomainKind::Name);
  CHECK(parse_mailbox("u@[192.0.2.1]")->kind == DomainKind::Ipv4);
  CHECK(parse_mailbox("u@[IPv6:2001:db8::1]")->kind == DomainKind::Ipv6);
  CHECK(fault_of("u@[x400:c=us]") == AddressFault::BadLiteral);
  CHECK(parse_mailbox("u@[x400:c=us]", {.general_literals = true})->kind == DomainKind::General);
  CHECK(fault_of("u@[IPv6:1::2::3]", {.general_literals = true}) == AddressFault::BadLiteral);
  CHECK(fault_of("u@[x400-:c]", {.general_literals = true}) == AddressFault::BadLiteral);
}

TEST_CASE("address: limits hold at, and not above, their edge") {
  CHECK(parse_mailbox(repeated('a', 64) + "@example.org"));
  CHECK(fault_of(repeated('a', 65) + "@example.org") == AddressFault::LocalPartTooLong);
  CHECK(parse_mailbox(repeated('a', 65) + "@example.org", {.max_local_part_octets = 65}));
  CHECK(fault_of("abc@example.org", {.max_local_part_octets = 2}) == AddressFault::LocalPartTooLong);

  CHECK(parse_mailbox("u@" + domain_of(255)));
  CHECK(fault_of("u@" + domain_of(256)) == AddressFault::DomainTooLong);
  CHECK(parse_mailbox("u@" + domain_of(256), {.max_domain_octets = 256}));
  CHECK(parse_mailbox("u@" + repeated('d', 63) + ".example"));
  CHECK(fault_of("u@" + repeated('d', 64) + ".example") == AddressFault::LabelTooLong);
  // 320 octets: both parts at their limit, the path above its own.
  const std::string longest = repeated('a', 64) + "@" + domain_of(255);
  CHECK(longest.size() == 320);
  CHECK(parse_mailbox(longest));
  std::string path = "<" + longest + ">";
  std::string_view text = path;
  CHECK(consume_forward_path(text).error() == AddressFault::PathTooLong);
  CHECK(consume_forward_path(text, {.max_path_octets = 322}));
  CHECK(text.empty());

  for (const std::size_t octets : {255, 256, 257}) {
    path = "<u@" + domain_of(octets - 4) + ">";
    CHECK(path.size() == octets);
    text = path;
    CHECK(consume_reverse_path(text).has_value() == (octets <= 256));
  }
}

TEST_CASE("address: a path is eaten up to its own '>' and the rest stays") {
  std::string_view text = "<@a.example,@b.example:\"x> \\\"\"@example.org> SIZE=10";
  const auto path = consume_reverse_path(text);
  REQUIRE(path);
  CHECK(path->address == "\"x> \\\"\"@example.org");
  CHECK(text == " SIZE=10");

  text = "<> BODY=8BITMIME";
  CHECK(consume_reverse_path(text)->is_null());
  CHECK(text == " BODY=8BITMIME");
  text = "<>";
  CHECK_FALSE(consume_forward_path(text));
  CHECK(text == "<>");

  text = "<PostMaster>";
  CHECK(consume_forward_path(text)->address == "PostMaster");
  text = "<postmaster>";
  CHECK_FALSE(consume_reverse_path(text));
  for (const auto* bad : {"", "<", "<a@b.example", "a@b.example>", "<@a.example:>", "<@a.example>", "<@a.example,:u@b.example>", "<@a.example,u@b.example>",
                          "<@:u@b.example>", "<@a..example:u@b.example>", "< a@b.example>", "<<a@b.example>>", "<\"a@b.example>", "<\"a\\"}) {
    CAPTURE(bad);
    text = bad;
    CHECK_FALSE(consume_forward_path(text));
    CHECK(text == bad);
  }
}

TEST_CASE("address: octets over 127 need SMTPUTF8 and well-formed UTF-8") {
  CHECK(fault_of("j\xc3\xb8ran@example.org") == AddressFault::NonAscii);
  CHECK(fault_of("info@b\xc3\xbc" "cher.example") == AddressFault::NonAscii);
  CHECK(parse_mailbox("j\xc3\xb8ran@b\xc3\xbc" "cher.example", kUtf8));
  CHECK(parse_mailbox("\"j\xc3\xb8 n\"@example.org", kUtf8));
  CHECK(fault_of("\"\\\xc3\xb8\"@example.org", kUtf8) == AddressFault::Syntax);  // quoted-pairSMTP stays ASCII
  CHECK(fault_of("j\xf8ran@example.org", kUtf8) == AddressFault::InvalidUtf8);
  CHECK(fault_of("j\xf8ran@example.org") == AddressFault::InvalidUtf8);
  CHECK(fault_of("u@b\xfc.example", kUtf8) == AddressFault::InvalidUtf8);
  CHECK(fault_of("user\xef\xbc\xa0" "example.com", kUtf8) == AddressFault::Syntax);  // a fullwidth @ is none
}

TEST_CASE("address: parts and canonical forms") {
  using Pair = std::pair<std::string_view, std::string_view>;
  CHECK(split_address("a@b") == Pair("a", "b"));
  CHECK(split_address("a@b@c") == Pair("a@b", "c"));
  CHECK(split_address("\"a@b\"@c") == Pair("\"a@b\"", "c"));
  CHECK(split_address("\"a@b\"") == Pair("\"a@b\"", ""));
  CHECK(split_address("\"a@b") == Pair("\"a", "b"));
  CHECK(split_address("postmaster") == Pair("postmaster", ""));
  CHECK(split_address("a@[x:@]") == Pair("a", "[x:@]"));
  CHECK(split_address("") == Pair("", ""));

  CHECK(unquote_local_part("\"a\\\"b\\\\c\"") == "a\"b\\c");
  CHECK(unquote_local_part("plain") == "plain");
  CHECK(unquote_local_part("\"\"") == "");
  CHECK(unquote_local_part("\"") == "\"");
  CHECK(quote_local_part("a.b") == "a.b");
  CHECK(quote_local_part("a b") == "\"a b\"");
  CHECK(quote_local_part("a..b") == "\"a..b\"");
  CHECK(quote_local_part("") == "\"\"");
  CHECK(quote_local_part("a\"\\") == "\"a\\\"\\\\\"");

  CHECK(canonical_address("\"user\"@EXAMPLE.org") == "user@example.org");
  CHECK(canonical_address("\"\\u\\s\"@[IPv6:2001:DB8::1]") == "us@[ipv6:2001:db8::1]");
  CHECK(canonical_address("User@Example.Org") == "User@example.org");
  CHECK(canonical_address("Postmaster") == "Postmaster");
}

TEST_CASE("address: isemail's addresses; an SMTP path takes the valid, the DNS-only and the RFC 5321 categories") {
  const auto file = testdata::find("addresses/isemail/tests.xml");
  if (file.empty()) return;
  const auto decoded = [](std::string text) {
    const std::map<std::string, std::string> entities = {{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&amp;", "&"}};
    for (const auto& [entity, octet] : entities)
      for (auto at = text.find(entity); at != std::string::npos; at = text.find(entity, at + 1)) text.replace(at, entity.size(), octet);
    std::smatch number;
    while (std::regex_search(text, number, std::regex("&#x([0-9A-Fa-f]+);"))) {
      std::string utf8;  // only control pictures and U+007F are written so
      const auto code = std::stoul(number[1], nullptr, 16);
      if (code >= 0x2400 && code <= 0x2420) utf8 = std::string("\xe2\x90") + static_cast<char>(0x80 + code - 0x2400);
      else utf8 = static_cast<char>(code);
      text = std::string(number.prefix()) + utf8 + std::string(number.suffix());
    }
    for (int control = 0; control <= 32; ++control) {
      const std::string picture = std::string("\xe2\x90") + static_cast<char>(0x80 + control);
      for (auto at = text.find(picture); at != std::string::npos; at = text.find(picture, at)) text.replace(at, 3, 1, static_cast<char>(control));
    }
    return text;
  };
  const std::string xml = testdata::read(file);
  const std::regex test("<test id=\"(\\d+)\">([\\s\\S]*?)</test>"), address("<address>([\\s\\S]*?)</address>"), category("<category>(.*?)</category>");
  const std::set<std::string> accepted = {"ISEMAIL_VALID_CATEGORY", "ISEMAIL_DNSWARN", "ISEMAIL_RFC5321"};
  int seen = 0;
  for (std::sregex_iterator it(xml.begin(), xml.end(), test), end; it != end; ++it) {
    const std::string body = (*it)[2];
    std::smatch found_address, found_category;
    std::regex_search(body, found_address, address);
    REQUIRE(std::regex_search(body, found_category, category));
    const std::string text = found_address.empty() ? "" : decoded(found_address[1]);
    CAPTURE((*it)[1].str());
    CAPTURE(text);
    ++seen;
    // The suite is about whole addresses: 254 octets, from the path of 256 without its brackets (erratum 1690 of RFC 3696).
    const std::string path = "<" + text + ">";
    std::string_view rest = path;
    CHECK((consume_forward_path(rest).has_value() && rest.empty()) == accepted.contains(found_category[1]));
  }
  CHECK(seen == 164);
}

TEST_CASE("address: JSON-Schema's email and idn-email") {
  for (const auto* name : {"email", "idn-email"}) {
    const auto file = testdata::find(std::string("addresses/json-schema/") + name + ".json");
    if (file.empty()) return;
    const auto groups = nlohmann::json::parse(testdata::read(file));
    for (const auto& group : groups) {
      for (const auto& test : group["tests"]) {
        if (!test["data"].is_string()) continue;
        const auto text = test["data"].get<std::string>();
        CAPTURE(text);
        const auto parsed = parse_mailbox(text, {.smtputf8 = std::string(name) == "idn-email"});
        CHECK(parsed.has_value() == test["valid"].get<bool>());
      }
    }
  }
}

TEST_CASE("address: internationalised addresses and octets that are not UTF-8") {
  const auto file = testdata::find("eai/addresses.json");
  if (file.empty()) return;
  const auto addresses = nlohmann::json::parse(testdata::read(file));
  for (const auto& test : addresses["cases"]) {
    const auto address = test["address"].get<std::string>();
    CAPTURE(address);
    const auto parsed = parse_mailbox(address, kUtf8);
    CHECK(parsed);
    // Without SMTPUTF8 a U-label may only go out as A-label: as written it is refused.
    const bool is_ascii = std::ranges::all_of(address, [](char c) { return (c & 0x80) == 0; });
    CHECK(parse_mailbox(address).has_value() == is_ascii);
  }
}

TEST_CASE("address: the paths of the SMTP suite") {
  const auto file = testdata::find("smtp/commands.json");
  if (file.empty()) return;
  const auto suite = nlohmann::json::parse(testdata::read(file));
  int seen = 0;
  for (const auto& test : suite["cases"]) {
    const auto id = test["id"].get<std::string>();
    if (!id.starts_with("path-") || !test.contains("line")) continue;
    const auto line = test["line"].get<std::string>();
    const std::string path = line.substr(std::string("MAIL FROM:").size());
    CAPTURE(path);
    ++seen;
    std::string_view rest = path;
    const auto strict = consume_reverse_path(rest);
    const auto& valid = test["valid"];
    CHECK((strict && rest.empty()) == (valid == true));
    if (valid == false) continue;
    rest = path;
    const auto parsed = consume_reverse_path(rest, kUtf8);
    REQUIRE(parsed);
    if (test.contains("path")) CHECK(parsed->address == test["path"].get<std::string>());
  }
  CHECK(seen >= 50);
}
