#include "lib/base/base64.h"
#include "lib/smtp/client_testing.h"

using namespace smtp;
using namespace std::string_literals;
using Class = Verdict::Class;
using State = ClientSession::State;
using StartTls = ClientSession::StartTls;
using testing::Dialogue;

namespace {

constexpr std::string_view kOffers = "250-mx.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n";

}  // namespace

TEST_CASE("client_session: STARTTLS where it is offered, and EHLO again behind it") {
  for (const auto wanted : {StartTls::IfOffered, StartTls::Required}) {
    Dialogue dialogue;
    dialogue.settings.start_tls = wanted;
    dialogue.greet(kOffers, "STARTTLS\r\n");
    dialogue.expect("220 go\r\n", "");
    CHECK(dialogue.session.state() == State::Securing);
    CHECK(dialogue.session.time_limit_milliseconds() == dialogue.settings.limits.tls);
    dialogue.session.on_secured({});
    CHECK(dialogue.session.is_secured());
    CHECK_FALSE(dialogue.session.extensions().pipelining);  // said in clear
    CHECK(dialogue.sent() == "EHLO me.example\r\n");
    dialogue.expect("250-mx.example\r\n250-STARTTLS\r\n250-REQUIRETLS\r\n250 8BITMIME\r\n", "");  // an offer that is not taken twice
    CHECK(dialogue.session.state() == State::Ready);
    CHECK(dialogue.session.extensions().require_tls);
    ClientTransaction transaction;
    transaction.reverse_path = "a@x.example";
    transaction.recipients = {"b@y.example"};
    transaction.requires_tls = true;
    dialogue.session.begin(std::move(transaction));
    CHECK(dialogue.sent() == "MAIL FROM:<a@x.example> REQUIRETLS\r\n");
  }
}

TEST_CASE("client_session: without an offer of STARTTLS mail goes in clear only where it may") {
  Dialogue may;
  may.settings.start_tls = StartTls::IfOffered;
  may.greet("250 mx.example\r\n", "");
  CHECK(may.session.state() == State::Ready);
  Dialogue must;
  must.settings.start_tls = StartTls::Required;
  must.greet("250 mx.example\r\n", "");
  CHECK(must.failure() == "Z 451 4.7.10 TLS is required, and the host does not offer STARTTLS (ours) at EHLO");
  Dialogue old;  // HELO
  old.settings.start_tls = StartTls::Required;
  old.greet("500 what\r\n", "HELO me.example\r\n");
  old.expect("250 mx.example\r\n", "");
  CHECK(old.failure() == "Z 451 4.7.10 TLS is required, and the host does not offer STARTTLS (ours) at EHLO");
  Dialogue never;
  never.greet(kOffers, "");
  CHECK(never.session.state() == State::Ready);
}

TEST_CASE("client_session: STARTTLS that is refused") {
  Dialogue may;
  may.settings.start_tls = StartTls::IfOffered;
  may.greet(kOffers, "STARTTLS\r\n");
  may.expect("454 4.7.0 not now\r\n", "");
  CHECK(may.session.state() == State::Ready);
  CHECK_FALSE(may.session.is_secured());
  Dialogue must;
  must.settings.start_tls = StartTls::Required;
  must.greet(kOffers, "STARTTLS\r\n");
  must.expect("554 5.7.0 never\r\n", "QUIT\r\n");
  CHECK(must.failure() == "Z 554 5.7.0 never at STARTTLS");
}

TEST_CASE("client_session: octets behind the reply to STARTTLS are nobody's (RFC 3207 section 5)") {
  for (const auto* reply : {"220 go\r\n250 injected\r\n", "220 go\r\nx"}) {
    Dialogue dialogue;
    dialogue.settings.start_tls = StartTls::IfOffered;
    dialogue.greet(kOffers, "STARTTLS\r\n");
    dialogue.expect(reply, "");
    CHECK(dialogue.failure() == "Z 451 4.7.5 octets behind the reply to STARTTLS (ours) at STARTTLS");
  }
}

TEST_CASE("client_session: a handshake that fails, takes too long or is cut off") {
  const auto securing = [](Dialogue& dialogue) {
    dialogue.settings.start_tls = StartTls::Required;
    dialogue.greet(kOffers, "STARTTLS\r\n");
    dialogue.expect("220 go\r\n", "");
  };
  Dialogue failed, late, lost;
  securing(failed);
  failed.session.on_tls_failure("certificate of nobody");
  CHECK(failed.failure() == "Z 451 4.7.5 certificate of nobody (ours) at STARTTLS");
  CHECK(failed.sent().empty());
  securing(late);
  late.session.on_time_limit();
  CHECK(late.failure() == "Z 451 4.4.2 no answer within 300 s at STARTTLS (ours) at STARTTLS");
  securing(lost);
  lost.session.on_connection_end("connection closed");
  CHECK(lost.failure() == "Z 451 4.4.2 connection closed at STARTTLS (ours) at STARTTLS");
}

TEST_CASE("client_session: TLS before the greeting asks for no STARTTLS") {
  Dialogue dialogue;
  dialogue.settings.start_tls = StartTls::Required;
  dialogue.session.on_secured({});
  dialogue.greet(kOffers, "");
  CHECK(dialogue.session.state() == State::Ready);
  CHECK(dialogue.session.is_secured());
}

// ---- AUTH

TEST_CASE("client_session: a log-in by PLAIN and LOGIN under TLS") {
  Dialogue plain;
  plain.settings.login = {"joe", "secret"};
  plain.session.on_secured({});
  plain.greet("250-mx.example\r\n250 AUTH LOGIN PLAIN\r\n", "AUTH PLAIN " + base::to_base64("\0joe\0secret"s) + "\r\n");
  plain.expect("235 2.7.0 ok\r\n", "");
  CHECK(plain.session.state() == State::Ready);

  Dialogue login;
  login.settings.login = {"joe", "secret"};
  login.settings.auth_mechanisms = {"LOGIN"};
  login.session.on_secured({});
  login.greet("250-mx.example\r\n250 AUTH LOGIN PLAIN\r\n", "AUTH LOGIN\r\n");
  login.expect("334 VXNlcm5hbWU6\r\n", base::to_base64("joe") + "\r\n");
  login.expect("334 UGFzc3dvcmQ6\r\n", base::to_base64("secret") + "\r\n");
  login.expect("235 ok\r\n", "");
  CHECK(login.session.state() == State::Ready);
}

TEST_CASE("client_session: the password is not shown in clear unless that is said") {
  Dialogue refused;
  refused.settings.login = {"joe", "secret"};
  refused.greet("250-mx.example\r\n250 AUTH LOGIN PLAIN\r\n", "");
  CHECK(refused.failure() == "Z 451 4.7.4 the host offers AUTH LOGIN PLAIN, of which nothing may be used without TLS (ours) at AUTH");
  Dialogue allowed;
  allowed.settings.login = {"joe", "secret"};
  allowed.settings.auth_in_clear = true;
  allowed.greet("250-mx.example\r\n250 AUTH PLAIN\r\n", "AUTH PLAIN " + base::to_base64("\0joe\0secret"s) + "\r\n");
}

TEST_CASE("client_session: no mail without the log-in that was asked for") {
  const auto begun = [](Dialogue& dialogue, std::string_view offer, std::string_view answer) {
    dialogue.settings.login = {"joe", "secret"};
    dialogue.session.on_secured({});
    dialogue.greet(offer, answer);
  };
  const std::string plain = "AUTH PLAIN " + base::to_base64("\0joe\0secret"s) + "\r\n";
  constexpr std::string_view kPlain = "250-mx.example\r\n250 AUTH PLAIN\r\n";
  Dialogue none, other, wrong, early, nonsense;
  begun(none, "250 mx.example\r\n", "");
  CHECK(none.failure() == "Z 451 4.7.4 a log-in is required, and the host does not offer AUTH (ours) at AUTH");
  begun(other, "250-mx.example\r\n250 AUTH GSSAPI\r\n", "");
  CHECK(other.failure() == "Z 451 4.7.4 the host offers AUTH GSSAPI, of which nothing may be used (ours) at AUTH");
  begun(wrong, kPlain, plain);
  wrong.expect("535 5.7.8 no\r\n", "QUIT\r\n");
  CHECK(wrong.failure() == "Z 535 5.7.8 no at AUTH");  // for now: somebody mends the password
  begun(early, "250-mx.example\r\n250 AUTH LOGIN\r\n", "AUTH LOGIN\r\n");
  early.expect("235 ok\r\n", "");
  CHECK(early.failure() == "Z 451 4.7.8 the host takes the log-in without having shown that it knows the password (ours) at AUTH");
  begun(nonsense, kPlain, plain);
  nonsense.expect("334 !!\r\n", "");
  CHECK(nonsense.failure() == "Z 451 4.7.8 the host speaks the mechanism of AUTH wrongly, or does not know the password itself (ours) at AUTH");
}
