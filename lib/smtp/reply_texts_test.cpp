#include "lib/smtp/reply_texts.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "lib/base/settings.h"

using namespace smtp;

namespace {

std::string error_of(std::string_view name, std::string_view text) {
  ReplyTexts texts;
  const auto set = texts.set(name, text, "mx.example.org");
  return set ? "" : set.error().cause;
}

std::string said(std::string_view name, ReplyId id, std::string_view text, std::string_view detail = {}) {
  ReplyTexts texts;
  const auto set = texts.set(name, text, "mx.example.org");
  REQUIRE_MESSAGE(set.has_value(), set.error().cause);
  std::string out;
  texts.append(out, id, detail);
  return out;
}

}  // namespace

TEST_CASE("own replies: what the text leaves out is as it was") {
  CHECK(said("Denied", ReplyId::Denied, "554 5.7.1 go away") == "554 5.7.1 go away\r\n");
  CHECK(said("Denied", ReplyId::Denied, "go away") == "554 5.7.1 go away\r\n");
  CHECK(said("Denied", ReplyId::Denied, "550 go away") == "550 5.7.1 go away\r\n");
  CHECK(said("Denied", ReplyId::Denied, "5.7.0 go away") == "554 5.7.0 go away\r\n");
  CHECK(said("Denied", ReplyId::Denied, "550") == "550 5.7.1\r\n");
  CHECK(said("Denied", ReplyId::Failure, "go away") == "451 4.3.0 Requested action aborted: local error in processing\r\n");
  CHECK(said("Ok", ReplyId::SenderOk, "250 fine") == "250 2.1.0 fine\r\n");
  CHECK(said("Ok", ReplyId::RecipientOk, "250 fine") == "250 2.1.5 fine\r\n");
  CHECK(said("DataStart", ReplyId::DataStart, "354 go on, {domain} listens") == "354 go on, mx.example.org listens\r\n");
  CHECK(said("TooManyError", ReplyId::TooManyErrors, "451 enough") == "451 4.7.0 enough\r\n");
  CHECK(said("Help", ReplyId::Help, "214-see\n214 2.0.0 https://{domain}/\nbye") == "214-2.0.0 see\r\n214-2.0.0 https://mx.example.org/\r\n214 2.0.0 bye\r\n");
  CHECK(said("BadSender", ReplyId::BadSender, "who is that?\nnobody", "label too long") == "501-5.1.7 who is that?\r\n501 5.1.7 nobody: label too long\r\n");
}

TEST_CASE("own replies: greetings have a host in front and no enhanced status") {
  ReplyTexts texts;
  REQUIRE(texts.set("Greetings", "220 {domain} ESMTP\n220 no spam here", "mx.example.org"));
  REQUIRE(texts.set("EhloPain", "250 {domain} nice to meet you", "mx.example.org"));
  REQUIRE(texts.set("EhloSecured", "[192.0.2.1] and safe", "mx.example.org"));
  REQUIRE(texts.set("Helo", "Ok", "mx.example.org"));
  CHECK(texts.greeting == "220-mx.example.org ESMTP\r\n220 no spam here\r\n");
  CHECK(texts.ehlo == "mx.example.org nice to meet you");
  CHECK(texts.ehlo_secured == "[192.0.2.1] and safe");
  CHECK(texts.helo == "250 Ok\r\n");
}

TEST_CASE("own replies: what would break the protocol is refused, and it is said what was expected") {
  struct Row {
    std::string_view name, text, expected;
  };
  for (const auto& [name, text, expected] : std::initializer_list<Row>{
           {"Denied", "250 2.0.0 fine", "a code of the class 5, such as 554"},
           {"Denied", "451 later", "a code of the class 5"},
           {"Denied", "521 never", "another code than 521"},
           {"Failure", "421 bye", "another code than 421"},
           {"Failure", "554 no", "a code of the class 4, such as 451"},
           {"Denied", "569 no", "a code of the class 5"},
           {"Denied", "999 no", "a code of the class 5"},
           {"Denied", "550 4.7.1 no", "an enhanced status code of the class 5, or none"},
           {"Denied", "550 no\n551 no", "the same code in all lines"},
           {"Denied", "550 5.7.1 no\n550 5.1.1 no", "the same enhanced status code in all lines"},
           {"Ok", "251 fine", "the code 250"},
           {"DataStart", "250 go on", "the code 354"},
           {"DataStart", "354 2.0.0 go on", "no enhanced status code"},
           {"TlsGoAhead", "250 go", "the code 220"},
           {"AuthSucceeded", "250 welcome", "the code 235"},
           {"Greetings", "220 2.0.0 mx.example.org", "no enhanced status code in greetings"},
           {"Greetings", "220", "the name of the server in front"},
           {"Greetings", "220 *** welcome", "the name of the server in front"},
           {"Greetings", "554 {domain} closed", "the code 220"},
           {"EhloPain", "250-{domain}\n250 STARTTLS", "one line"},
           {"Closing", "221 tsch\xc3\xbcss", "ASCII without control characters"},
           {"Closing", "221 a\tb", "ASCII without control characters"},
       }) {
    CAPTURE(name);
    CAPTURE(text);
    const auto error = error_of(name, text);
    CHECK_MESSAGE(error.find(expected) != std::string::npos, error);
  }
  CHECK(error_of("Denied", std::string(452, 'x')).empty());
  CHECK(error_of("Denied", std::string(453, 'x')) == "lines of at most 452 octets");
}

TEST_CASE("own replies: every name is a key of vsmtp.ini, and none is there that nobody says; the standard texts fit their own rules") {
  const auto names = ReplyTexts::names();
  for (const auto& [name, text] : names) {
    CAPTURE(name);
    CHECK(base::find_setting("smtp.codes." + std::string(name)) != nullptr);
    CHECK(error_of(name, text).empty());
  }
  const auto rows = std::ranges::count(base::all_settings(), std::string_view("smtp.codes"), &base::Setting::section);
  CHECK(static_cast<std::size_t>(rows) == names.size());
}
