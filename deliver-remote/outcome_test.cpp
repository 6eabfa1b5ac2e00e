#include "deliver-remote/outcome.h"

#include <doctest/doctest.h>

using namespace remote;
using Class = Verdict::Class;

namespace {
Outcome said(Class result, int code, std::string status, std::string text) {
  return {{result, smtp::ClientStage::Rcpt, false, {code, std::move(status), std::move(text)}}, "mx.example[192.0.2.1]:25"};
}
}  // namespace

TEST_CASE("outcome: texts name host, stage and words") {
  CHECK(said(Class::Permanent, 550, "5.1.1", "no such user").text() == "mx.example[192.0.2.1]:25 said at RCPT: 550 5.1.1 no such user");
  CHECK(said(Class::Permanent, 550, "", "a\nb").text() == "mx.example[192.0.2.1]:25 said at RCPT: 550 a\n550 b");
  CHECK(Outcome{our_verdict(Class::Temporary, 451, "4.4.1", "connect: Connection refused"), "mx.example[192.0.2.1]:25"}.text() ==
        "mx.example[192.0.2.1]:25: 451 4.4.1 connect: Connection refused");
  CHECK(Outcome{our_verdict(Class::Permanent, 550, "5.1.2", "no such domain: x")}.text() == "550 5.1.2 no such domain: x");
}

TEST_CASE("outcome: the addresses that were tried before come first") {
  auto outcome = said(Class::Temporary, 450, "4.2.0", "later");
  outcome.before = "a[192.0.2.2]:25: 451 4.4.1 connect: Connection refused";
  CHECK(outcome.text() == "a[192.0.2.2]:25: 451 4.4.1 connect: Connection refused\nmx.example[192.0.2.1]:25 said at RCPT: 450 4.2.0 later");
  CHECK(outcome.reply() == "450 4.2.0 later");
}

TEST_CASE("outcome: what a server says can be shown") {
  CHECK(said(Class::Permanent, 550, "", "\x1B[2J\x07 \xC3\xA9").text() == "mx.example[192.0.2.1]:25 said at RCPT: 550 \\x1b[2J\\x07 \\xc3\\xa9");
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += std::string(1000, 'x') + "\n";
  CHECK(said(Class::Temporary, 450, "", flood).text().size() < 20 * 520 + 100);
  CHECK(said(Class::Temporary, 450, "", flood).text().ends_with("\n..."));
}

TEST_CASE("outcome: a reply agrees with its verdict") {
  CHECK(said(Class::Permanent, 550, "5.1.1", "no").reply() == "550 5.1.1 no");
  CHECK(said(Class::Accepted, 250, "2.0.0", "queued as 1").reply() == "250 2.0.0 queued as 1");
  CHECK(said(Class::Temporary, 552, "5.5.3", "too many").reply() == "451 too many");
  CHECK(said(Class::Temporary, 250, "", "what?").reply() == "451 what?");
  CHECK(Outcome{our_verdict(Class::Temporary, 451, "4.4.1", "connect: Connection refused"), "mx.example[192.0.2.1]:25"}.reply() ==
        "451 4.4.1 mx.example[192.0.2.1]:25: connect: Connection refused");
}

TEST_CASE("outcome: the worst one answers") {
  const auto accepted = said(Class::Accepted, 250, "", ""), later = said(Class::Temporary, 450, "", ""), never = said(Class::Permanent, 550, "", "");
  CHECK(is_worse(later, accepted));
  CHECK(is_worse(never, accepted));
  CHECK(is_worse(never, later));
  CHECK_FALSE(is_worse(later, never));
  CHECK_FALSE(is_worse(later, later));
}
