#include "lib/smtp/replies.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"

using namespace smtp;

TEST_CASE("a standard reply is its row, with what was wrong behind it") {
  std::string out;
  append_reply(out, ReplyId::DataStart);
  append_reply(out, ReplyId::BadParameter, "SIZE");
  CHECK(out == "354 Start mail input; end with <CRLF>.<CRLF>\r\n501 5.5.4 Bad parameter: SIZE\r\n");
}

TEST_CASE("texts become replies") {
  struct Row {
    ReplyClass expected;
    std::string_view text, lines;
  };
  using enum ReplyClass;
  for (const auto& [expected, text, lines] : std::initializer_list<Row>{
           {Positive, "Ok: queued as 17", "250 2.0.0 Ok: queued as 17\r\n"},
           {Positive, "250 2.0.0 Ok: queued as 17", "250 2.0.0 Ok: queued as 17\r\n"},
           {Positive, "250 Ok", "250 2.0.0 Ok\r\n"},
           {Permanent, "554 5.7.1 no spam", "554 5.7.1 no spam\r\n"},
           {Permanent, "no", "554 5.7.1 no\r\n"},
           {Permanent, "5.1.1 no such user", "554 5.1.1 no such user\r\n"},
           {Permanent, "550 4.7.1 contradicts itself", "550 5.7.1 contradicts itself\r\n"},
           {Permanent, "5500 of them", "554 5.7.1 5500 of them\r\n"},
           {Permanent, "550", "550 5.7.1\r\n"},
           {Permanent, "", "554 5.7.1\r\n"},
           {Transient, "450 4.7.1 not on Sundays\n", "450 4.7.1 not on Sundays\r\n"},
           {Transient, "later", "451 4.3.0 later\r\n"},
           {Transient, "421 4.3.2 bye", "421 4.3.2 bye\r\n"},
           {Permanent, "550-5.7.1 one\n550 5.7.1 two", "550-5.7.1 one\r\n550 5.7.1 two\r\n"},
           {Permanent, "550 5.7.1 one\r\ntwo\r\n\r\nfour\r\n\n", "550-5.7.1 one\r\n550-5.7.1 two\r\n550-5.7.1\r\n550 5.7.1 four\r\n"},
           {Permanent, "550 5.7.1 one\n551 5.7.1 two", "550-5.7.1 one\r\n550 5.7.1 551 5.7.1 two\r\n"},
           {Permanent, "a\rb\tc\x01\x7f\xc3\xa9", "554 5.7.1 a?b c????\r\n"},
       }) {
    CAPTURE(text);
    CHECK(reply_of_text(expected, text).lines == lines);
  }
  CHECK(reply_of_text(ReplyClass::Permanent, "\xc3\xa9\xff", true).lines == "554 5.7.1 \xc3\xa9?\r\n");
}

TEST_CASE("a code of another class cannot be meant") {
  CHECK(reply_of_text(ReplyClass::Permanent, "250 2.0.0 fine").code == 0);
  CHECK(reply_of_text(ReplyClass::Permanent, "451 4.0.0 later").code == 0);
  CHECK(reply_of_text(ReplyClass::Transient, "554 no").code == 0);
  CHECK(reply_of_text(ReplyClass::Positive, "354 go on").code == 0);
  CHECK(reply_of_text(ReplyClass::Positive, "221 bye").code == 0);
}

TEST_CASE("long texts are folded and lose nothing but the blanks at the folds") {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "word" + std::to_string(i) + (i % 7 == 0 ? " \xc3\xa9\xc3\xa9 " : " ");
  text += std::string(2000, 'x');
  text += "\xc3\xa9";
  std::string joined;
  const auto reply = reply_of_text(ReplyClass::Permanent, text, true);
  const auto lines = base::text::split(reply.lines, '\n');
  CHECK(lines.size() > 6);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    CHECK(lines[i].size() + 1 <= kMaxReplyLineOctets);
    CHECK(lines[i].starts_with(i + 2 < lines.size() ? "554-5.7.1 " : "554 5.7.1 "));
    joined += lines[i].substr(10, lines[i].size() - 11);
  }
  const auto without_blanks = [](std::string s) {
    std::erase(s, ' ');
    return s;
  };
  CHECK(without_blanks(joined) == without_blanks(text));
}

TEST_CASE("texts become greetings, whatever positive code they have") {
  CHECK(greeting_of_text(220, "mx.example.org hello") == "220 mx.example.org hello\r\n");
  CHECK(greeting_of_text(220, "220 mx.example.org\r\n220 2.0.0 no spam") == "220-mx.example.org\r\n220 no spam\r\n");
  CHECK(greeting_of_text(250, "220-2.0.0 a\xc3\xa9\tb") == "250 a?? b\r\n");
  CHECK(greeting_of_text(220, "") == "220 \r\n");
  CHECK(greeting_of_text(220, "554 5.7.1 no").empty());
  CHECK(greeting_of_text(220, std::string(1000, 'x')).size() == kMaxReplyLineOctets);
}
