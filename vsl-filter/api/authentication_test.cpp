// SPF, DKIM, DMARC and ARC in rules (vsl.md 3.10 to 3.12, examples A1 to A8), with a zone in place of DNS.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "lib/authn/testing.h"
#include "lib/base/io.h"
#include "vsl-filter/stages/testing.h"

using namespace rules;
using authn::testing::Zone;
using net::dns::Type;

namespace {

// A folder with a key in it, away at the end.
struct KeyFile {
  explicit KeyFile(authn::KeyType type = authn::KeyType::Ed25519) : key(authn::PrivateKey::generate(type, 1024).value()) {
    char name[] = "/tmp/authn-test-XXXXXX";
    const int file = ::mkstemp(name);  // mode 0600
    path = name;
    (void)base::write_all(file, key.to_pem().value());
    ::close(file);
  }
  ~KeyFile() { ::unlink(path.c_str()); }
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;
  [[nodiscard]] std::string record() const { return authn::dkim::key_record(key).value(); }

  authn::PrivateKey key;
  std::string path;
};

Site site(const Zone& zone, const std::vector<std::pair<std::string, std::string>>& more = {}) {
  Site site = rules::testing::site(nullptr, more);
  site.host_name = "host.gate.example";
  site.look_up = zone.look_up();
  return site;
}

std::string run(const Zone& zone, const std::string& text, Session& session, Stage stage) { return rules::testing::run(*rules::testing::load(text, site(zone)), session, stage); }

std::string ask(const Zone& zone, const std::string& question, Session& session, const std::vector<std::pair<std::string, std::string>>& more = {}) {
  return rules::testing::ask(Stage::Preq, "fn caught(f) { let told = \"nothing\"; try { told = `${f.call()}`; } catch (e) { told = e; } told }", question, session, site(zone, more));
}

Session with_message(const std::string& octets) {
  Session session = rules::testing::session(Stage::Rcpt);
  (void)session.message(base::Blob::of_octets(octets));
  return session;
}

std::string finished(const Session& session) { return session.transaction()->message->text().value(); }

// The same message, as the next host gets it.
Session forwarded(const Session& session) { return with_message(finished(session)); }

}  // namespace

TEST_CASE("authentication: check_spf judges by the table of 3.10 (A1 to A5)") {
  struct Row {
    std::string record, call, expected;
  };
  for (const auto& row : {
           Row{"v=spf1 ip4:192.0.2.10 -all", R"(check_spf("spf", "strict"))", "next"},
           {"v=spf1 ip4:192.0.2.11 -all", R"(check_spf("spf", "strict"))", "deny 550 5.7.23 SPF validation failed"},
           {"v=spf1 ip4:192.0.2.11 -all", R"(check_spf("spf", "soft"))", "deny 550 5.7.23 SPF validation failed"},
           {"v=spf1 ~all", R"(check_spf("none", "soft"))", "next"},
           {"v=spf1 ~all", R"(check_spf("none"))", "deny 550 5.7.23 SPF validation failed"},
           {"v=spf1 ?all", R"(check_spf("none"))", "next"},
           {"no record", R"(check_spf("none"))", "next"},
           {"no record", R"(spf::check("both", "soft"))", "next"},
           {"v=spf1 ipv4:x -all", R"(check_spf("none", "soft"))", "deny 550 5.7.24 SPF validation error"},
       }) {
    CAPTURE(row.record);
    CAPTURE(row.call);
    Zone zone;
    zone.add_text("client.example", row.record);
    Session session = rules::testing::session(Stage::Mail);
    CHECK(run(zone, "#{ mail: [ rule \"spf\" || " + row.call + " ] }", session, Stage::Mail) == row.expected);
  }
  Zone late;
  late.fail_others("client.example");
  Session session = rules::testing::session(Stage::Mail);
  CHECK(run(late, R"(#{ mail: [ rule "spf" || check_spf("none", "soft") ] })", session, Stage::Mail) == "deny 451 4.7.24 SPF validation error");
  CHECK(ask(late, R"(caught(|| check_spf("x", "soft")))", session = rules::testing::session(Stage::Preq)) == "spf 'header' argument must be 'spf', 'auth' or 'both', not 'x'");
  CHECK(ask(late, R"(caught(|| check_spf("spf", "hard")))", session) == "spf 'policy' argument must be 'strict' or 'soft', not 'hard'");
}

TEST_CASE("authentication: what check_spf writes stands above the message, and nobody else's in our name below it") {
  Zone zone;
  zone.add_text("client.example", "v=spf1 ip4:192.0.2.10 -all");
  Session session = rules::testing::session(Stage::Rcpt);
  CHECK(run(zone, R"(#{ rcpt: [ rule "spf" || check_spf("both") ] })", session, Stage::Rcpt) == "next");
  (void)session.message(base::Blob::of_octets("Authentication-Results: gate.example; spf=pass smtp.mailfrom=forged.example\r\nAuthentication-Results: other.example; spf=fail\r\n" +
                                              std::string(rules::testing::kMessage)));
  const std::string text = finished(session);
  CHECK(text.starts_with("Received-SPF: pass receiver=host.gate.example;\r\n client-ip=192.0.2.10;\r\n"));
  CHECK(text.find("Authentication-Results: gate.example;\r\n\tspf=pass reason=\"receiver=host.gate.example; client-ip=192.0.2.10;") != std::string::npos);
  CHECK(text.find("smtp.mailfrom=ann@client.example") != std::string::npos);
  CHECK(text.find("forged.example") == std::string::npos);
  CHECK(text.find("other.example; spf=fail") != std::string::npos);
}

TEST_CASE("authentication: senders of own domains are asked about by spf::check alone") {
  Zone zone;
  zone.add_text("own.example", "v=spf1 -all");
  Session session = rules::testing::session(Stage::Helo);
  session.mail("carl@own.example", "ID2", session.connection.time);
  CHECK(run(zone, R"(#{ mail: [ rule "spf" || check_spf("none") ] })", session, Stage::Mail) == "next");
  CHECK(run(zone, R"(#{ mail: [ rule "spf" || spf::check("none") ] })", session, Stage::Mail) == "deny 550 5.7.23 SPF validation failed");
}

TEST_CASE("authentication: spf::check_raw, check_host, check_helo, explanations") {
  Zone zone;
  zone.add_text("client.example", "v=spf1 ip4:192.0.2.10 -all");
  zone.add_text("mx.client.example", "v=spf1 -all exp=why.client.example");
  zone.add_text("why.client.example", "%{i} is not ours");
  Session session = rules::testing::session(Stage::Preq);
  CHECK(ask(zone, "spf::check_raw().result", session) == "pass");
  CHECK(ask(zone, "spf::result().mechanism", session) == "ip4:192.0.2.10");
  CHECK(ask(zone, "sys::check_spf(ctx(), srv()).result", session) == "pass");
  CHECK(ask(zone, R"(spf::check_host(#{ip: "192.0.2.99", helo: "x.example", mail_from: "a@client.example"}).value)", session) == "fail");
  Session mail = rules::testing::session(Stage::Mail);
  CHECK(run(zone, R"(#{ mail: [ rule "helo" || spf::check_helo("soft") ] })", mail, Stage::Mail) ==
        "deny 550 5.7.23 SPF validation failed\r\nmx.client.example explains: 192.0.2.10 is not ours");
}

TEST_CASE("authentication: the client's names, and domains that take no mail") {
  Zone zone;
  zone.add_pointer("10.2.0.192.in-addr.arpa", "mx.client.example");
  zone.add_address("mx.client.example", "192.0.2.10");
  zone.add("client.example", Type::Mx, std::string("\0\0\0", 3));
  zone.fail_others("own.example");
  Session connected = rules::testing::session(Stage::Connect);
  CHECK(run(zone, R"(#{ connect: [ rule "name" || iprev::check() ] })", connected, Stage::Connect) == "next");
  CHECK(run(Zone(), R"(#{ connect: [ rule "name" || iprev::check() ] })", connected, Stage::Connect) == "deny 550 5.7.25 Reverse DNS validation failed");
  Session session = rules::testing::session(Stage::Rcpt);
  CHECK(run(zone, R"(#{ rcpt: [ rule "null" || nullmx::check_sender() ] })", session, Stage::Rcpt) == "deny 550 5.7.27 The domain of the sender takes no mail (null MX)");
  session = rules::testing::session(Stage::Rcpt);
  CHECK(run(zone, R"(#{ rcpt: [ rule "null" || nullmx::check_rcpt() ] })", session, Stage::Rcpt) == "info 451 4.4.3 The mail exchangers of own.example cannot be looked up");
  session = rules::testing::session(Stage::Rcpt, {"bob@client.example"});
  CHECK(run(zone, R"(#{ rcpt: [ rule "null" || nullmx::check_rcpt() ] })", session, Stage::Rcpt) == "info 556 5.1.10 The domain of the recipient takes no mail (null MX)");
  session = rules::testing::session(Stage::Preq);
  CHECK(ask(zone, "iprev::name()", session) == "mx.client.example");
}

TEST_CASE("authentication: DKIM signs and verifies in rules (A6, A7)") {
  const KeyFile key;
  Zone zone;
  zone.add_text("sel._domainkey.gate.example", key.record());
  const std::vector<std::pair<std::string, std::string>> configured = {{"dkim.private_key", key.path}, {"dkim.selector", "sel"}};
  Session session = rules::testing::session(Stage::Preq);
  CHECK(ask(zone, "verify_dkim().status", session) == "none");
  CHECK(session.headers().get("Authentication-Results") == "gate.example;\tdkim=none");
  CHECK(ask(zone, "verify_dkim().status", session) == "none");
  CHECK(session.headers().count("Authentication-Results") == 1);
  CHECK(ask(zone, R"(caught(|| sign_dkim("sel")))", session) == "dkim params are empty for this `gate.example`");

  for (const std::string call : {R"(sign_dkim())", R"(sign_dkim("sel"))", R"(sign_dkim("sel", ["From", "To", "From"], "simple/simple"))", R"(dkim::sign(#{selector: "sel", canonicalization: "simple"}))"}) {
    CAPTURE(call);
    Session outgoing = rules::testing::session(Stage::Preq);
    CHECK(ask(zone, call, outgoing, configured) == "true");
    Session arrived = forwarded(outgoing);
    CHECK(ask(zone, "verify_dkim().status", arrived) == "pass");
    CHECK(ask(zone, "dkim::result().sdid", arrived) == "gate.example");
    CHECK(ask(zone, "dkim::result().auid", arrived) == "@gate.example");
    CHECK(ask(zone, "auth_results::get(\"dkim\")", arrived) == "pass");
  }
}

TEST_CASE("authentication: a signature covers the message as it leaves, whatever rules do behind it") {
  const KeyFile key, other(authn::KeyType::Rsa);
  Zone zone;
  zone.add_text("a._domainkey.gate.example", key.record());
  zone.add_text("b._domainkey.gate.example", other.record());
  const std::string by_two = "dkim::sign(#{selector: [\"a\", \"b\"], private_key: [\"" + key.path + "\", \"" + other.path + "\"]})";
  for (const std::string change : {R"(set_header("Subject", "changed"))", R"(body::append_footer("-- list"))", R"(prepend_header("X-New", "1"))", R"(remove_header("To"))"}) {
    CAPTURE(change);
    Session session = rules::testing::session(Stage::Preq);
    CHECK(run(zone, "#{ preq: [ rule \"sign\" || { " + by_two + "; " + change + "; next() } ] }", session, Stage::Preq) == "next");
    CHECK(session.headers().count("DKIM-Signature") == 2);
    Session arrived = forwarded(session);
    CHECK(ask(zone, "verify_dkim().signatures.map(|s| s.status)", arrived) == R"(["pass", "pass"])");
  }
}

TEST_CASE("authentication: options that dkim::sign does not have, keys that are none") {
  const KeyFile key;
  Zone zone;
  Session session = rules::testing::session(Stage::Preq);
  CHECK(ask(zone, "caught(|| dkim::sign(#{selektor: \"x\"}))", session).starts_with("dkim::sign has no option 'selektor'; there are: "));
  CHECK(ask(zone, "caught(|| dkim::sign(#{selector: \"x\", private_key: \"/nowhere\"}))", session) == "open /nowhere: No such file or directory");
  CHECK(ask(zone, "caught(|| dkim::sign(#{selector: \"x\", private_key: \"" + key.path + "\", canonicalization: \"loose\"}))", session).starts_with("dkim 'canonicalization' argument"));
  CHECK(::chmod(key.path.c_str(), 0644) == 0);
  CHECK(ask(zone, "caught(|| dkim::sign(#{selector: \"x\", private_key: \"" + key.path + "\"}))", session).find("everybody may read") != std::string::npos);
}

TEST_CASE("authentication: check_dmarc does what the domain wants (A8), or what the site wants instead") {
  struct Row {
    std::string record, call, expected;
  };
  for (const auto& row : {
           Row{"v=DMARC1; p=quarantine", "check_dmarc()", "quarantine"},
           {"v=DMARC1; p=reject", "check_dmarc()", "deny 550 5.7.26 DMARC policy of client.example rejects this message"},
           {"v=DMARC1; p=none", "check_dmarc()", "next"},
           {"", "check_dmarc()", "next"},
           {"v=DMARC1; p=quarantine", "check_dmarc(\"reject\")", "deny 550 5.7.26 DMARC policy of client.example rejects this message"},
           {"v=DMARC1; p=reject", "dmarc::check(\"quarantine\")", "quarantine"},
           {"v=DMARC1; p=reject", "check_dmarc(\"none\")", "next"},
           {"v=DMARC1; p=none", "check_dmarc(\"reject\")", "next"},
       }) {
    CAPTURE(row.record);
    CAPTURE(row.call);
    Zone zone;
    zone.add_name("client.example");
    if (!row.record.empty()) zone.add_text("_dmarc.client.example", row.record);
    Session session = rules::testing::session(Stage::Preq);
    CHECK(run(zone, "#{ preq: [ rule \"dmarc\" || " + row.call + " ] }", session, Stage::Preq) == row.expected);
    if (row.expected == "quarantine") CHECK(session.place() == "quarantine/dmarc");
    CHECK(session.headers().get("Authentication-Results").find(row.record.empty() ? "dmarc=none" : "dmarc=fail") != std::string::npos);
  }
  Zone aligned;
  aligned.add_text("client.example", "v=spf1 ip4:192.0.2.10 -all");
  aligned.add_text("_dmarc.client.example", "v=DMARC1; p=reject");
  Session session = rules::testing::session(Stage::Preq);
  CHECK(run(aligned, R"(#{ preq: [ rule "dmarc" || check_dmarc() ] })", session, Stage::Preq) == "next");
  CHECK(ask(aligned, "dmarc::result().spf_aligned", session) == "true");
  CHECK(ask(aligned, "dmarc::policy(\"sub.client.example\")", session) == "reject");
  CHECK(ask(aligned, "dmarc::record(\"client.example\").p", session) == "reject");
  Zone late;
  late.fail_others("_dmarc.client.example");
  session = rules::testing::session(Stage::Preq);
  CHECK(run(late, R"(#{ preq: [ rule "dmarc" || check_dmarc() ] })", session, Stage::Preq) == "info 451 4.4.3 The DMARC policy of client.example cannot be looked up");
}

TEST_CASE("authentication: messages with several From fields or none are refused by check_dmarc") {
  Zone zone;
  for (const std::string header : {"From: a@x.example\r\nFrom: b@y.example\r\n", "Subject: nobody\r\n", "From: undisclosed:;\r\n"}) {
    CAPTURE(header);
    Session session = with_message(header + "\r\ntext\r\n");
    CHECK(run(zone, R"(#{ preq: [ rule "dmarc" || check_dmarc() ] })", session, Stage::Preq).starts_with("deny 550 5.7.26 only one `From` header is allowed"));
    CHECK(session.headers().get("Authentication-Results").find("dmarc=permerror") != std::string::npos);
  }
}

TEST_CASE("authentication: ARC is verified and sealed") {
  const KeyFile key;
  Zone zone;
  zone.add_text("arc._domainkey.gate.example", key.record());
  zone.add_text("client.example", "v=spf1 ip4:192.0.2.10 -all");
  const std::vector<std::pair<std::string, std::string>> configured = {{"dkim.private_key", key.path}, {"dkim.selector", "arc"}};
  Session first = rules::testing::session(Stage::Preq);
  CHECK(ask(zone, "arc::verify().status", first) == "none");
  CHECK(ask(zone, "caught(|| arc::seal())", first) == "dkim params are empty for this `gate.example`");
  CHECK(ask(zone, "{ spf::check_raw(); verify_dkim(); arc::seal() }", first, configured) == "true");
  Session second = forwarded(first);
  CHECK(ask(zone, "arc::verify().status", second) == "pass");
  CHECK(second.headers().get("ARC-Authentication-Results").find("spf=pass") != std::string::npos);
  CHECK(ask(zone, "arc::trusted([\"gate.example\"])", second) == "true");
  Session untrusted = forwarded(first);
  CHECK(ask(zone, "arc::trusted([\"other.example\"])", untrusted) == "false");
  CHECK(ask(zone, "{ set_header(\"Subject\", \"[list] hello\"); arc::seal() }", second, configured) == "true");
  Session third = forwarded(second);
  CHECK(ask(zone, "{ let r = arc::verify(); `${r.status} ${r.instance} ${r.oldest_pass}` }", third) == "pass 2 2");
}

TEST_CASE("authentication: results are carried from stage to stage, and told as one field") {
  Zone zone;
  zone.add_text("client.example", "v=spf1 ip4:192.0.2.10 -all");
  Session session = rules::testing::session(Stage::Preq);
  session.transaction()->results["spf"] = R"({"result":"softfail","sender":"ann@client.example","identity":"mailfrom"})";
  CHECK(ask(zone, "spf::check_raw().result", session) == "softfail");
  CHECK(ask(zone, "{ dkim::store(#{status: \"pass\", sdid: \"client.example\"}); check_dmarc(); auth_results::add(); auth_results::text() }", session).find("dkim=pass") != std::string::npos);
  CHECK(session.headers().get("Authentication-Results").find("spf=softfail") != std::string::npos);
  session.transaction()->results["spf"] = "nonsense";
  CHECK(ask(zone, "spf::check_raw().result", session) == "pass");
}
