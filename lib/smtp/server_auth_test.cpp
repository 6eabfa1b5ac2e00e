// AUTH of a session (RFC 4954). The driver knows one user, tim, whose password is tanstaaf, and no tokens.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "lib/base/base64.h"
#include "lib/sasl/cram_md5.h"
#include "lib/sasl/crypto.h"
#include "lib/smtp/server_session.h"

using namespace smtp;
using namespace std::string_literals;

namespace {

ServerOptions options_with(std::vector<const char*> names, bool in_clear = true, bool is_required = false) {
  ServerOptions options;
  options.server_name = "mx.example.org";
  options.extensions |= kAuth | kStartTls;
  options.auth_in_clear = in_clear;
  options.auth_required = is_required;
  for (const auto* name : names) options.mechanisms.push_back(sasl::find_mechanism(name));
  options.limits.hard_errors = 100;
  options.limits.soft_errors = 100;
  options.prepare();
  return options;
}

class Talk final : public MessageSink {
 public:
  explicit Talk(const ServerOptions& options) : options_(options), session(options_, *this) {
    say("");
    ehlo = say("EHLO c.example\r\n");
  }
  Talk(const Talk&) = delete;
  void begin() override {}
  void append(std::string_view) override {}
  void discard(ReplyId) override {}

  std::string say(std::string_view octets) {
    const std::string own(octets);
    std::string_view input = own;
    std::string output;
    for (;;) {
      switch (session.advance(input, output)) {
        case Step::NeedInput:
        case Step::Close: return output;
        case Step::Ask: decide(output); break;
        case Step::Delay: ++delays; break;
        case Step::StartTls:
          session.tls_started(channel);
          return output + say(input);
      }
    }
  }
  std::string say64(std::string_view octets) { return say(base::to_base64(octets) + "\r\n"); }
  void secure() {
    say("STARTTLS\r\n");
    ehlo = say("EHLO c.example\r\n");
  }

 private:
  void decide(std::string& output) {
    if (session.stage() != Stage::Auth) return session.answer({}, output);
    const auto& question = session.question();
    switch (question.kind) {
      using Kind = sasl::Question::Kind;
      case Kind::Keys: return session.answer_keys(sasl::ScramKeys::of("tanstaaf", "salt", 4), output);
      case Kind::Password: return judge(question.user == "tim" && question.secret == "tanstaaf", output);
      case Kind::Digest: return judge(sasl::is_cram_md5_digest(question.secret, question.challenge, "tanstaaf"), output);
      case Kind::Identity:
      case Kind::Trace:
      case Kind::Proven: return judge(true, output);
      case Kind::Token:
      case Kind::Disproven: return judge(false, output);
    }
  }
  void judge(bool is_right, std::string& output) {
    session.answer({.accepts = is_right, .closes = false, .reply = is_right ? std::string_view() : refusal, .delays = !is_right && delays_failures}, output);
  }

  ServerOptions options_;

 public:
  ServerSession session;
  sasl::Facts channel;
  std::string ehlo;
  std::string refusal = "535 5.7.8 no\r\n";
  bool delays_failures = false;
  int delays = 0;
};

const std::string kTim = base::to_base64("\0tim\0tanstaaf"s);

}  // namespace

TEST_CASE("AUTH: the line of EHLO names what can be used now") {
  CHECK(Talk(options_with({"PLAIN", "LOGIN"})).ehlo.starts_with("250-mx.example.org\r\n250-AUTH PLAIN LOGIN\r\n250-"));
  CHECK(Talk(options_with({"PLAIN", "CRAM-MD5"}, false)).ehlo.find("250-AUTH CRAM-MD5\r\n") != std::string::npos);
  Talk talk(options_with({"PLAIN", "EXTERNAL", "SCRAM-SHA-256-PLUS"}, false));
  CHECK(talk.ehlo.find("AUTH") == std::string::npos);
  CHECK(talk.say("AUTH PLAIN " + kTim + "\r\n").starts_with("538 5.7.11 "));
  CHECK(talk.say("AUTH EXTERNAL =\r\n").starts_with("504 5.5.4 "));
  talk.channel = {"", "CN=tim", {{"tls-exporter", "octets"}}};
  talk.secure();
  CHECK(talk.ehlo.find("250-AUTH PLAIN EXTERNAL SCRAM-SHA-256-PLUS\r\n") != std::string::npos);
  CHECK(talk.say("AUTH EXTERNAL =\r\n") == "235 2.7.0 Authentication succeeded\r\n");
  CHECK(talk.session.identity()->user == "CN=tim");
  auto bare = options_with({"PLAIN"});
  bare.extensions = kAuth;
  bare.prepare();
  CHECK(Talk(bare).ehlo == "250-mx.example.org\r\n250 AUTH PLAIN\r\n");
}

TEST_CASE("AUTH PLAIN: with an initial response, without, and the examples of section 6") {
  Talk talk(options_with({"PLAIN"}));
  CHECK(talk.say("AUTH PLAIN " + kTim + "\r\n") == "235 2.7.0 Authentication succeeded\r\n");
  CHECK(talk.session.identity()->user == "tim");
  CHECK(talk.session.identity()->mechanism->name == "PLAIN");
  CHECK(talk.say("AUTH PLAIN " + kTim + "\r\n").starts_with("503 "));
  CHECK(talk.say("MAIL FROM:<a@a.example> AUTH=e+3Dmc2@example.com\r\n").starts_with("250 "));
  CHECK(talk.session.transaction()->auth == "e+3Dmc2@example.com");
  CHECK(talk.say("RSET\r\nEHLO again\r\n").starts_with("250 "));
  CHECK(talk.session.identity() != nullptr);  // nothing is forgotten but by TLS
  talk.secure();
  CHECK(talk.session.identity() == nullptr);
  CHECK(talk.say("AUTH plain\r\n") == "334 \r\n");
  CHECK(talk.say(kTim + "\r\n").starts_with("235 "));
}

TEST_CASE("AUTH: pipelined with what follows, and cut anywhere") {
  const auto line = "AUTH LOGIN\r\n" + base::to_base64("tim") + "\r\n" + base::to_base64("tanstaaf") + "\r\nNOOP\r\n";
  const std::string said = "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 2.7.0 Authentication succeeded\r\n250 2.0.0 Ok\r\n";
  Talk talk(options_with({"LOGIN"}));
  CHECK(talk.say(line) == said);
  Talk slow(options_with({"LOGIN"}));
  std::string output;
  for (const char octet : line) output += slow.say({&octet, 1});
  CHECK(output == said);
}

TEST_CASE("AUTH: what is refused, and the session goes on") {
  Talk talk(options_with({"PLAIN", "LOGIN", "CRAM-MD5"}));
  const std::pair<std::string, const char*> rows[] = {
      {"AUTH\r\n", "501 5.5.4"},
      {"AUTH GSSAPI\r\n", "504 5.5.4"},
      {"AUTH SCRAM-SHA-256\r\n", "504 5.5.4"},
      {"AUTH PLAIN !!!!\r\n", "501 5.5.2"},
      {"AUTH PLAIN dGlt\r\n", "501 5.5.2"},
      {"AUTH PLAIN =\r\n", "501 5.5.2"},
      {"AUTH PLAIN AHRpbQB0YW5zdGFhZg\r\n", "501 5.5.2"},        // without its padding
      {"AUTH PLAIN " + kTim + " x\r\n", "501 5.5.2"},
      {"AUTH PLAIN " + base::to_base64("\0tim\0tan\0staaf"s) + "\r\n", "501 5.5.2"},
      {"AUTH PLAIN " + base::to_base64("\0tim\0wrong"s) + "\r\n", "535 5.7.8"},
      {"AUTH PLAIN\r\n*\r\n", "334 \r\n501 5.7.0"},
      {"AUTH PLAIN\r\n\r\n", "334 \r\n501 5.5.2"},
      {"AUTH PLAIN\r\nQUIT\r\n", "334 \r\n501 5.5.2"},
      {"AUTH CRAM-MD5 " + kTim + "\r\n", "501 5.7.0"},
      {"AUTH LOGIN\r\ndGlt\r\n*\r\n", "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n501 5.7.0"},
  };
  for (const auto& [line, expected] : rows) {
    CHECK_MESSAGE(talk.say(line).starts_with(expected), line);
    CHECK(talk.session.identity() == nullptr);
    CHECK(talk.say("NOOP\r\n").starts_with("250 "));
  }
  CHECK(talk.say("MAIL FROM:<a@a.example>\r\nAUTH PLAIN " + kTim + "\r\n").find("\r\n503 5.5.1 ") != std::string::npos);
  Talk before(options_with({"PLAIN"}));
  Talk without(options_with({}));
  CHECK(without.ehlo.find("AUTH") == std::string::npos);
  CHECK(without.say("AUTH PLAIN " + kTim + "\r\n").starts_with("504 "));
}

TEST_CASE("AUTH: lines up to 12,288 octets") {
  Talk talk(options_with({"PLAIN"}));
  const std::string front = "AUTH PLAIN ";
  CHECK(talk.say(front + std::string(12'288 - front.size() - 1, 'A') + "\r\n").starts_with("501 5.5.2 "));
  CHECK(talk.say(front + std::string(12'289 - front.size(), 'A') + "\r\n").starts_with("500 5.5.6 "));
  CHECK(talk.say("auth plain\r\n" + std::string(12'288, 'A') + "\r\n").starts_with("334 \r\n501 5.5.2 "));
  CHECK(talk.say("AUTH PLAIN\r\n" + std::string(12'289, 'A') + "\r\n").starts_with("334 \r\n500 5.5.6 "));
  CHECK(talk.say("AUTH PLAIN\r\n").starts_with("334 "));
  for (int i = 0; i < 100; ++i) CHECK(talk.say(std::string(1000, 'A')).empty());
  CHECK(talk.say("\r\n").starts_with("500 5.5.6 "));
  CHECK(talk.say("NOOP " + std::string(3000, 'A') + "\r\n").starts_with("500 5.5.2 "));  // others have the old limit
  // Under TLS a token of 12,000 octets is a token like any other.
  Talk bearer(options_with({"OAUTHBEARER"}));
  CHECK(bearer.say("AUTH OAUTHBEARER " + base::to_base64("n,,\1auth=Bearer " + std::string(8'990, 'x') + "\1\1") + "\r\n").starts_with("334 "));
}

TEST_CASE("AUTH CRAM-MD5 and SCRAM-SHA-256") {
  Talk talk(options_with({"CRAM-MD5", "SCRAM-SHA-256"}));
  auto said = talk.say("AUTH CRAM-MD5\r\n");
  const auto challenge = *base::from_base64(said.substr(4, said.size() - 6));
  CHECK(talk.say64("tim " + sasl::to_hex(sasl::hmac_md5("tanstaaf", challenge))).starts_with("235 "));

  Talk scram(options_with({"SCRAM-SHA-256"}));
  said = scram.say("AUTH SCRAM-SHA-256 " + base::to_base64("n,,n=tim,r=abc") + "\r\n");
  const auto first = *base::from_base64(said.substr(4, said.size() - 6));
  CHECK(first.starts_with("r=abc"));
  const auto nonce = first.substr(0, first.find(','));
  const auto keys = sasl::ScramKeys::of("tanstaaf", "salt", 4);
  const auto salted = sasl::hi_sha256("tanstaaf", "salt", 4);
  const auto auth_message = "n=tim,r=abc," + first + ",c=biws," + nonce;
  auto proof = sasl::hmac_sha256(keys.stored_key, auth_message);
  const auto client_key = sasl::hmac_sha256(salted, "Client Key");
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ client_key[i]);
  said = scram.say64("c=biws," + nonce + ",p=" + base::to_base64(proof));
  CHECK(*base::from_base64(said.substr(4, said.size() - 6)) == "v=" + base::to_base64(sasl::hmac_sha256(keys.server_key, auth_message)));
  CHECK(scram.session.identity() == nullptr);
  CHECK(scram.say("\r\n") == "235 2.7.0 Authentication succeeded\r\n");
  CHECK(scram.session.identity()->user == "tim");
}

TEST_CASE("AUTH OAUTHBEARER: a refused token is told why, then refused") {
  Talk talk(options_with({"OAUTHBEARER", "XOAUTH2"}));
  CHECK(talk.say("AUTH OAUTHBEARER " + base::to_base64("n,a=tim,\1auth=Bearer x\1\1") + "\r\n").starts_with("334 eyJzdGF0dXMi"));
  CHECK(talk.say("AQ==\r\n") == "535 5.7.8 no\r\n");
  CHECK(talk.say("AUTH XOAUTH2 " + base::to_base64("user=tim\1auth=Bearer x\1\1") + "\r\n").starts_with("334 "));
  CHECK(talk.say("*\r\n") == "535 5.7.8 no\r\n");
  CHECK(talk.say("NOOP\r\n").starts_with("250 "));
  talk.refusal = "454 4.7.0 later\r\n";
  CHECK(talk.say("AUTH XOAUTH2 " + base::to_base64("user=tim\1auth=Bearer x\1\1") + "\r\n") == "454 4.7.0 later\r\n");
}

TEST_CASE("AUTH required: nothing but the commands of section 6 before it") {
  Talk talk(options_with({"PLAIN"}, true, true));
  for (const auto* line : {"MAIL FROM:<a@a.example>\r\n", "VRFY x\r\n", "EXPN x\r\n"}) CHECK(talk.say(line) == "530 5.7.0 Authentication required\r\n");
  for (const auto* line : {"NOOP\r\n", "RSET\r\n", "HELO c\r\n", "EHLO c\r\n"}) CHECK(talk.say(line).starts_with("250"));
  CHECK(talk.say("BDAT 4 LAST\r\nQUITNOOP\r\n").ends_with("250 2.0.0 Ok\r\n"));
  CHECK(talk.say("AUTH PLAIN " + kTim + "\r\n").starts_with("235 "));
  CHECK(talk.say("MAIL FROM:<a@a.example>\r\n").starts_with("250 "));
}

TEST_CASE("AUTH: failures count as errors and may be delayed; our own do not") {
  auto options = options_with({"PLAIN"});
  options.limits.hard_errors = 3;
  Talk talk(options);
  talk.delays_failures = true;
  const auto wrong = "AUTH PLAIN " + base::to_base64("\0tim\0wrong"s) + "\r\n";
  talk.refusal = "454 4.7.0 later\r\n";
  for (int i = 0; i < 5; ++i) CHECK(talk.say(wrong) == "454 4.7.0 later\r\n");
  CHECK(talk.session.errors() == 0);
  talk.refusal = "535 5.7.8 no\r\n";
  talk.delays = 0;
  CHECK(talk.say(wrong) == "535 5.7.8 no\r\n");
  CHECK(talk.delays == 1);
  CHECK(talk.say(wrong) == "535 5.7.8 no\r\n");
  CHECK(talk.say(wrong).starts_with("421 4.7.0 Too many errors"));
}
