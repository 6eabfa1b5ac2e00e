#include "lib/sasl/mechanisms.h"

#include <doctest/doctest.h>

#include "lib/base/base64.h"
#include "lib/sasl/cram_md5.h"
#include "lib/sasl/crypto.h"
#include "lib/sasl/prepare.h"

using namespace std::string_literals;
using sasl::Move;
using Kind = sasl::Question::Kind;

namespace {

std::unique_ptr<sasl::Exchange> start(const char* name, const sasl::Facts& facts = {"mx.example.org", "", {}}) { return sasl::find_mechanism(name)->start(facts); }

// The user and the secret that a single response leads to, "malformed", or "no".
std::string asked(const char* name, std::string_view response, const sasl::Facts& facts = {"mx.example.org", "", {}}) {
  const auto exchange = start(name, facts);
  const auto move = exchange->begin(response);
  if (move.kind == Move::Kind::Malformed) return "malformed";
  if (move.kind == Move::Kind::Challenge) return "challenge " + move.challenge;
  const auto& question = exchange->question();
  if (question.kind == Kind::Disproven) return "no";
  return question.user + "|" + question.authorization + "|" + question.secret;
}

}  // namespace

TEST_CASE("sasl: mechanisms are found in either case") {
  CHECK(sasl::find_mechanism("plain")->name == "PLAIN");
  CHECK(sasl::find_mechanism("Scram-Sha-256-Plus")->binds_channel);
  CHECK(sasl::find_mechanism("GSSAPI") == nullptr);
  CHECK(sasl::find_mechanism("") == nullptr);
}

TEST_CASE("sasl: a client without an initial response is asked for it") {
  for (const auto* name : {"PLAIN", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER", "EXTERNAL", "ANONYMOUS"}) {
    const auto move = start(name)->begin(std::nullopt);
    CHECK(move.kind == Move::Kind::Challenge);
    CHECK(move.challenge.empty());
  }
}

TEST_CASE("PLAIN: the examples of RFC 4616 section 4, and what is none") {
  CHECK(asked("PLAIN", "\0tim\0tanstaaftanstaaf"s) == "tim||tanstaaftanstaaf");
  CHECK(asked("PLAIN", "Ursel\0Kurt\0xipj3plmq"s) == "Kurt|Ursel|xipj3plmq");
  CHECK(asked("PLAIN", "\0tim\0p\xc3\xa4ss w\xc3\xb6rd:,="s) == "tim||p\xc3\xa4ss w\xc3\xb6rd:,=");
  CHECK(asked("PLAIN", "\0tim\0\xef\xac\x81"s) == "tim||fi");                      // SASLprep: a ligature
  CHECK(asked("PLAIN", "\0ti\xcc\x88m\0x"s) == "t\xc3\xafm||x");                   // i and a diaeresis
  for (const auto& text : {""s, "tim"s, "tim\0secret"s, "\0tim\0a\0b"s, "\0\0\0\0"s}) CHECK(asked("PLAIN", text) == "malformed");
  for (const auto& text : {"\0\0"s, "\0tim\0"s, "\0\0x"s, "\0t\nm\0x"s, "\0tim\0a\x7f"s, "\0t\xffm\0x"s, "\0tim\0\xff"s, "\1\0tim\0x"s}) CHECK(asked("PLAIN", text) == "no");
}

TEST_CASE("LOGIN: name and password, asked for or with the command") {
  const auto exchange = start("LOGIN");
  CHECK(exchange->begin(std::nullopt).challenge == "Username:");
  CHECK(exchange->respond("ann").challenge == "Password:");
  CHECK(exchange->respond("se cret").kind == Move::Kind::Ask);
  CHECK(exchange->question().user == "ann");
  CHECK(exchange->question().secret == "se cret");
  CHECK(asked("LOGIN", "ann") == "challenge Password:");
  CHECK(asked("LOGIN", "a\0b"s) == "malformed");
  for (const auto& [user, password] : {std::pair{"", "x"}, std::pair{"ann", ""}, std::pair{"\x01", "x"}}) {
    const auto bad = start("LOGIN");
    bad->begin(user);
    bad->respond(password);
    CHECK(bad->question().kind == Kind::Disproven);
  }
}

TEST_CASE("CRAM-MD5: the example of RFC 2195 section 2") {
  const std::string challenge = "<1896.697170952@postoffice.reston.mci.net>", digest = "b913a602c7eda7a495b4e6e7334d3890";
  CHECK(sasl::is_cram_md5_digest(digest, challenge, "tanstaaftanstaaf"));
  CHECK_FALSE(sasl::is_cram_md5_digest(digest, challenge, "tanstaaftanstaag"));
  const auto exchange = start("CRAM-MD5"), other = start("CRAM-MD5");
  const auto move = exchange->begin(std::nullopt);
  CHECK(move.challenge.ends_with("@mx.example.org>"));
  CHECK(other->begin(std::nullopt).challenge != move.challenge);
  CHECK(exchange->respond("t i m " + digest).kind == Move::Kind::Ask);
  CHECK(exchange->question().kind == Kind::Digest);
  CHECK(exchange->question().user == "t i m");
  CHECK(exchange->question().challenge == move.challenge);
  CHECK(start("CRAM-MD5")->begin("tim").kind == Move::Kind::Malformed);  // the server begins
  for (const auto& text : {""s, "tim"s, digest, "tim " + digest.substr(1), "tim " + digest + "0", "tim B" + digest.substr(1), "t\0m "s + digest}) {
    const auto bad = start("CRAM-MD5");
    bad->begin(std::nullopt);
    CHECK(bad->respond(text).kind == Move::Kind::Malformed);
  }
}

TEST_CASE("OAUTHBEARER and XOAUTH2: token and user") {
  const auto bearer = "n,a=user@example.com,\1host=server.example.com\1port=143\1auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1"s;  // RFC 7628 section 4.1
  CHECK(asked("OAUTHBEARER", bearer) == "user@example.com||vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
  CHECK(asked("OAUTHBEARER", "n,,\1auth=bearer  x\1\1") == "||x");
  CHECK(asked("OAUTHBEARER", "y,a=a=2Cb=3D,\1auth=Bearer x\1\1") == "a,b=||x");
  for (const auto* text : {"", "n,,", "n,,\1\1", "n,,\1auth=Bearer x\1", "n,,\1auth=Basic x\1\1", "n,,\1auth=Bearer \1\1", "n,,\1auth=Bearer x y\1\1", "p=tls-unique,,\1auth=Bearer x\1\1",
                           "n,a=,\1auth=Bearer x\1\1", "n,a=a=b,\1auth=Bearer x\1\1", "n,,\1auth\1\1", "n,,\1auth=Bearer x\1auth=Bearer y\1\1", "n,,auth=Bearer x\1\1"})
    CHECK_MESSAGE(asked("OAUTHBEARER", text) == "malformed", text);
  CHECK(asked("XOAUTH2", "user=ann@example.org\1auth=Bearer ya29.x\1\1") == "ann@example.org||ya29.x");
  for (const auto* text : {"", "user=\1auth=Bearer x\1\1", "user=a\1user=b\1auth=Bearer x\1\1", "auth=Bearer x\1\1", "user=a\1\1", "user=a\1auth=Bearer x", "n,,\1auth=Bearer x\1\1"})
    CHECK_MESSAGE(asked("XOAUTH2", text) == "malformed", text);
  const auto exchange = start("XOAUTH2");
  exchange->begin("user=a\1auth=Bearer x\1\1");
  CHECK(exchange->last_challenge()->starts_with("{\"status\""));
  CHECK_FALSE(start("PLAIN")->last_challenge());
}

TEST_CASE("EXTERNAL and ANONYMOUS") {
  const sasl::Facts facts{"mx", "CN=ann", {}};
  CHECK(asked("EXTERNAL", "", facts) == "CN=ann||");
  CHECK(asked("EXTERNAL", "bob", facts) == "CN=ann|bob|");
  CHECK(asked("EXTERNAL", "b\0b"s, facts) == "malformed");
  CHECK(asked("EXTERNAL", "") == "no");
  CHECK(asked("ANONYMOUS", "") == "||");
  CHECK(asked("ANONYMOUS", "sirhc") == "sirhc||");  // RFC 4505 section 4
  CHECK(asked("ANONYMOUS", std::string(255, 'x')) == std::string(255, 'x') + "||");
  CHECK(asked("ANONYMOUS", std::string(256, 'x')) == "malformed");
  CHECK(asked("ANONYMOUS", "a\nb") == "malformed");
}

namespace {

// A client of RFC 5802, for one exchange.
struct ScramClient {
  std::string user = "user", password = "pencil", header = "n,,", binding = {}, nonce = "rOprNGfwEbeRWgbNEkqO";
  std::string first_bare = {}, server_first = {};
  std::string first() {
    first_bare = "n=" + user + ",r=" + nonce;
    return header + first_bare;
  }
  std::string final(const std::string& server, const std::string& nonce_of_server = "") {
    server_first = server;
    const auto salt_at = server.find(",s="), count_at = server.find(",i=");
    const auto salt = *base::from_base64(server.substr(salt_at + 3, count_at - salt_at - 3));
    const auto salted = sasl::hi_sha256(password, salt, static_cast<unsigned>(std::stoul(server.substr(count_at + 3))));
    const auto without = "c=" + base::to_base64(header + binding) + "," + (nonce_of_server.empty() ? server.substr(0, salt_at) : nonce_of_server);
    said = first_bare + "," + server_first + "," + without;
    const auto key = sasl::hmac_sha256(salted, "Client Key");
    std::string proof = sasl::hmac_sha256(sasl::sha256(key), said);
    for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ key[i]);
    signature = "v=" + base::to_base64(sasl::hmac_sha256(sasl::hmac_sha256(salted, "Server Key"), said));
    return without + ",p=" + base::to_base64(proof);
  }
  std::string said = {}, signature = {};
};

const sasl::Facts kBound{"mx", "", {{"tls-unique", "other octets"}, {"tls-exporter", "the octets of the channel"}}};

Kind scram(const char* name, ScramClient client, const sasl::Facts& facts = {"mx", "", {}}, const std::string& tail = "") {
  const auto exchange = start(name, facts);
  auto move = exchange->begin(client.first());
  if (move.kind != Move::Kind::Ask || exchange->question().kind != Kind::Keys) return exchange->question().kind;
  move = exchange->take_keys(sasl::ScramKeys::of("pencil", "salt", 16));
  move = exchange->respond(client.final(move.challenge) + tail);
  if (move.kind == Move::Kind::Challenge) {
    CHECK(move.challenge == client.signature);
    move = exchange->respond("");
  }
  CHECK(move.kind != Move::Kind::Challenge);
  return move.kind == Move::Kind::Malformed ? Kind::Password : exchange->question().kind;
}

}  // namespace

TEST_CASE("SCRAM-SHA-256: keys of the example of RFC 7677 section 3") {
  const auto salt = *base::from_base64("W22ZaJ0SNY7soEsUEjb6gQ==");
  const auto keys = sasl::ScramKeys::of("pencil", salt, 4096);
  const std::string said = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
                           "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  CHECK(base::to_base64(sasl::hmac_sha256(keys.server_key, said)) == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  std::string client_key = sasl::hmac_sha256(keys.stored_key, said);
  const auto proof = *base::from_base64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  for (std::size_t i = 0; i < proof.size(); ++i) client_key[i] = static_cast<char>(client_key[i] ^ proof[i]);
  CHECK(sasl::sha256(client_key) == keys.stored_key);
  const auto again = sasl::ScramKeys::parse(keys.text());
  REQUIRE(again);
  CHECK(again->text() == keys.text());
  CHECK(again->are_of("pencil"));
  CHECK_FALSE(again->are_of("pencils"));
}

TEST_CASE("SCRAM-SHA-256: whole exchanges") {
  CHECK(scram("SCRAM-SHA-256", {}) == Kind::Proven);
  CHECK(scram("SCRAM-SHA-256", {.password = "pencils"}) == Kind::Disproven);
  CHECK(scram("SCRAM-SHA-256", {.header = "n,a=user,"}) == Kind::Proven);
  CHECK(scram("SCRAM-SHA-256", {.header = "y,,"}) == Kind::Proven);
  CHECK(scram("SCRAM-SHA-256", {}, kBound) == Kind::Proven);
  CHECK(scram("SCRAM-SHA-256", {}, {"mx", "", {}}, "x") == Kind::Password);
  // A client that believes that we cannot bind, where we said that we can.
  CHECK(scram("SCRAM-SHA-256", {.header = "y,,"}, kBound) == Kind::Disproven);
  CHECK(scram("SCRAM-SHA-256-PLUS", {.header = "p=tls-exporter,,", .binding = kBound.bindings[1].octets}, kBound) == Kind::Proven);
  CHECK(scram("SCRAM-SHA-256-PLUS", {.header = "p=tls-exporter,,", .binding = "another channel"}, kBound) == Kind::Disproven);
  CHECK(scram("SCRAM-SHA-256-PLUS", {.header = "p=tls-unique,,", .binding = kBound.bindings[1].octets}, kBound) == Kind::Disproven);
  CHECK(scram("SCRAM-SHA-256-PLUS", {.header = "n,,"}, kBound) == Kind::Disproven);
}

TEST_CASE("SCRAM-SHA-256: first messages that are none, and a foreign nonce") {
  for (const auto* text : {"", "n", "n,", "n,,", "n,,n=user", "n,,n=,r=x", "n,,r=x,n=user", "n,,n=user,r=", "n,,n=u=ser,r=x", "n,,m=ext,n=user,r=x", "x,,n=user,r=x", "n,user,n=user,r=x", "p=,,n=user,r=x",
                           "p=tls-unique,,n=user,r=x", "nn,,n=user,r=x", "n,,n=user,r=a\tb"})
    CHECK_MESSAGE(start("SCRAM-SHA-256")->begin(text).kind == Move::Kind::Malformed, text);
  CHECK(asked("SCRAM-SHA-256", "n,,n=a=2Cb=3Dc,r=x,e=1") == "a,b=c||");
  CHECK(asked("SCRAM-SHA-256", "n,,n=a\nb,r=x") == "no");
  ScramClient client;
  const auto exchange = start("SCRAM-SHA-256");
  exchange->begin(client.first());
  const auto move = exchange->take_keys(sasl::ScramKeys::of("pencil", "salt", 16));
  CHECK(move.challenge.starts_with("r=rOprNGfwEbeRWgbNEkqO"));
  CHECK(exchange->respond(client.final(move.challenge, "r=rOprNGfwEbeRWgbNEkqO")).kind == Move::Kind::Ask);
  CHECK(exchange->question().kind == Kind::Disproven);
  CHECK(exchange->respond("n,,n=user,r=x").kind == Move::Kind::Malformed);
  for (const auto* text : {"", "c=biws", "c=biws,r=x,p=", "c=biws,r=x,p=!", "c=biws,r=x,p=AAAA", "r=x,c=biws,p=AAAA"}) {
    const auto bad = start("SCRAM-SHA-256");
    bad->begin(client.first());
    bad->take_keys(sasl::ScramKeys::of("pencil", "salt", 16));
    CHECK_MESSAGE(bad->respond(text).kind == Move::Kind::Malformed, text);
  }
  const auto one = sasl::ScramKeys::of_nobody("x", "secret"), two = sasl::ScramKeys::of_nobody("x", "secret"), other = sasl::ScramKeys::of_nobody("y", "secret");
  CHECK(one.salt == two.salt);
  CHECK(one.salt != other.salt);
  CHECK(one.salt.size() == 16);
}

TEST_CASE("SASLprep: the examples of RFC 4013 section 3") {
  CHECK(sasl::prepared("I\xc2\xadX") == "IX");
  CHECK(sasl::prepared("user") == "user");
  CHECK(sasl::prepared("USER") == "USER");
  CHECK(sasl::prepared("\xc2\xaa") == "a");
  CHECK(sasl::prepared("\xe2\x85\xa8") == "IX");
  CHECK_FALSE(sasl::prepared("\x07"));
  CHECK(sasl::prepared("a\xc2\xa0""b\xe3\x80\x80") == "a b ");
  for (const auto* text : {"", "\x7f", "\xc2\x85", "\xe2\x80\xa8", "\xee\x80\x80", "\xef\xbf\xbd", "\xf3\xa0\x80\x81", "\xc2\xad", "\x80", "\xed\xa0\x80"}) CHECK_FALSE(sasl::prepared(text));
}
