#include "deliver-remote/calls.h"

#include <doctest/doctest.h>

using namespace remote;
using Class = Verdict::Class;

namespace {
Outcome said(Class result, int code, std::string text) {
  return {{result, smtp::ClientStage::Rcpt, false, {code, "", std::move(text)}}, "[192.0.2.1]:25"};
}
}  // namespace

TEST_CASE("calls: a report has every recipient, and of the message what is best") {
  const auto accepted = said(Class::Accepted, 250, "ok"), later = said(Class::Temporary, 450, "later"), never = said(Class::Permanent, 550, "never");
  const auto letters = [](const chain::DeliveryReport& report) {
    std::string text;
    for (const auto& recipient : report.recipients) text += static_cast<char>(recipient.delivery);
    return text;
  };
  const auto mixed = report_of({never, accepted, later});
  CHECK(letters(mixed) == "hrs");
  CHECK(mixed.overall == chain::Outcome::Class::Taken);
  CHECK(mixed.text == "[192.0.2.1]:25 said at RCPT: 250 ok");
  CHECK(mixed.recipients[0].text == "[192.0.2.1]:25 said at RCPT: 550 never");
  const auto put_off = report_of({never, later});
  CHECK(letters(put_off) == "hs");
  CHECK(put_off.overall == chain::Outcome::Class::Temporary);
  const auto refused = report_of({never, never});
  CHECK(refused.overall == chain::Outcome::Class::Permanent);
}

TEST_CASE("calls: an answer is in the server's words") {
  const auto refused = answer_of(said(Class::Permanent, 550, "never"));
  CHECK(refused.exit_code == base::kExitAsReported);
  CHECK(refused.report == "D550 never");
  const auto put_off = answer_of(said(Class::Temporary, 450, "later"));
  CHECK(put_off.exit_code == base::kExitAsReported);
  CHECK(put_off.report == "Z450 later");
  const auto taken = answer_of(said(Class::Accepted, 250, "queued as 1"));
  CHECK(taken.exit_code == 0);
  CHECK(taken.report == "K250 queued as 1");
}

TEST_CASE("calls: recipients of one domain go together, in their order") {
  const auto groups = group_by_host({"a@x.example", "b@y.example", "c@X.Example", "\"d@z\"@y.example", "e@[192.0.2.1]", "postmaster"}, [](std::string_view domain) { return std::string(domain); });
  REQUIRE(groups.size() == 4);
  CHECK(groups[0].host == "x.example");
  CHECK(groups[0].recipients == std::vector<std::string>{"a@x.example", "c@X.Example"});
  CHECK(groups[1].host == "y.example");
  CHECK(groups[1].recipients == std::vector<std::string>{"b@y.example", "\"d@z\"@y.example"});
  CHECK(groups[2].host == "[192.0.2.1]");
  CHECK(groups[3].host.empty());

  const auto apart = group_by_host({"a@x.example", "b@y.example", "c@z.example"}, [](std::string_view) { return "relay"; }, [](std::string_view domain) { return std::string(domain == "y.example" ? "y" : ""); });
  REQUIRE(apart.size() == 2);
  CHECK(apart[0].recipients == std::vector<std::string>{"a@x.example", "c@z.example"});
  CHECK(apart[1].host == "relay");
  const auto merged = group_by_host({"a@x.example", "b@y.example", "c@Z.example"}, [](std::string_view domain) { return domain == "y.example" ? "y" : "relay"; });
  REQUIRE(merged.size() == 2);
  CHECK(merged[0].recipients == std::vector<std::string>{"a@x.example", "c@Z.example"});
}

TEST_CASE("calls: when nobody was asked about a recipient, the report is of the message alone") {
  auto failed = said(Class::Temporary, 451, "connect: Connection refused");
  failed.is_of_destination = true;
  const auto report = report_of({failed, failed});
  CHECK(report.is_overall_only);
  CHECK(report.overall == chain::Outcome::Class::Temporary);
  CHECK_FALSE(report_of({failed, said(Class::Temporary, 450, "later")}).is_overall_only);
}
