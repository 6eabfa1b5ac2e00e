#include "lib/sasl/client.h"

#include <doctest/doctest.h>

#include "lib/sasl/client_scram.h"
#include "lib/sasl/mechanisms.h"
#include "lib/sasl/scram_keys.h"

using namespace std::string_literals;
using sasl::ClientFacts;
using sasl::Login;
using sasl::Move;

namespace {

const sasl::ClientMechanism& mechanism(std::string_view name) {
  for (const auto& one : sasl::client_mechanisms())
    if (one.name == name) return one;
  FAIL("no such mechanism");
  return sasl::client_mechanisms().front();
}

// The whole exchange with the server's side; whether both are content.
bool logs_in(std::string_view name, const Login& login, const ClientFacts& of_client, const sasl::Facts& of_server, std::string_view right_password) {
  auto client = sasl::begin_exchange(mechanism(name), login, name, of_client);
  REQUIRE(client != nullptr);
  auto server = sasl::find_mechanism(name)->start(of_server);
  const auto initial = client->initial_response();
  auto move = initial ? server->begin(*initial) : server->begin(std::nullopt);
  for (int turns = 0; turns < 10; ++turns) {
    if (move.kind == Move::Kind::Malformed) return false;
    if (move.kind == Move::Kind::Ask) {
      const auto& question = server->question();
      if (question.kind == sasl::Question::Kind::Keys) {
        move = server->take_keys(sasl::ScramKeys::of(right_password, "salt"));
        continue;
      }
      const bool is_right = question.kind == sasl::Question::Kind::Proven || (question.kind == sasl::Question::Kind::Password && question.secret == right_password);
      return is_right && question.user == login.user && client->may_succeed();
    }
    const auto response = client->respond(move.challenge);
    if (!response) return false;
    move = server->respond(*response);
  }
  return false;
}

}  // namespace

TEST_CASE("sasl client: every mechanism logs in at our own server, and not with another password") {
  const std::vector<sasl::ChannelBinding> bindings{{"tls-unique", "octets"}};
  for (const auto& one : sasl::client_mechanisms()) {
    CAPTURE(one.name);
    const bool binds = one.binds_channel;
    const ClientFacts facts{true, false, binds ? bindings : std::vector<sasl::ChannelBinding>()};
    sasl::Facts of_server;
    if (binds) of_server.bindings = bindings;
    CHECK(logs_in(one.name, {"jo,e=", "s3cret \xc3\xa9"}, facts, of_server, "s3cret \xc3\xa9"));
    CHECK_FALSE(logs_in(one.name, {"joe", "wrong"}, facts, of_server, "s3cret"));
  }
}

TEST_CASE("sasl client: SCRAM with another channel than the server's fails") {
  const ClientFacts facts{true, false, {{"tls-unique", "of a man in the middle"}}};
  sasl::Facts of_server;
  of_server.bindings = {{"tls-unique", "octets"}};
  CHECK_FALSE(logs_in("SCRAM-SHA-256-PLUS", {"joe", "pencil"}, facts, of_server, "pencil"));
  // Somebody has taken the offer of -PLUS away.
  CHECK_FALSE(logs_in("SCRAM-SHA-256", {"joe", "pencil"}, facts, of_server, "pencil"));
  CHECK(logs_in("SCRAM-SHA-256", {"joe", "pencil"}, facts, {}, "pencil"));
}

TEST_CASE("sasl client: the example of RFC 7677 section 3") {
  const auto exchange = sasl::begin_scram_sha_256({"user", "pencil"}, {}, "rOprNGfwEbeRWgbNEkqO");
  CHECK(exchange->initial_response() == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"s);
  CHECK(exchange->respond("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096") ==
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="s);
  CHECK_FALSE(exchange->may_succeed());
  CHECK(exchange->respond("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == ""s);
  CHECK(exchange->may_succeed());
}

TEST_CASE("sasl client: a server that does not show that it knows the password, or speaks something else") {
  const auto begun = [] {
    auto exchange = sasl::begin_scram_sha_256({"user", "pencil"}, {}, "abc");
    (void)exchange->initial_response();
    return exchange;
  };
  for (const auto* challenge : {"", "r=abc,s=c2FsdA==,i=4096", "r=xyzabc,s=c2FsdA==,i=4096", "r=abcd,s=,i=4096", "r=abcd,s=c2FsdA==,i=0", "r=abcd,s=c2FsdA==,i=1000001", "r=abcd,s=c2FsdA==", "m=x,r=abcd,s=c2FsdA==,i=4096",
                                "r=abcd,s=!,i=1"}) {
    CAPTURE(challenge);
    CHECK(begun()->respond(challenge) == std::nullopt);
  }
  for (const auto* last : {"", "e=other-error", "v=", "v=AAAA", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="}) {
    auto exchange = begun();
    REQUIRE(exchange->respond("r=abcd,s=c2FsdA==,i=2"));
    CHECK(exchange->respond(last) == std::nullopt);
    CHECK_FALSE(exchange->may_succeed());
    CHECK(exchange->respond("v=again") == std::nullopt);
  }
}

TEST_CASE("sasl client: the best mechanism that is offered, allowed and fit for the connection") {
  const std::vector<sasl::ChannelBinding> bindings{{"tls-unique", "octets"}};
  struct Row {
    std::string_view offered;
    std::vector<std::string> allowed;
    ClientFacts facts;
    std::string_view chosen;  // "": none
  };
  const Row rows[] = {
      {"LOGIN PLAIN", {}, {true, false, {}}, "PLAIN"},
      {"LOGIN", {}, {true, false, {}}, "LOGIN"},
      {"LOGIN PLAIN", {}, {false, false, {}}, ""},
      {"LOGIN PLAIN", {}, {false, true, {}}, "PLAIN"},
      {"PLAIN SCRAM-SHA-256", {}, {false, false, {}}, "SCRAM-SHA-256"},
      {"PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS", {}, {true, false, {}}, "SCRAM-SHA-256"},
      {"PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS", {}, {true, false, bindings}, "SCRAM-SHA-256-PLUS"},
      {"PLAIN SCRAM-SHA-256 LOGIN", {"login"}, {true, false, {}}, "LOGIN"},
      {"plain", {}, {true, false, {}}, "PLAIN"},
      {"GSSAPI XOAUTH2", {}, {true, false, {}}, ""},
      {"", {}, {true, false, {}}, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.offered);
    const auto* chosen = sasl::choose_mechanism(row.offered, row.allowed, row.facts);
    CHECK((chosen == nullptr ? std::string_view() : chosen->name) == row.chosen);
  }
}

TEST_CASE("sasl client: what no mechanism carries is not begun") {
  CHECK(sasl::begin_exchange(mechanism("PLAIN"), {"joe", "a\0b"s}, "PLAIN", {}) == nullptr);
  CHECK(sasl::begin_exchange(mechanism("PLAIN"), {"", "x"}, "PLAIN", {}) == nullptr);
}
