#include "deliver-maildir/calls.h"

#include <doctest/doctest.h>

#include "lib/chain/envelope.h"

using maildir::CallRules;
using maildir::Parcel;
using maildir::Reason;

namespace {

CallRules rules() {
  CallRules rules;
  rules.local_domains = mail::DomainList(std::vector<std::string>{"example.org", ".example.net"});
  rules.direct_recipients_max = 3;
  rules.host_domain = "mx.example.org";
  return rules;
}

chain::Call call_to(std::vector<std::string> recipients, std::string context = {}) {
  chain::Call call;
  call.envelope = chain::to_octets({"me@example.com", std::move(recipients)});
  call.message = base::Blob::of_octets("Subject: x\n\n");
  call.context = std::move(context);
  return call;
}

Parcel parcel_to(std::vector<std::string> recipients) {
  auto parcel = maildir::direct_parcel(call_to(std::move(recipients)), rules(), true);
  REQUIRE(parcel);
  return std::move(*parcel);
}

}  // namespace

TEST_CASE("deliver-maildir: --direct takes what is for local mailboxes alone and hands on the rest") {
  struct Case {
    std::vector<std::string> recipients;
    bool is_taken;
  };
  const Case cases[] = {
      {{"a@example.org"}, true},
      {{"a@EXAMPLE.org", "b@x.example.net", "postmaster"}, true},
      {{"a@example.org", "b@example.org", "c@example.org", "d@example.org"}, false},  // too many
      {{"a@example.com"}, false},
      {{"a@example.org", "b@example.com"}, false},
      {{"a@example.net"}, false},  // only names below it
      {{"\"a@example.com\"@example.org"}, true},
      {{"a@example.org@example.com"}, false},
  };
  for (const auto& c : cases) {
    CAPTURE(c.recipients.front());
    const auto parcel = maildir::direct_parcel(call_to(c.recipients), rules(), false);
    CHECK(parcel.has_value() == c.is_taken);
    if (parcel) {
      CHECK(parcel->recipients.size() == c.recipients.size());
      CHECK(parcel->all_or_nothing);
      CHECK(parcel->sender == "me@example.com");
      CHECK(parcel->default_domain == "mx.example.org");
    } else {
      CHECK(parcel.error().passes);
      CHECK_FALSE(parcel.error().envelope);
    }
  }
}

TEST_CASE("deliver-maildir: the last program of a chain refuses what is not local, and has no limit of recipients") {
  const auto remote = maildir::direct_parcel(call_to({"a@example.com"}), rules(), true);
  REQUIRE_FALSE(remote);
  CHECK(remote.error().exit_code == 82);
  CHECK(remote.error().report.starts_with("D550 5.7.1 "));
  CHECK(maildir::direct_parcel(call_to({"a@example.org", "b@example.org", "c@example.org", "d@example.org"}), rules(), true));
}

TEST_CASE("deliver-maildir: a context that asks for more than a delivery goes to the queue") {
  struct Case {
    const char* context;
    bool is_taken;
  };
  const Case cases[] = {
      {"", true},
      {"{}", true},
      {R"({"connection":{"is_secured":false},"envelop":{"rcpt":[{"address":"a@example.org","transfer_method":"Deliver"}]},"metadata":{"skipped":null}})", true},
      {R"({"envelop":{"rcpt":[{"address":"a@example.org","transfer_method":"Maildir"}]},"metadata":{"skipped":"Next"}})", true},
      {R"({"metadata":{"skipped":{"Faccept":{"Right":"250 ok"}}}})", true},
      {R"({"envelop":{"rcpt":[{"address":"a@example.org","transfer_method":"None"}]}})", false},
      {R"({"envelop":{"rcpt":[{"address":"a@example.org","transfer_method":"Mbox"}]}})", false},
      {R"({"envelop":{"rcpt":[{"address":"a@example.org","transfer_method":{"Forward":{"Ip":"192.0.2.1"}}}]}})", false},
      {R"({"metadata":{"skipped":{"Quarantine":"spam"}}})", false},
      {R"({"metadata":{"skipped":{"Deny":{"Left":"Denied"}}}})", false},
      {R"({"metadata":{"skipped":"DelegationResult"}})", false},
      {R"({"quarantine":"spam"})", false},
      {R"({"queue":"hold","hold":"why"})", false},
      {R"({"queue":"deliver"})", true},
      {"[]", false},
      {"not JSON", false},
  };
  for (const auto& c : cases) {
    CAPTURE(c.context);
    const auto handed_on = maildir::direct_parcel(call_to({"a@example.org"}, c.context), rules(), false);
    CHECK(handed_on.has_value() == c.is_taken);
    if (!handed_on) CHECK(handed_on.error().passes);
    const auto last = maildir::direct_parcel(call_to({"a@example.org"}, c.context), rules(), true);
    CHECK(last.has_value() == c.is_taken);
    if (!last) CHECK(last.error().report.starts_with("Z451 4.3.0 "));
  }
}

TEST_CASE("deliver-maildir: an envelope that is broken or has no recipients is an error of the caller") {
  chain::Call call;
  for (const auto* octets : {"", "Fme", "T"}) {
    call.envelope = octets;
    CHECK(maildir::direct_parcel(call, rules(), true).error().exit_code == 91);
  }
  CHECK(maildir::direct_parcel(call_to({}), rules(), true).error().exit_code == 91);
}

TEST_CASE("deliver-maildir: what --direct answers follows from what became of the recipients") {
  using enum Reason;
  const auto is_delivered = std::optional<Reason>();
  struct Case {
    std::vector<std::optional<Reason>> ends;  // nothing: delivered
    std::string_view last;                    // begin of the report
    std::string_view handed_on;               // begin of the report, or "pass", or "pass b" with the rest of the recipients
  };
  const Case cases[] = {
      {{is_delivered}, "K", "K"},
      {{is_delivered, is_delivered}, "K", "K"},
      {{NoSuchMailbox}, "D550 5.1.1", "D550 5.1.1"},
      {{NoSuchMailbox, BadRecipient}, "D550 5.1.1", "D550 5.1.1"},
      {{MailboxFull}, "Z452 4.2.2", "pass"},
      {{SystemFull, NoSuchMailbox}, "D550 5.1.1", "pass"},
      {{is_delivered, Trouble}, "Z451 4.3.0", "pass b"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.last);
    auto parcel = parcel_to(c.ends.size() == 1 ? std::vector<std::string>{"a@example.org"} : std::vector<std::string>{"a@example.org", "b@example.org"});
    for (std::size_t i = 0; i < c.ends.size(); ++i) {
      parcel.recipients[i].is_delivered = !c.ends[i];
      if (c.ends[i]) parcel.recipients[i].refusal = maildir::Refusal{*c.ends[i], "cause"};
    }
    const auto last = maildir::direct_answer(parcel, true);
    CHECK(last.report.starts_with(c.last));
    CHECK(last.exit_code == (last.report.starts_with("K") ? 0 : 82));
    const auto next = maildir::direct_answer(parcel, false);
    CHECK(next.passes == c.handed_on.starts_with("pass"));
    if (!next.passes) CHECK(next.report.starts_with(c.handed_on));
    CHECK(next.envelope.has_value() == (c.handed_on == "pass b"));
    if (next.envelope) CHECK(*next.envelope == chain::to_octets({"me@example.com", {"b@example.org"}}));
  }
}

TEST_CASE("deliver-maildir: recipients that were kept back by another one are handed on with it") {
  auto parcel = parcel_to({"a@example.org", "b@example.org"});
  parcel.recipients[1].refusal = maildir::Refusal{Reason::NoSuchMailbox, "cause"};
  CHECK(maildir::direct_answer(parcel, false).passes);
  CHECK(maildir::direct_answer(parcel, true).report.starts_with("D550 5.1.1"));
  parcel.recipients[1].refusal = maildir::Refusal{Reason::SystemFull, "cause"};
  CHECK(maildir::direct_answer(parcel, true).report.starts_with("Z452 4.3.1"));
}

TEST_CASE("deliver-maildir: a delivery call reports each recipient, HOST is the domain of those without one") {
  const chain::DeliveryCall call{"example.net", "", {"a", "b@example.org", "c@example.org"}};
  auto parcel = maildir::parcel_of(call, base::Blob::of_octets("x"), rules());
  CHECK(parcel.default_domain == "example.net");
  CHECK(parcel.sender == "");
  CHECK_FALSE(parcel.all_or_nothing);
  CHECK(maildir::parcel_of({"", "", {"a"}}, {}, rules()).default_domain == "mx.example.org");

  parcel.recipients[0].is_delivered = true;
  parcel.recipients[0].file = "/m/new/1";
  parcel.recipients[1].refusal = maildir::Refusal{Reason::NoSuchMailbox, "cause"};
  parcel.recipients[2].refusal = maildir::Refusal{Reason::MailboxFull, "cause"};
  auto report = maildir::report_of(parcel);
  REQUIRE(report.recipients.size() == 3);
  CHECK(report.final(0) == chain::Delivery::Accepted);
  CHECK(report.final(1) == chain::Delivery::Rejected);
  CHECK(report.final(2) == chain::Delivery::Deferred);
  CHECK(report.recipients[1].text == "550 5.1.1 no such mailbox");
  CHECK(report.overall == chain::Outcome::Class::Taken);

  parcel.recipients[0].is_delivered = false;
  parcel.recipients[0].refusal = maildir::Refusal{Reason::Trouble, "cause"};
  CHECK(maildir::report_of(parcel).overall == chain::Outcome::Class::Temporary);
  for (auto& recipient : parcel.recipients) recipient.refusal = maildir::Refusal{Reason::BadRecipient, "cause"};
  CHECK(maildir::report_of(parcel).overall == chain::Outcome::Class::Permanent);
}
