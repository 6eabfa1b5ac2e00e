#include "lib/authn/canonical.h"

#include <doctest/doctest.h>

#include <random>

using authn::BodyHash;
using authn::Canonicalization;

namespace {

// RFC 6376 section 3.4.3 and 3.4.4 as they are written, without any haste.
std::string canonical_body(std::string_view body, Canonicalization how) {
  std::vector<std::string> lines;
  while (!body.empty()) {
    const auto newline = body.find('\n');
    std::string line(body.substr(0, newline));
    if (newline != std::string_view::npos && line.ends_with('\r')) line.pop_back();
    body.remove_prefix(newline == std::string_view::npos ? body.size() : newline + 1);
    if (how == Canonicalization::Relaxed) {
      std::string reduced;
      for (const char c : line)
        if (c != ' ' && c != '\t') {
          reduced += c;
        } else if (!reduced.ends_with(' ')) {
          reduced += ' ';
        }
      if (reduced.ends_with(' ')) reduced.pop_back();
      line = reduced;
    }
    lines.push_back(line);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  std::string out;
  for (const auto& line : lines) out += line + "\r\n";
  if (out.empty() && how == Canonicalization::Simple) out = "\r\n";
  return out;
}

void check_both(const std::string& body) {
  CAPTURE(body);
  std::vector<BodyHash> wanted = {{.how = Canonicalization::Simple}, {.how = Canonicalization::Relaxed}};
  authn::hash_body(body, wanted);
  for (const auto& each : wanted) {
    const auto expected = canonical_body(body, each.how);
    CHECK(each.canonical_octets == expected.size());
    CHECK(each.digest == authn::sha256(expected));
  }
}

std::string field(std::string_view text, Canonicalization how) {
  std::string out;
  authn::append_field(out, text, how);
  return out;
}

}  // namespace

TEST_CASE("canonical: fields, as the examples of RFC 6376 section 3.4.5") {
  CHECK(field("A: X\r\n", Canonicalization::Relaxed) == "a:X\r\n");
  CHECK(field("B : Y\t\r\n\tZ  \r\n", Canonicalization::Relaxed) == "b:Y Z\r\n");
  CHECK(field("B : Y\t\r\n\tZ  \r\n", Canonicalization::Simple) == "B : Y\t\r\n\tZ  \r\n");
  CHECK(field("B : Y\t\n\tZ  ", Canonicalization::Simple) == "B : Y\t\r\n\tZ  \r\n");
  CHECK(field("Empty:", Canonicalization::Relaxed) == "empty:\r\n");
}

TEST_CASE("canonical: bodies of every shape are hashed as the RFC says") {
  for (const auto* body : {"", "\r\n", "\r\n\r\n", " \r\n", "\t", "a", "a\r\n", "a\r\n\r\n", " C \r\nD \t E\r\n\r\n\r\n", "a\n\nb\n", "\r\n\r\na\r\n\r\n\r\nb \r\n \r\n", "a\rb\r\n\rc\r\n", "a \r", "\r", "a\r\r\n"})
    check_both(body);
  const std::string line(100, 'x');
  for (int lines = 1; lines < 5; ++lines) {
    std::string body;
    for (int i = 0; i < lines; ++i) body += line + "\r\n";
    check_both(body);
    check_both(body + "\r\nend");
    check_both(body + "two  blanks\r\n" + body);
  }
}

TEST_CASE("canonical: bodies of chance") {
  std::mt19937 chance(7);
  constexpr std::string_view kOctets = "aaaaaaaaaaaab  \t\r\n";
  for (int round = 0; round < 3000; ++round) {
    std::string body;
    const auto size = chance() % 300;
    while (body.size() < size) {
      const auto pick = chance() % 24;
      if (pick >= kOctets.size()) {
        body += "words and words\r\n";
      } else {
        body += kOctets[pick];
      }
    }
    check_both(body);
  }
}

TEST_CASE("canonical: a length ends the hash there, and several are made in one pass") {
  const std::string body = "one two  three\r\nfour\r\n";
  const std::string relaxed = canonical_body(body, Canonicalization::Relaxed);
  std::vector<BodyHash> wanted;
  for (std::uint64_t length = 0; length <= relaxed.size() + 1; ++length) wanted.push_back({.how = Canonicalization::Relaxed, .length = length});
  authn::hash_body(body, wanted);
  for (const auto& each : wanted) {
    CHECK(each.canonical_octets == relaxed.size());
    if (*each.length <= relaxed.size()) {
      CHECK(each.digest == authn::sha256(relaxed.substr(0, *each.length)));
    }
  }
}
