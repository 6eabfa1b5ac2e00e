#include "vsl-filter/transaction/transaction.h"

#include <doctest/doctest.h>

using chain::TransferMethod;
using rules::Session;
using rules::Skip;
using rules::Stage;
using Strings = std::vector<std::string>;

namespace {

const base::WallTime kNow = base::WallTime() + std::chrono::seconds(1'700'000'000);

Strings addresses(const rules::Recipients& recipients) {
  Strings all;
  for (const auto& recipient : recipients.all()) all.push_back(recipient.address);
  return all;
}

rules::Recipients two() {
  rules::Recipients recipients;
  recipients.add_given("bob@own.example", kNow);
  recipients.add_given("eve@else.example", kNow);
  return recipients;
}

}  // namespace

TEST_CASE("recipients: M6, the envelope's operations") {
  auto recipients = two();
  REQUIRE(recipients.set_transfer("bob@own.example", {TransferMethod::None, {}}));
  REQUIRE(recipients.rewrite("bob@own.example", "rob@own.example", kNow));
  REQUIRE(recipients.add("zed@own.example", kNow));
  REQUIRE(recipients.remove("nobody@x.example"));
  REQUIRE(recipients.add("eve@else.example", kNow));
  CHECK(addresses(recipients) == Strings{"rob@own.example", "eve@else.example", "zed@own.example"});
  CHECK(recipients.all()[0].transfer.method == TransferMethod::Deliver);  // fresh
  CHECK(recipients.all()[0].given == "bob@own.example");
  CHECK_FALSE(recipients.all()[2].given);
  REQUIRE(recipients.rewrite("absent@x.example", "new@x.example", kNow));
  REQUIRE(recipients.rewrite("absent@x.example", "zed@own.example", kNow));
  CHECK(addresses(recipients) == Strings{"rob@own.example", "eve@else.example", "zed@own.example", "new@x.example"});
}

TEST_CASE("recipients: equal is the same mailbox, the first one counts") {
  auto recipients = two();
  recipients.add_given("bob@OWN.example", kNow);
  CHECK(recipients.contains("bob@own.EXAMPLE"));
  CHECK(recipients.contains("\"bob\"@own.example"));
  CHECK_FALSE(recipients.contains("Bob@own.example"));
  REQUIRE(recipients.remove("\"bob\"@Own.Example"));
  CHECK(addresses(recipients) == Strings{"eve@else.example", "bob@OWN.example"});
  REQUIRE(recipients.remove("bob@own.example"));
  CHECK(Strings(recipients.removed().begin(), recipients.removed().end()) == Strings{"bob@own.example", "bob@OWN.example"});
  REQUIRE(recipients.add("bob@own.example", kNow));
  CHECK(recipients.size() == 2);
}

TEST_CASE("recipients: what is no address changes nothing") {
  auto recipients = two();
  for (const auto* bad : {"", "bob", "a@b c", "a@b\r\nx", "<bob@own.example>", "@x"}) {
    CAPTURE(bad);
    CHECK_FALSE(recipients.add(bad, kNow));
    CHECK_FALSE(recipients.remove(bad));
    CHECK_FALSE(recipients.rewrite(bad, "x@y.example", kNow));
    CHECK_FALSE(recipients.rewrite("bob@own.example", bad, kNow));
  }
  CHECK(addresses(recipients) == Strings{"bob@own.example", "eve@else.example"});
}

TEST_CASE("recipients: M7, transports") {
  auto recipients = two();
  recipients.set_transfer_of_all({});
  REQUIRE(recipients.set_transfer("bob@own.example", {TransferMethod::Maildir, {}}));
  const auto forward = rules::forward_to("[2001:db8::5]:2525");
  REQUIRE(forward);
  REQUIRE(recipients.set_transfer("eve@ELSE.example", *forward));
  CHECK(recipients.all()[0].transfer.method == TransferMethod::Maildir);
  CHECK(recipients.all()[1].transfer.target.kind == chain::ForwardTarget::Kind::Socket);
  CHECK(recipients.all()[1].transfer.target.text() == "[2001:db8::5]:2525");
  CHECK(recipients.set_transfer("no@one.example", {TransferMethod::Mbox, {}}).error().cause == "could not find rcpt 'no@one.example'");
  CHECK(rules::forward_to("not a host").error().cause == "not a host could not be used as a forward target.");
  recipients.set_transfer_of_all({TransferMethod::None, {}});
  for (const auto& recipient : recipients.all()) CHECK(recipient.transfer.method == TransferMethod::None);
}

TEST_CASE("recipients: 20,000 that rules add") {
  rules::Recipients recipients;
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 20'000; ++i) REQUIRE(recipients.add("u" + std::to_string(i) + "@own.example", kNow));
  CHECK(recipients.size() == 20'000);
}

TEST_CASE("session: RSET, HELO and the next MAIL forget the transaction, not the connection") {
  Session session;
  session.connection.client_ip = "192.0.2.7";
  session.helo("client.example");
  session.set_variable(Stage::Helo, "seen", "1");
  REQUIRE(session.headers().append("X-Helo", "a"));
  session.mail("ann@client.example", "ID1", kNow);
  session.rcpt("bob@own.example", kNow);
  session.set_variable(Stage::Rcpt, "mine", "2");
  session.set_variable(Stage::Mail, "seen", "3");
  REQUIRE(session.headers().prepend("X-Mail", "b"));
  session.set_skip(Stage::Rcpt, {.kind = Skip::Kind::Deny, .code = "Denied", .reply = {}, .name = {}});
  CHECK(*session.variable("seen") == "3");
  CHECK(session.headers().lines() == Strings{"X-Mail: b", "X-Helo: a"});
  CHECK(session.skip().kind == Skip::Kind::Deny);
  CHECK(session.place() == "dead");

  session.reset();
  CHECK(session.transaction() == nullptr);
  CHECK(session.skip().kind == Skip::Kind::None);
  CHECK(*session.variable("seen") == "1");
  CHECK(session.variable("mine") == nullptr);

  session.mail("", "ID2", kNow);
  CHECK(session.transaction()->recipients.size() == 0);
  CHECK(session.headers().lines() == Strings{"X-Helo: a"});
  session.helo("again.example");
  CHECK(session.transaction() == nullptr);
  CHECK(session.connection.helo == "again.example");
}

TEST_CASE("session: D-11, a skip lives as long as what set it") {
  for (const auto stage : {Stage::Connect, Stage::Helo, Stage::Authenticate}) {
    Session session;
    session.set_skip(stage, {.kind = Skip::Kind::Faccept, .code = {}, .reply = {}, .name = {}});
    session.mail("a@b.example", "ID", kNow);
    CHECK(session.skip().finishes());
    session.reset();
    CHECK(session.skip().kind == Skip::Kind::Faccept);
    CHECK(session.place() == "deliver");
  }
  for (const auto stage : {Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Preq}) {
    Session session;
    session.mail("a@b.example", "ID", kNow);
    session.set_skip(stage, {.kind = Skip::Kind::Quarantine, .code = {}, .reply = {}, .name = "odd"});
    CHECK(session.place() == "quarantine/odd");
    session.mail("a@b.example", "ID", kNow);
    CHECK(session.skip().kind == Skip::Kind::None);
    CHECK(session.place().empty());
  }
}

TEST_CASE("session: a quarantine of the connection is one for each of its messages") {
  Session session;
  session.set_skip(Stage::Connect, {.kind = Skip::Kind::Quarantine, .code = {}, .reply = {}, .name = "suspects"});
  CHECK(session.mail("a@b.example", "ID", kNow).quarantine == "suspects");
  CHECK(session.place() == "quarantine/suspects");
}

TEST_CASE("session: D-12, a refused recipient leaves the list") {
  Session session;
  session.mail("a@b.example", "ID", kNow);
  session.rcpt("bob@own.example", kNow);
  session.rcpt("eve@else.example", kNow);
  REQUIRE(session.add_recipient("copy@own.example", kNow));
  session.refuse_rcpt();
  CHECK(addresses(session.transaction()->recipients) == Strings{"bob@own.example", "copy@own.example"});
  CHECK_FALSE(session.transaction()->recipients.contains("eve@else.example"));
}

TEST_CASE("session: recipients added before MAIL join at the first RCPT") {
  Session session;
  REQUIRE(session.add_recipient("copy@own.example", kNow));
  CHECK_FALSE(session.add_recipient("nobody", kNow));
  for (int round = 0; round < 2; ++round) {
    session.mail("a@b.example", "ID", kNow);
    CHECK(session.transaction()->recipients.size() == 0);
    session.rcpt("bob@own.example", kNow);
    session.rcpt("eve@else.example", kNow);
    CHECK(addresses(session.transaction()->recipients) == Strings{"copy@own.example", "bob@own.example", "eve@else.example"});
  }
}

TEST_CASE("session: D-33, D-28, the reverse-path may become any address or null") {
  Session session;
  auto& transaction = session.mail("ann@client.example", "ID", kNow);
  REQUIRE(transaction.rewrite_reverse_path("eve@own.example"));
  CHECK(transaction.reverse_path == "eve@own.example");
  CHECK(transaction.given_reverse_path == "ann@client.example");
  for (const auto* null : {"", "<>"}) {
    REQUIRE(transaction.rewrite_reverse_path(null));
    CHECK(transaction.reverse_path.empty());
  }
  CHECK_FALSE(transaction.rewrite_reverse_path("nobody"));
}

TEST_CASE("session: the name of a quarantine is no path") {
  Session session;
  auto& transaction = session.mail("a@b.example", "ID", kNow);
  using namespace std::string_view_literals;
  for (const auto bad : {""sv, ".."sv, "a/../b"sv, "a/b/.."sv, "a/"sv, "a//b"sv, "a/b/c/d/e"sv, "a/.b"sv, "/etc"sv, "../x"sv, ".hidden"sv, "a\0b"sv, "a b"sv, "a\n"sv}) {
    CAPTURE(bad);
    CHECK_FALSE(transaction.set_quarantine(bad));
  }
  CHECK(transaction.quarantine.empty());
  CHECK(session.place().empty());
  REQUIRE(transaction.set_quarantine("virus-2026.11"));
  CHECK(session.place() == "quarantine/virus-2026.11");
  REQUIRE(transaction.set_quarantine("virus/zip"));
  CHECK(session.place() == "quarantine/virus/zip");
}

TEST_CASE("session: the message comes below what was added, and its header is the one that rules see") {
  Session session;
  REQUIRE(session.headers().append("X-P", "a"));
  session.mail("a@b.example", "ID", kNow);
  REQUIRE(session.headers().prepend("X-Q", "b"));
  REQUIRE(session.message(base::Blob::of_octets("From: ann@client.example\r\n\r\nbody\r\n")));
  CHECK(session.headers().lines() == Strings{"X-Q: b", "X-P: a", "From: ann@client.example"});
  CHECK(session.transaction()->message->is_changed());
  session.reset();
  CHECK(session.headers().lines() == Strings{"X-P: a"});
  session.mail("a@b.example", "ID", kNow);
  session.transaction()->hold = "look at it";
  CHECK(session.place() == "hold");
}

TEST_CASE("session: STARTTLS forgets what the client said in clear") {
  Session session;
  session.helo("client.example");
  session.connection.is_authenticated = true;
  session.connection.credentials = rules::Credentials{rules::Credentials::Kind::Query, "ann", ""};
  session.mail("a@b.example", "ID", kNow);
  session.starttls({"TLSv1.3", "TLS_AES_128_GCM_SHA256", "mx.own.example", ""});
  CHECK(session.transaction() == nullptr);
  CHECK(session.connection.helo.empty());
  CHECK_FALSE(session.connection.is_authenticated);
  CHECK(session.connection.is_secured);
}

TEST_CASE("skip: names are those of the context") {
  CHECK(rules::skip_kind_of("DelegationResult") == Skip::Kind::DelegationResult);
  CHECK(rules::name_of(Skip::Kind::Quarantine) == "Quarantine");
  CHECK_FALSE(rules::skip_kind_of("quarantine"));
}
