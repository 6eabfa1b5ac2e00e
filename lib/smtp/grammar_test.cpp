#include "lib/smtp/grammar.h"

#include <doctest/doctest.h>

#include "tests/smtp_suites.h"

using namespace smtp;

namespace {
constexpr unsigned kAll = ~0U;
const mail::AddressRules kRules;
}  // namespace

TEST_CASE("parameters of MAIL are read, each at most once, each of its kind") {
  const auto mail = parse_mail("FROM:<u@example.com> SIZE=1000 body=8bitmime RET=HDRS ENVID=QQ+2B314159 AUTH=<> SMTPUTF8 REQUIRETLS", kAll, kRules);
  REQUIRE(mail.has_value());
  CHECK(mail->reverse_path.address == "u@example.com");
  CHECK(mail->size_octets == 1000);
  CHECK(mail->body == BodyType::EightBitMime);
  CHECK(mail->dsn_return == Return::Headers);
  CHECK(mail->envelope_id == "QQ+2B314159");
  CHECK(mail->auth == "<>");
  CHECK(mail->smtputf8);
  CHECK(mail->require_tls);
  CHECK(parse_mail("from: <>", kAll, kRules)->reverse_path.is_null());

  struct Row {
    std::string_view argument;
    ReplyId reply;
  };
  for (const auto& [argument, reply] : std::initializer_list<Row>{
           {"<u@example.com>", ReplyId::BadArgument},
           {"FROM:<u@example.com>SIZE=1", ReplyId::BadArgument},
           {"FROM:<u@example.com> =1", ReplyId::BadArgument},
           {"FROM:<u@example.com> SIZE=1=2", ReplyId::BadArgument},
           {"FROM:<u@example.com> X-Y=\x01", ReplyId::BadArgument},
           {"FROM:<u@example.com> FOO", ReplyId::UnknownParameter},
           {"FROM:<u@example.com> NOTIFY=NEVER", ReplyId::UnknownParameter},
           {"FROM:<u@example.com> SIZE=1 size=1", ReplyId::ParameterTwice},
           {"FROM:<u@example.com> SIZE", ReplyId::BadParameter},
           {"FROM:<u@example.com> SIZE=", ReplyId::BadParameter},
           {"FROM:<u@example.com> SIZE=-1", ReplyId::BadParameter},
           {"FROM:<u@example.com> SIZE=123456789012345678901", ReplyId::BadParameter},
           {"FROM:<u@example.com> BODY=9BIT", ReplyId::BadParameter},
           {"FROM:<u@example.com> SMTPUTF8=yes", ReplyId::BadParameter},
           {"FROM:<u@example.com> ENVID=a+2b", ReplyId::BadParameter},
           {"FROM:<u@example.com> RET=ALL", ReplyId::BadParameter},
           {"FROM:<us er@example.com>", ReplyId::BadSender},
       }) {
    CAPTURE(argument);
    const auto refused = parse_mail(argument, kAll, kRules);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().reply == reply);
  }
  CHECK(parse_mail("FROM:<u@example.com> ENVID=" + std::string(100, 'a'), kAll, kRules).has_value());
  CHECK_FALSE(parse_mail("FROM:<u@example.com> ENVID=" + std::string(101, 'a'), kAll, kRules).has_value());
}

TEST_CASE("what is not offered is unknown") {
  CHECK(parse_mail("FROM:<u@example.com> SIZE=1", 0, kRules).error().reply == ReplyId::UnknownParameter);
  CHECK(parse_mail("FROM:<u@example.com> BODY=BINARYMIME", k8BitMime, kRules).error().reply == ReplyId::BadParameter);
  CHECK(parse_mail("FROM:<\xc3\xbc@example.com>", 0, kRules).error().reply == ReplyId::NonAsciiAddress);
  CHECK(parse_rcpt("TO:<u@example.com> NOTIFY=NEVER", 0, kRules).error().reply == ReplyId::UnknownParameter);
}

TEST_CASE("parameters of RCPT are those of RFC 3461") {
  const auto rcpt = parse_rcpt("TO:<u@example.com> NOTIFY=SUCCESS,delay ORCPT=rfc822;a+2Bb@example.com", kAll, kRules);
  REQUIRE(rcpt.has_value());
  CHECK(rcpt->notify == (mail::kSuccess | mail::kDelay));
  CHECK(rcpt->original_recipient == "rfc822;a+2Bb@example.com");
  CHECK(parse_rcpt("TO:<u@example.com> ORCPT=utf-8;\xc3\xbc@example.com", kAll, {.smtputf8 = true}).has_value());
  CHECK(parse_rcpt("TO:<u@example.com> ORCPT=utf-8;\xc3\xbc@example.com", kAll, kRules).error().reply == ReplyId::BadParameter);
  CHECK(parse_rcpt("TO:<u@example.com> ORCPT=utf-8;\\x{FC}@example.com", kAll, kRules).has_value());
  for (const auto* bad : {"NOTIFY=", "NOTIFY=NEVER,DELAY", "NOTIFY=SUCCESS,", "ORCPT=rfc822", "ORCPT=;a", "ORCPT=rfc822;\xc3\xbc", "ORCPT=rfc822;a+"})
    CHECK_FALSE(parse_rcpt("TO:<u@example.com> " + std::string(bad), kAll, kRules).has_value());
  CHECK(parse_rcpt("TO:<postMASTER>", kAll, kRules)->forward_path.domain.empty());
  CHECK(parse_rcpt("TO:<>", kAll, kRules).error().reply == ReplyId::BadRecipient);
}

TEST_CASE("a chunk has a size and perhaps LAST") {
  CHECK(parse_bdat("0 LAST")->is_last);
  CHECK(parse_bdat("18446744073709551615 last")->octets == 18446744073709551615U);
  for (const auto* bad : {"", "x", "-1", "+1", "1x", "1 ", "1 FIRST", "1 LAST LAST", "18446744073709551616", "1  LAST"}) CHECK_FALSE(parse_bdat(bad).has_value());
}

TEST_CASE("AUTH lines of the suite") {
  for (const auto& suite = testdata::smtp_suite("commands.json"); const auto& c : suite["cases"]) {
    if (!c.contains("line") || !c["line"].get<std::string>().starts_with("AUTH ")) continue;
    const std::string line = c["line"];
    CHECK(parse_auth(std::string_view(line).substr(5)).has_value() == c["valid"].get<bool>());
  }
  CHECK(parse_auth("PLAIN =")->initial_response == "");
  CHECK_FALSE(parse_auth("PLAIN")->initial_response.has_value());
  for (const auto* bad : {"", "PLA!N", "PLAIN ", "PLAIN a", "PLAIN a===", "PLAIN ab=c", "ABCDEFGHIJKLMNOPQRSTU"}) CHECK_FALSE(parse_auth(bad).has_value());
}

TEST_CASE("names of clients are domains, literals, or nearly so") {
  for (const auto* good : {"a.example", "[192.0.2.1]", "[IPv6:2001:db8::1]", "my_host", "localhost"}) CHECK(is_helo_name(good));
  for (const auto* bad : {"", "a b", "a(b", "a\"b", "b\xc3\xbc" "cher", "a\x01", "a,b", "a;b"}) CHECK_FALSE(is_helo_name(bad));
  CHECK(is_helo_name(std::string(255, 'a')));
  CHECK_FALSE(is_helo_name(std::string(256, 'a')));
}
