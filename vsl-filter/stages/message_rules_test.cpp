// The conformance examples of vsl.md 6.4 (M1 to M10): message, envelope, transports, relay checks, files.
#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "lib/base/io.h"
#include "vsl-filter/stages/testing.h"

using namespace rules;
using testing::ask;
using testing::load;
using testing::session;

namespace {

// Runs one action, and says what went wrong in it.
std::string act(Stage stage, const std::string& body, Session& transaction, Site site = testing::site()) {
  const auto rules = load("#{ " + std::string(name_of(stage)) + ": [ action \"do\" || { " + body + " } ] }", std::move(site));
  if (!rules->is_usable()) return "ERROR " + testing::mistakes(*rules);
  const StageResult result = run_stage(*rules, transaction, stage);
  return result.failure.empty() ? "" : result.failure.substr(result.failure.find(".vsl:"));
}

std::string header_of(Session& transaction) {
  std::string text;
  for (const std::string& line : transaction.headers().lines()) text += line + "|";
  return text;
}

std::string recipients_of(const Session& transaction) {
  std::string text;
  for (const Recipient& recipient : transaction.transaction()->recipients.all()) text += (text.empty() ? "" : ", ") + recipient.address;
  return text;
}

bool has(const std::string& text, std::string_view part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE(text);
  return found;
}

constexpr const char* kTry = "fn try_it(f) { try { f.call(); return \"no error\"; } catch (e) { return e; } }";

}  // namespace

TEST_CASE("rules M1, M2: reading and changing fields") {
  Session transaction = session(Stage::Preq);
  CHECK(ask(Stage::Preq, "", R"(get_header("x-a") == "1" && count_header("X-A") == 2 && get_all_headers("X-A") == [" 1", " 2"] && get_header("none") == "")", transaction) == "true");
  CHECK(act(Stage::Preq, R"(prepend_header("X-B", "0"); append_header("X-C", "9"); set_header("Subject", "new"); rename_header("X-A", "X-D"); remove_header("X-D");)",
            transaction).empty());
  CHECK(header_of(transaction) == "X-B: 0|From: Ann <ann@client.example>|To: bob@own.example, carl@other.example|Subject: new|X-D: 2|X-C: 9|");
}

TEST_CASE("rules: every spelling of the header functions") {
  for (const char* spelling : {"get_header(\"Subject\")", "msg::get_header(\"Subject\")", "msg().get_header(\"Subject\")", "ctx().get_header(\"Subject\")",
                               "sys::get_header(msg(), \"Subject\")", "sys::get_header(ctx(), \"Subject\")", "vsl::get_header(\"Subject\")", "ctx()[\"subject\"]"}) {
    CAPTURE(std::string(spelling));
    Session transaction = session(Stage::Preq);
    CHECK(ask(Stage::Preq, "", spelling, transaction) == "hello");
  }
  Session transaction = session(Stage::Preq);
  CHECK(ask(Stage::Preq, "", "ctx()[\"X-None\"] == ()", transaction) == "true");
}

TEST_CASE("rules M3: fields from before the message") {
  Session transaction = session(Stage::Connect);
  CHECK(act(Stage::Connect, R"(append_header("X-P", "a"); prepend_header("X-Q", "b");)", transaction).empty());
  transaction.mail("ann@client.example", "ID1", {});
  REQUIRE(transaction.message(base::Blob::of_octets(std::string(testing::kMessage))));
  CHECK(header_of(transaction).starts_with("X-Q: b|X-P: a|From: Ann"));
}

TEST_CASE("rules M4: the mailboxes of To") {
  Session transaction = session(Stage::Preq);
  CHECK(act(Stage::Preq, R"(remove_rcpt_message("bob@own.example"); add_rcpt_message("dan@own.example"); rewrite_rcpt_message("carl@other.example", "carla@other.example");)",
            transaction).empty());
  CHECK(transaction.headers().get("to") == "carla@other.example, dan@own.example");
  CHECK(act(Stage::Preq, "rewrite_mail_from_message(\"new@own.example\"); msg::add_rcpt(\"x@own.example\")", transaction).empty());
  CHECK(transaction.headers().get("from") == "new@own.example");
}

TEST_CASE("rules M5: no value makes a second field") {
  Session transaction = session(Stage::Preq);
  const std::string before = header_of(transaction);
  CHECK(has(ask(Stage::Preq, kTry, R"(try_it(|| append_header("X-E", "a\r\nX-Evil: 1")))", transaction), "X-E"));
  CHECK(header_of(transaction) == before);
}

TEST_CASE("rules M6: the envelope") {
  Session transaction = session(Stage::Rcpt, {"bob@own.example", "eve@else.example"});
  CHECK(act(Stage::Rcpt, R"(rewrite_rcpt_envelop("bob@own.example", "rob@own.example"); add_rcpt_envelop("zed@own.example"); remove_rcpt_envelop("nobody@x.example"); bcc("eve@else.example");)",
            transaction).empty());
  CHECK(recipients_of(transaction) == "rob@own.example, eve@else.example, zed@own.example");
  CHECK(act(Stage::Rcpt, "rewrite_mail_from_envelop(\"<>\");", transaction).empty());
  CHECK(transaction.transaction()->reverse_path.empty());
  CHECK(ask(Stage::Rcpt, "", R"(mail_from().is_null() && mail_from().domain == "" && mail_from() == "")", transaction) == "true");
  CHECK(has(ask(Stage::Rcpt, kTry, R"(try_it(|| bcc("no address")))", transaction), "invalid type conversion expected: `address`, but got: `'no address' is not a valid address"));
  CHECK(has(ask(Stage::Rcpt, kTry, R"(try_it(|| Fn("rewrite_rcpt_envelop").call(1)))", transaction), "Function not found: rewrite_rcpt_envelop"));
  // In connect it is remembered for the first RCPT.
  Session early = session(Stage::Connect);
  CHECK(act(Stage::Connect, "bcc(\"copy@own.example\");", early).empty());
  early.mail("ann@client.example", "ID1", {});
  early.rcpt("bob@own.example", {});
  CHECK(recipients_of(early) == "copy@own.example, bob@own.example");
}

TEST_CASE("rules M7: transports") {
  Session transaction = session(Stage::Delivery, {"bob@own.example", "eve@else.example"});
  CHECK(act(Stage::Delivery, R"(deliver_all(); maildir("bob@own.example"); forward("eve@else.example", "[2001:db8::5]:2525");)", transaction).empty());
  const auto all = transaction.transaction()->recipients.all();
  CHECK(all[0].transfer.method == chain::TransferMethod::Maildir);
  CHECK(all[1].transfer.method == chain::TransferMethod::Forward);
  CHECK(all[1].transfer.target.text() == "[2001:db8::5]:2525");
  CHECK(ask(Stage::Delivery, kTry, R"(try_it(|| mbox("no@one.example")))", transaction) == "could not find rcpt 'no@one.example'");
  CHECK(has(ask(Stage::Delivery, kTry, R"(try_it(|| forward_all("not a host")))", transaction), "could not be used as a forward target."));
}

TEST_CASE("rules M8, M9: relaying") {
  const auto mail = [](const std::string& sender, const std::string& host) {
    Session transaction = session(Stage::Connect);
    transaction.mail(sender, "ID1", {});
    const auto rules = load("#{ mail: [ rule \"relay\" || check_mail_relay(object h group = [ object m ip4 = \"" + host + "\" ]) ] }");
    return testing::run(*rules, transaction, Stage::Mail);
  };
  CHECK(mail("ceo@own.example", "203.0.113.1") == "deny 554 5.7.1 Relay access denied");
  CHECK(mail("ceo@own.example", "192.0.2.10") == "next");
  CHECK(mail("ann@client.example", "203.0.113.1") == "next");
  CHECK(mail("", "203.0.113.1") == "next");

  const auto rcpt = [](const std::string& recipient, bool is_authenticated) {
    Session transaction = session(Stage::Rcpt, {recipient});
    transaction.connection.is_authenticated = is_authenticated;
    return testing::run(*load("#{ rcpt: [ rule \"relay\" || check_rcpt_relay(object h group = []) ] }"), transaction, Stage::Rcpt);
  };
  CHECK(rcpt("x@else.example", false) == "info 554 5.7.1 Relay access denied");
  CHECK(rcpt("x@else.example", true) == "next");
  CHECK(rcpt("x@OWN.example", false) == "next");
}

TEST_CASE("rules M10: write and dump stay in their folder") {
  char folder[] = "/tmp/vsmtp-app-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const std::string app = std::string(folder) + "/app";
  const auto site = [&app] { return testing::site(nullptr, {{"rules.app_directory", app}}); };
  Session transaction = session(Stage::Preq);
  CHECK(act(Stage::Preq, "dump(\"seen\"); write(\"seen\");", transaction, site()).empty());
  CHECK(has(base::read_file(app + "/seen/ID1.json", 1 << 20).value_or(""), "\"mail_from\": \"ann@client.example\""));
  CHECK(base::read_file(app + "/seen/ID1.eml", 1 << 20).value_or("") == testing::kMessage);
  CHECK(has(act(Stage::Preq, "write(\"../up\");", transaction, site()), "failed to write email at ../up/ID1.eml: "));
  CHECK(::access((std::string(folder) + "/up").c_str(), F_OK) != 0);
  std::system(("rm -r " + std::string(folder)).c_str());
}

TEST_CASE("rules: MIME and structured fields are read") {
  Session transaction = session(Stage::Preq);
  REQUIRE(transaction.message(base::Blob::of_octets(
      "From: =?utf-8?q?J=C3=B6rg?= <j@x.example>\r\nSubject: =?utf-8?b?w6TDtsO8?=\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/x-msdownload\r\n"
      "Content-Disposition: attachment; filename=\"run.EXE\"\r\n\r\nMZ\r\n--b--\r\n")));
  CHECK(ask(Stage::Preq, "", R"(mime::is_multipart() && mime::has_attachment("(?i)\\.exe$") && !mime::has_attachment("\\.zip$") && mime::has_attachment())", transaction) == "true");
  CHECK(ask(Stage::Preq, "", R"(mime::parts().filter(|p| p.filename != "").map(|p| p.type + " " + p.filename)[0])", transaction) == "application/x-msdownload run.EXE");
  CHECK(has(ask(Stage::Preq, "", "mime::text()", transaction), "hello"));
  CHECK(ask(Stage::Preq, "", R"(header::decoded("Subject") + header::addresses("From")[0].name + header::addresses("From")[0].address)", transaction) == "äöüJörgj@x.example");
  CHECK(ask(Stage::Preq, "", "header::date().to_string()", transaction) == "880127706");
  CHECK(ask(Stage::Preq, "", R"(body::contains("hello") && body::contains(regex("MZ")) && !body::contains("nothing"))", transaction) == "true");
}

TEST_CASE("rules: variables live as long as what set them") {
  Session transaction = session(Stage::Helo);
  CHECK(act(Stage::Helo, "set_variable(\"seen\", #{ n: 1 });", transaction).empty());
  transaction.mail("ann@client.example", "ID1", {});
  for (const auto* odd : {"|| 1", "timestamp()", "deny()", "msg()", "[#{a: [accept()]}]"}) {
    Session other = session(Stage::Helo);
    CHECK(act(Stage::Helo, "set_variable(\"odd\", " + std::string(odd) + ");", other).contains("it travels as JSON"));
  }
  CHECK(act(Stage::Helo, "set_variable(\"fine\", [fqdn(\"a.example\"), regex(\"a\"), connection_timestamp(), 1.5, ()]);", transaction).empty());
  CHECK(ask(Stage::Mail, "", "get_variable(\"seen\").n == 1 && set_variable(\"seen\", 2).n == 1 && get_variable(\"seen\") == 2 && get_variable(\"none\") == ()", transaction) == "true");
  transaction.reset();
  transaction.mail("ann@client.example", "ID2", {});
  CHECK(ask(Stage::Mail, "", "get_variable(\"seen\").n", transaction) == "1");
}

TEST_CASE("rules: credentials") {  // S5
  const char* script = R"(#{ authenticate: [ rule "db" || { const users = #{ "u": "p" };
      if auth().type == "Verify" && users[auth().authid] == auth().authpass { accept() } else { deny() } } ] })";
  for (const auto& [password, expected] : {std::pair{"p", "accept 235 2.7.0 Authentication succeeded"}, {"q", "deny 535 5.7.8 Authentication credentials invalid"}}) {
    Session transaction = session(Stage::Helo);
    transaction.connection.credentials = Credentials{Credentials::Kind::Verify, "u", password};
    CHECK(testing::run(*load(script), transaction, Stage::Authenticate) == expected);
  }
  Session transaction = session(Stage::Helo);
  transaction.connection.credentials = Credentials{Credentials::Kind::Verify, "u", "p"};
  CHECK(ask(Stage::Authenticate, kTry, "try_it(|| auth().anonymous_token)", transaction) == "no `anonymous_token` available in credentials of type `Verify`");
}

TEST_CASE("rules: log and clock") {
  std::vector<std::string> log;
  Site site = testing::site(&log);
  site.now = [] { return *base::parse_rfc3339("2026-11-21T20:15:00.500000Z"); };
  Session transaction = session(Stage::Mail);
  CHECK(act(Stage::Mail, "log(\"WARNING\", `at ${date()} ${time()}`); log(\"loud\", \"x\"); print(1.0); debug(\"y\");", transaction, site).empty());
  REQUIRE(log.size() >= 4);
  CHECK(log[0] == "warn at 2026-11-21 20:15:00");
  CHECK(log[1] == "warn Got an error with level `loud`: no such level. Message was: 'x'");
  CHECK(log[2] == "info 1.0");
  CHECK(log[3] == "debug \"y\"");
  CHECK(ask(Stage::Mail, "", "mail_timestamp().to_string() + \" \" + mail_timestamp().to_debug()", transaction) == "1795292100 1795292100.500000");
  CHECK(ask(Stage::Mail, "", "get_root_domain(\"a.b.example.co.uk\") + \" \" + get_root_domain(\"localhost\") + \" \" + user_exist(\"root\") + user_exist(\"no-such-user\") + user_exist(\"0\")",
            transaction) == "example.co.uk localhost truefalsefalse");
}
