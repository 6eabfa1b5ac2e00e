#include "lib/smtp/reply.h"

#include <doctest/doctest.h>

#include <vector>

#include "lib/base/text.h"
#include "tests/smtp_suites.h"

using namespace smtp;
using Status = ReplyReader::Status;

namespace {

// What becomes of `wire` when it comes in pieces of `step` octets; nullopt: never complete, or bad.
std::optional<Reply> read(std::string_view wire, std::size_t step, const ReplyReader::Limits& limits = {}) {
  ReplyReader reader(limits);
  for (std::size_t at = 0; at < wire.size(); at += step) {
    auto piece = wire.substr(at, step);
    const auto status = reader.feed(piece);
    if (status == Status::Complete) return reader.take();
    if (status == Status::Bad) return std::nullopt;
  }
  return std::nullopt;
}

std::vector<std::string> lines_of(const Reply& reply) {
  std::vector<std::string> lines;
  for (const auto line : base::text::split(reply.text, '\n')) lines.emplace_back(line);
  if (lines.empty()) lines.emplace_back();
  return lines;
}

}  // namespace

TEST_CASE("reply: the public cases, whole and octet by octet") {
  const auto suite = testdata::smtp_suite("replies.json");
  for (const auto& row : suite["cases"]) {
    CAPTURE(row["id"].get<std::string>());
    const auto wire = testdata::unhex(row["wire_hex"]);
    for (const std::size_t step : {wire.size(), std::size_t{1}, std::size_t{3}}) {
      const auto reply = read(wire, step);
      const bool must_be_valid = row["valid"] == true;
      if (must_be_valid) REQUIRE(reply);
      if (row["valid"] == false) CHECK_FALSE(reply);
      if (!reply || row["code"].is_null()) continue;
      CHECK(reply->code == row["code"].get<int>());
      CHECK(reply->status == (row["enhanced"].is_null() ? std::string() : row["enhanced"].get<std::string>()));
      if (!row["text"].is_null()) CHECK(lines_of(*reply) == row["text"].get<std::vector<std::string>>());
    }
  }
}

TEST_CASE("reply: what the RFC leaves no room for is not a reply") {
  for (const auto* line : {"", "2", "25", "250_x", "2500 x", "150 x", "600 x", "000", "+50 x", " 250 x"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_reply_line(line));
  }
  CHECK(parse_reply_line("571 5.7.1 refused")->code == 571);
}

TEST_CASE("reply: enhanced status codes are eaten only when they are ones") {
  struct Row {
    std::string_view text, status, rest;
  };
  for (const auto& row : std::vector<Row>{
           {"5.1.1 no such user", "5.1.1", "no such user"},
           {"2.0.0", "2.0.0", ""},
           {"4.123.999 x", "4.123.999", "x"},
           {"3.0.0 x", "", "3.0.0 x"},
           {"5.1 x", "", "5.1 x"},
           {"5.1.1234 x", "", "5.1.1234 x"},
           {"5.1.1x", "", "5.1.1x"},
           {"5..1 x", "", "5..1 x"},
           {"5", "", "5"},
           {"", "", ""},
       }) {
    CAPTURE(row.text);
    auto text = row.text;
    CHECK(consume_enhanced_status(text) == row.status);
    CHECK(text == row.rest);
  }
}

TEST_CASE("reply: words are what the server said") {
  for (const auto* wire : {"550 5.1.1 no such user\r\n", "250\r\n", "550-5.7.1 first\r\n550 5.7.1 second\r\n", "550 5.0.0\r\n"}) {
    const auto reply = read(wire, 1000);
    REQUIRE(reply);
    std::string expected(wire);
    std::erase(expected, '\r');
    expected.pop_back();
    for (std::size_t i = 3; i < expected.size(); ++i)
      if (expected[i] == '-') expected[i] = ' ';
    CHECK(reply->words() == expected);
  }
}

TEST_CASE("reply: several replies of one read come out one by one") {
  ReplyReader reader;
  std::string_view input = "250 2.1.0 a\r\n250-b\r\n250 c\r\n354 go";
  CHECK(reader.feed(input) == Status::Complete);
  CHECK(reader.take().text == "a");
  CHECK(reader.feed(input) == Status::Complete);
  CHECK(reader.take().text == "b\nc");
  CHECK_FALSE(reader.is_within_reply());
  CHECK(reader.feed(input) == Status::NeedMore);
  CHECK(reader.is_within_reply());
  input = " on\r\n";
  CHECK(reader.feed(input) == Status::Complete);
  CHECK(reader.take().code == 354);
}

TEST_CASE("reply: limits hold at their edge") {
  constexpr ReplyReader::Limits kLimits{.line_octets = 10, .reply_octets = 24};
  for (const std::size_t step : {std::size_t{1}, std::size_t{100}}) {
    CHECK(read("250 345678\r\n", step, kLimits));
    CHECK(read("250 345678\n", step, kLimits));
    CHECK_FALSE(read("250 3456789\r\n", step, kLimits));
    CHECK(read("250-345678\r\n250 345678\r\n", step, kLimits));
    CHECK_FALSE(read("250-345678\r\n250-34567\r\n250\r\n", step, kLimits));
  }
  // A line without an end is refused as soon as it is too long, not when memory is full.
  ReplyReader reader(kLimits);
  std::string_view input = "25012345678";
  CHECK(reader.feed(input) == Status::NeedMore);
  input = "9";
  CHECK(reader.feed(input) == Status::Bad);
  CHECK(reader.problem() == "line of more than 10 octets");
}
