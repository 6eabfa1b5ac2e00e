#include "vsl-filter/transaction/state_token.h"

#include <doctest/doctest.h>

#include "vsl-filter/transaction/context_json.h"
#include "vsl-filter/transaction/state_octets.h"

using rules::Session;
using rules::Skip;
using rules::Stage;
using Strings = std::vector<std::string>;

namespace {

const base::WallTime kNow = base::WallTime() + std::chrono::microseconds(1'700'000'000'123'456);
constexpr std::string_view kText = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string token_of(const Session& session, std::string_view key = {}) {
  auto token = rules::to_state(session, key);
  REQUIRE(token);
  CHECK(token->find_first_not_of(kText) == std::string::npos);
  return *token;
}

// A session with the same envelope that smtpd would hand to another process.
Session resumed(const std::string& token, const mail::Envelope& envelope) {
  Session session;
  rules::apply_envelope(session, envelope);
  REQUIRE(rules::from_state(session, token));
  return session;
}

Strings addresses(const Session& session) {
  Strings all;
  for (const auto& recipient : session.transaction()->recipients.all()) all.push_back(recipient.address);
  return all;
}

}  // namespace

TEST_CASE("state: that of an empty session is small") {
  CHECK(token_of(Session()).size() < 10);
  Session session;
  session.connection.client_ip = "192.0.2.7";
  session.helo("client.example");
  session.mail("ann@client.example", "0123456789ab-cdef-0123-4567-89abcdef0123", kNow);
  for (int i = 0; i < 1000; ++i) session.rcpt("user" + std::to_string(i) + "@own.example", kNow);
  CHECK(token_of(session).size() < 200);
  CHECK(token_of(session, "key").size() < 200);
}

TEST_CASE("state: what rules set in the stages is there in the message's") {
  Session session;
  session.set_variable(Stage::Connect, "country", R"("CH")");
  REQUIRE(session.headers().append("X-Connect", "a\r\n folded"));
  REQUIRE(session.add_recipient("copy@own.example", kNow));
  session.mail("ann@client.example", "ID-1", kNow);
  REQUIRE(session.transaction()->rewrite_reverse_path("srs@own.example"));
  for (const auto* given : {"bob@own.example", "eve@else.example", "gone@own.example"}) session.rcpt(given, kNow);
  auto& recipients = session.transaction()->recipients;
  REQUIRE(recipients.rewrite("bob@own.example", "rob@own.example", kNow));
  REQUIRE(recipients.remove("gone@own.example"));
  REQUIRE(recipients.add("zed@own.example", kNow));
  REQUIRE(recipients.set_transfer("zed@own.example", *rules::forward_to("smtp://u:p@192.0.2.1")));
  REQUIRE(recipients.set_transfer("eve@else.example", {chain::TransferMethod::None, {}}));
  REQUIRE(recipients.set_transfer("rob@own.example", {chain::TransferMethod::Pipe, {}, "vacation rob"}));
  REQUIRE(session.headers().prepend("X-Mail", "b"));
  session.set_variable(Stage::Rcpt, "score", "7");
  session.transaction()->results["spf"] = R"({"result":"pass"})";
  session.transaction()->hold = "look";
  session.set_skip(Stage::Rcpt, {.kind = Skip::Kind::Faccept, .code = {}, .reply = "250 fine", .name = {}});

  const Session again = resumed(token_of(session), {"ann@client.example", {"bob@own.example", "eve@else.example", "gone@own.example"}});
  CHECK(*again.variable("country") == R"("CH")");
  CHECK(*again.variable("score") == "7");
  CHECK(again.skip() == session.skip());
  CHECK(again.place() == "hold");
  const auto& transaction = *again.transaction();
  CHECK(transaction.message_id == "ID-1");
  CHECK(transaction.reverse_path == "srs@own.example");
  CHECK(transaction.results.at("spf") == R"({"result":"pass"})");
  CHECK(transaction.headers.lines() == Strings{"X-Mail: b", "X-Connect: a\r\n folded"});
  CHECK(addresses(again) == addresses(session));
  CHECK(addresses(again) == Strings{"copy@own.example", "rob@own.example", "eve@else.example", "zed@own.example"});
  CHECK(transaction.recipients.all()[2].transfer.method == chain::TransferMethod::None);
  CHECK(transaction.recipients.all()[3].transfer.target.password == "p");
  CHECK(transaction.recipients.all()[1].transfer.words == "vacation rob");
  CHECK(token_of(again) == token_of(session));
}

TEST_CASE("state: a greeting replaces what rules made of the one before, in another process too") {
  for (const bool hands_over : {false, true}) {
    CAPTURE(hands_over);
    Session session;
    const auto hand_over = [&] {
      if (!hands_over) return;
      const auto token = token_of(session);
      session = Session();
      REQUIRE(rules::from_state(session, token));
      CHECK(token_of(session) == token);
    };
    session.set_variable(Stage::Connect, "seen", "1");
    REQUIRE(session.headers().append("X-Connect", "c"));
    REQUIRE(session.add_recipient("connect@own.example", kNow));
    hand_over();
    for (const auto* name : {"one", "two"}) {
      session.helo(name);
      session.set_variable(Stage::Helo, "seen", "2");
      session.set_variable(Stage::Helo, name, "true");
      REQUIRE(session.headers().prepend("X-Helo", name));
      REQUIRE(session.add_recipient(std::string(name) + "@own.example", kNow));
      hand_over();
      CHECK(session.headers().lines() == Strings{"X-Helo: " + std::string(name), "X-Connect: c"});
    }
    CHECK(session.variable("one") == nullptr);
    CHECK(*session.variable("two") == "true");
    CHECK(session.connection.recipients == Strings{"connect@own.example", "two@own.example"});
    session.helo("quiet");
    hand_over();
    CHECK(session.headers().lines() == Strings{"X-Connect: c"});
    CHECK(*session.variable("seen") == "1");
    CHECK(session.connection.recipients == Strings{"connect@own.example"});
  }
}

TEST_CASE("state: what rules of authenticate made stays behind a further greeting, and so does a status that ended the rules") {
  Session session;
  session.helo("one");
  REQUIRE(session.headers().append("X-Helo", "one"));
  const auto before = session.connection.made();
  REQUIRE(session.headers().append("X-User", "ann\r\n folded"));
  session.set_variable(Stage::Authenticate, "user", R"("ann")");
  REQUIRE(session.add_recipient("ann@own.example", kNow));
  session.authenticated(before);
  session.helo("two");
  CHECK(session.headers().lines() == Strings{"X-User: ann\r\n folded"});
  CHECK(*session.variable("user") == R"("ann")");
  CHECK(session.connection.recipients == Strings{"ann@own.example"});
  session.set_variable(Stage::Helo, "name", "2");
  session.set_skip(Stage::Helo, {.kind = Skip::Kind::Quarantine, .code = {}, .reply = {}, .name = "odd"});
  session.helo("three");
  CHECK(*session.variable("name") == "2");
  CHECK(session.skip().name == "odd");
}

TEST_CASE("state: where no rules ran from MAIL on, the message has what the connection left for it") {
  Session session;
  REQUIRE(session.headers().append("X-Connect", "a"));
  REQUIRE(session.add_recipient("copy@own.example", kNow));
  REQUIRE(session.add_recipient("bob@own.example", kNow));
  session.set_skip(Stage::Helo, {.kind = Skip::Kind::Quarantine, .code = {}, .reply = {}, .name = "odd"});
  const Session again = resumed(token_of(session), {"ann@client.example", {"bob@own.example", "eve@else.example"}});
  CHECK(again.transaction()->headers.lines() == Strings{"X-Connect: a"});
  CHECK(again.transaction()->quarantine == "odd");
  CHECK(addresses(again) == Strings{"copy@own.example", "bob@own.example", "eve@else.example"});
}

TEST_CASE("state: the envelope wins over a token that is older") {
  Session session;
  session.mail("ann@client.example", "ID-1", kNow);
  REQUIRE(session.transaction()->rewrite_reverse_path("srs@own.example"));
  session.rcpt("bob@own.example", kNow);
  REQUIRE(session.transaction()->recipients.set_transfer("bob@own.example", {chain::TransferMethod::Maildir, {}}));
  // smtpd has refused bob for another reason, and taken a new one since.
  const Session again = resumed(token_of(session), {"other@client.example", {"new@own.example"}});
  CHECK(again.transaction()->reverse_path == "other@client.example");
  CHECK(addresses(again) == Strings{"new@own.example"});
}

TEST_CASE("state: RSET is in the next token") {
  Session session;
  session.set_variable(Stage::Helo, "kept", "1");
  REQUIRE(session.headers().append("X-Helo", "1"));
  session.mail("ann@client.example", "ID-1", kNow);
  const auto with = token_of(session);
  session.reset();
  const auto without = token_of(session);
  CHECK(without.size() < with.size());
  Session again;
  REQUIRE(rules::from_state(again, without));
  CHECK(again.transaction() == nullptr);
  CHECK(again.headers().lines() == Strings{"X-Helo: 1"});
  Session fresh;
  REQUIRE(rules::from_state(fresh, ""));
  CHECK(fresh.connection.variables.empty());
}

TEST_CASE("state: a token that is damaged, foreign or without the key is an error") {
  Session session;
  session.set_variable(Stage::Connect, "a", "1");
  const std::string token = token_of(session), keyed = token_of(session, "secret");
  Session other;
  const auto cause = [&](std::string_view text, std::string_view key = {}) {
    const auto read = rules::from_state(other, text, key);
    REQUIRE_FALSE(read);
    CHECK(read.error().fault == base::Fault::Temporary);
    return read.error().cause;
  };
  CHECK(rules::from_state(other, keyed, "secret"));
  other = Session();
  CHECK(cause(keyed, "other") == "state token: damaged, or made with another key");
  CHECK(cause(keyed) == "state token: made with a key, and there is none here");
  CHECK(cause(token, "secret") == "state token: made without the key");
  CHECK(cause("3AAAA") == "state token: of another version, or none at all");
  CHECK(cause("garbage with blanks") == "state token: of another version, or none at all");
  for (std::size_t i = 0; i <= token.size(); ++i) {
    if (i > 0 && i < token.size()) (void)cause(token.substr(0, i));
    if (i == token.size()) break;
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    (void)cause(changed);
  }
  for (const auto* octets : {"\x0f", "\x06\x01" "a\x01" "1", "\x07\x06" "A:b\r\n", "\x08\x01" "a", "\x01", "\x01\x63", "\x02\x7f", "\x19\x01x", "\x1b", "\x03\x02no", "\x14\x04\r\n\r\n"}) {
    CAPTURE(octets);
    CHECK(cause(rules::state::seal(octets, {})) == "state token: not as this version writes it");
  }
  CHECK(other.connection.variables.empty());
}

TEST_CASE("state: its size has a limit") {
  Session session;
  session.set_variable(Stage::Connect, "a", "\"" + std::string(36'000, 'x') + "\"");
  CHECK(token_of(session).size() <= rules::kMaxStateOctets);
  session.set_variable(Stage::Connect, "b", "\"" + std::string(1'000, 'x') + "\"");
  const auto token = rules::to_state(session);
  REQUIRE_FALSE(token);
  CHECK(token.error().fault == base::Fault::Permanent);
  Session other;
  CHECK_FALSE(rules::from_state(other, std::string(rules::kMaxStateOctets + 1, '1')));
}

TEST_CASE("state: base64url, RFC 4648 section 10") {
  for (const auto& [octets, text] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}}) {
    CHECK(rules::state::to_base64url(octets) == text);
    CHECK(rules::state::from_base64url(text) == octets);
  }
  for (const auto* bad : {"Z", "Zh", "Zg==", "Zm9", "Zm 8", "+/8", "Zm9vY"}) CHECK_FALSE(rules::state::from_base64url(bad));
}
