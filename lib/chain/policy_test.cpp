#include "lib/chain/policy.h"

#include <doctest/doctest.h>

using chain::PolicySplitter;
using Status = chain::PolicySplitter::Status;

namespace {
Status next(PolicySplitter& splitter, std::string& text) {
  std::string_view view;
  const auto status = splitter.next(view);
  text = view;
  return status;
}
}  // namespace

TEST_CASE("policy: attributes are lines of name and value") {
  const auto parsed = chain::parse_policy("request=smtpd_access_policy\nsender=a=b@example.org\nhelo_name=\nsender=second\r\n");
  REQUIRE(parsed);
  REQUIRE(parsed->size() == 4);
  CHECK(*find(*parsed, "sender") == "a=b@example.org");
  CHECK(find(*parsed, "helo_name")->empty());
  CHECK(parsed->back().value == "second");
  CHECK(find(*parsed, "recipient") == nullptr);
  CHECK_FALSE(chain::parse_policy("request\n"));
  CHECK_FALSE(chain::parse_policy("=value\n"));
  CHECK(chain::parse_policy("")->empty());
}

TEST_CASE("policy: a value cannot end its line") {
  std::string text;
  chain::append_policy(text, "action", std::string_view("450 a\r\nb\0c", 10));
  CHECK(text == "action=450 a  b c\n");
}

TEST_CASE("policy: questions come in any pieces, several at once") {
  const std::string stream = "a=1\nb=2\n\nc=3\r\n\r\n\nd=4\n";
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    PolicySplitter splitter;
    std::vector<std::string> texts;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      splitter.add(std::string_view(stream).substr(at, piece));
      std::string text;
      while (next(splitter, text) == Status::Text) texts.push_back(text);
    }
    CAPTURE(piece);
    CHECK(texts == std::vector<std::string>{"a=1\nb=2\n", "c=3\r\n", ""});
    CHECK(splitter.has_part());
  }
}

TEST_CASE("policy: a question has at most 64 KB") {
  std::string text;
  for (const std::size_t more : {0, 1}) {
    PolicySplitter splitter;
    splitter.add(std::string("a=") + std::string(chain::kPolicyOctets - 3 + more, 'x') + "\n\n");
    CHECK(next(splitter, text) == (more == 0 ? Status::Text : Status::TooLong));
    PolicySplitter endless;
    endless.add(std::string(chain::kPolicyOctets + more, 'x'));
    CHECK(next(endless, text) == (more == 0 ? Status::NeedMore : Status::TooLong));
  }
}

TEST_CASE("policy: the first octet tells a question from a frame") {
  CHECK(PolicySplitter::is_start('r'));
  CHECK_FALSE(PolicySplitter::is_start('\0'));
  CHECK_FALSE(PolicySplitter::is_start('\4'));
}
