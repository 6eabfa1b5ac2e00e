#include "vsl-filter/transaction/context_json.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "lib/base/io.h"
#include "lib/chain/context.h"
#include "vsl-filter/api/app_files.h"
#include "vsl-filter/transaction/context_time.h"

using Json = nlohmann::ordered_json;
using rules::ContextForm;
using rules::Session;
using rules::Skip;
using rules::Stage;

namespace {

const base::WallTime kNow = *base::parse_rfc3339("2026-11-21T20:15:00.123456Z");

Session session() {
  Session session;
  auto& connection = session.connection;
  connection.client_ip = "2001:db8::7";
  connection.client_port = 4711;
  connection.server_ip = "192.0.2.25";
  connection.server_port = 25;
  connection.server_name = "mx.own.example";
  connection.time = kNow;
  connection.is_secured = true;
  connection.tls = rules::TlsFacts{"TLSv1.3", "TLS_AES_128_GCM_SHA256", "mx.own.example", ""};
  connection.credentials = rules::Credentials{rules::Credentials::Kind::Verify, "ann", "secret-1"};
  session.helo("client.example");
  session.mail("ann@client.example", "ID-1", kNow);
  session.rcpt("bob@own.example", kNow);
  session.rcpt("eve@else.example", kNow);
  auto& recipients = session.transaction()->recipients;
  REQUIRE(recipients.set_transfer("eve@else.example", *rules::forward_to("smtp://u:secret-2@192.0.2.1:587")));
  session.set_variable(Stage::Rcpt, "score", R"({"points":[1,2.5,null]})");
  return session;
}

Json exported(const Session& session, std::string_view original = {}) { return Json::parse(rules::to_context(session, {}, rules::GivenContext::parse(original).value_or(rules::GivenContext()))); }
Json chained(const Session& session, std::string_view original = {}) { return Json::parse(rules::to_context(session, {.reader = ContextForm::For::Chain}, rules::GivenContext::parse(original).value_or(rules::GivenContext()))); }

Session read(std::string_view json) {
  Session session;
  REQUIRE(rules::from_context(session, json));
  return session;
}

}  // namespace

TEST_CASE("context: M10, the canonical form") {
  const Json json = exported(session());
  CHECK(json.dump() ==
        R"({"connection":{"timestamp":"2026-11-21T20:15:00.123456Z","credentials":{"Verify":{"authid":"ann","authpass":null}},"server_name":"mx.own.example",)"
        R"("server_address":"192.0.2.25:25","server_addr":"192.0.2.25:25","client_addr":"[2001:db8::7]:4711","is_authenticated":false,"is_secured":true,)"
        R"("error_count":0,"authentication_attempt":0},"client_addr":"[2001:db8::7]:4711","envelop":{"helo":"client.example","mail_from":"ann@client.example",)"
        R"("rcpt":[{"address":"bob@own.example","transfer_method":"Deliver","email_status":{"waiting":{"timestamp":"2026-11-21T20:15:00.123456Z"}}},)"
        R"({"address":"eve@else.example","transfer_method":{"Forward":{"Url":"smtp://u@192.0.2.1:587"}},"email_status":{"waiting":{"timestamp":"2026-11-21T20:15:00.123456Z"}}}]},)"
        R"("metadata":{"timestamp":"2026-11-21T20:15:00.123456Z","message_id":"ID-1","skipped":null},)"
        R"("tls":{"protocol":"TLSv1.3","cipher":"TLS_AES_128_GCM_SHA256","sni":"mx.own.example","client_cert":""},"variables":{"score":{"points":[1,2.5,null]}}})");
}

TEST_CASE("context: M10, dump and write") {
  std::string pattern = (std::filesystem::temp_directory_path() / "dump.XXXXXX").string();
  const std::filesystem::path top = ::mkdtemp(pattern.data());
  const rules::AppFiles files((top / "app").string());
  Session made = session();
  REQUIRE(made.message(base::Blob::of_octets("Subject: x\r\n\r\nbody\r\n")));
  const std::string& id = made.transaction()->message_id;
  REQUIRE(files.write("seen", id + ".json", rules::to_context(made, {.is_pretty = true})));
  REQUIRE(files.write("seen", id + ".eml", *made.transaction()->message->finish({})));
  const auto json = base::read_file(top / "app/seen/ID-1.json", 10'000);
  REQUIRE(json);
  CHECK(Json::parse(*json)["envelop"]["mail_from"] == "ann@client.example");
  CHECK(base::read_file(top / "app/seen/ID-1.eml", 100) == "Subject: x\r\n\r\nbody\r\n");
  CHECK_FALSE(files.write("../up", id + ".eml", ""));
  CHECK_FALSE(std::filesystem::exists(top / "up"));
  std::filesystem::remove_all(top);
}

TEST_CASE("context: passwords are never written, but for the next program one that delivery needs") {
  const Session made = session();
  for (const bool pretty : {false, true}) {
    const auto text = rules::to_context(made, {.is_pretty = pretty});
    CHECK_FALSE(text.contains("secret"));
    CHECK(text.contains('\n') == pretty);
  }
  const auto chain = rules::to_context(made, {.reader = ContextForm::For::Chain});
  CHECK_FALSE(chain.contains("secret-1"));
  CHECK(chain.contains("smtp://u:secret-2@192.0.2.1:587"));
  CHECK_FALSE(chain.contains('\n'));
}

TEST_CASE("context: what was written is read again") {
  Session made = session();
  auto& recipients = made.transaction()->recipients;
  for (const auto* target : {"example.org", "2001:db8::5", "[2001:db8::5]:2525"}) {
    REQUIRE(recipients.add("x@" + std::string(target[0] == 'e' ? "a" : target[0] == '2' ? "b" : "c") + ".example", kNow));
    REQUIRE(recipients.set_transfer(recipients.all().back().address, *rules::forward_to(target)));
  }
  REQUIRE(recipients.set_transfer("bob@own.example", {chain::TransferMethod::Maildir, {}}));
  using chain::TransferMethod;
  for (const auto& [address, method] : std::initializer_list<std::pair<std::string_view, TransferMethod>>{
           {"1@w.example", TransferMethod::Lmtp}, {"2@w.example", TransferMethod::Pipe}, {"3@w.example", TransferMethod::File}, {"4@w.example", TransferMethod::Program}}) {
    REQUIRE(recipients.add(address, kNow));
    REQUIRE(recipients.set_transfer(address, {method, {}, "words \"of\" it"}));
  }
  made.transaction()->results["spf"] = R"({"result":"pass"})";
  made.transaction()->results["dmarc"] = R"({"result":"none"})";
  made.set_skip(Stage::Preq, {.kind = Skip::Kind::Deny, .code = {}, .reply = "554 5.7.1 no", .name = {}});
  const auto text = rules::to_context(made, {.reader = ContextForm::For::Chain});
  const Session again = read(text);
  CHECK(Json::parse(text)["metadata"]["spf"]["result"] == "pass");
  CHECK(Json::parse(text)["dmarc"]["result"] == "none");
  CHECK(rules::to_context(again, {.reader = ContextForm::For::Chain}) == text);
  CHECK(again.connection.client_ip == "2001:db8::7");
  CHECK(again.connection.client_port == 4711);
  CHECK(again.connection.credentials->id == "ann");
  CHECK(again.skip().reply == "554 5.7.1 no");
  CHECK(*again.variable("score") == R"({"points":[1,2.5,null]})");
  CHECK(again.transaction()->recipients.all()[4].transfer.target.port == 2525);
  CHECK(again.transaction()->recipients.all()[6].transfer.method == TransferMethod::Pipe);
  CHECK(again.transaction()->recipients.all()[6].transfer.words == "words \"of\" it");
}

TEST_CASE("context: forms of skipped") {
  struct Row {
    Skip skip;
    std::string_view json;
  };
  for (const Row& row : std::initializer_list<Row>{
           {{}, "null"},
           {{.kind = Skip::Kind::Next, .code = {}, .reply = {}, .name = {}}, R"("Next")"},
           {{.kind = Skip::Kind::DelegationResult, .code = {}, .reply = {}, .name = {}}, R"("DelegationResult")"},
           {{.kind = Skip::Kind::Deny, .code = "Denied", .reply = {}, .name = {}}, R"({"Deny":{"Left":"Denied"}})"},
           {{.kind = Skip::Kind::Deny, .code = {}, .reply = "554 5.7.1 text", .name = {}}, R"({"Deny":{"Right":"554 5.7.1 text\r\n"}})"},
           {{.kind = Skip::Kind::Faccept, .code = "Ok", .reply = {}, .name = {}}, R"({"Faccept":{"Left":"Ok"}})"},
           {{.kind = Skip::Kind::Quarantine, .code = {}, .reply = {}, .name = "odd"}, R"({"Quarantine":"odd"})"},
       }) {
    Session made;
    made.mail("", "ID", kNow);
    made.set_skip(Stage::Preq, row.skip);
    const Json json = exported(made);
    CHECK(json["metadata"]["skipped"].dump() == row.json);
    CHECK(read(json.dump()).skip() == row.skip);
  }
}

TEST_CASE("context: where the queue shall put it") {
  Session made;
  made.mail("", "ID", kNow);
  CHECK_FALSE(chained(made).contains("queue"));
  CHECK(chained(made, R"({"queue":"hold"})")["queue"] == "hold");  // what a program before us said
  made.set_skip(Stage::Preq, {.kind = Skip::Kind::Faccept, .code = {}, .reply = {}, .name = {}});
  CHECK(chained(made)["queue"] == "deliver");
  made.transaction()->hold = "too many";
  CHECK(chained(made)["queue"] == "hold");
  CHECK(chained(made)["hold"] == "too many");
  CHECK(read(chained(made).dump()).place() == "hold");
  made.set_skip(Stage::Preq, {.kind = Skip::Kind::Quarantine, .code = {}, .reply = {}, .name = "virus"});
  const Json json = chained(made, R"({"queue":"deliver","quarantine":"old"})");
  CHECK(json["quarantine"] == "virus");
  CHECK_FALSE(json.contains("queue"));
  CHECK(read(json.dump()).place() == "quarantine/virus");
  CHECK(read(R"({"metadata":{"skipped":{"Quarantine":"../../etc"}},"quarantine":"/x"})").place() == "hold");
}

TEST_CASE("context: members that mean nothing here are handed on, the state token is not") {
  const Json json = chained(session(), R"({"body":"8BITMIME","size":7,"state":"token","connection":{"odd":[1]},"envelop":{"dsn":{"ret":"hdrs"}},"metadata":{"queue_id":"Q"},"variables":{"score":1}})");
  CHECK(json["body"] == "8BITMIME");
  CHECK(json["size"] == 7);
  CHECK_FALSE(json.contains("state"));
  CHECK(json["connection"]["odd"][0] == 1);
  CHECK(json["connection"]["server_name"] == "mx.own.example");
  CHECK(json["envelop"]["dsn"]["ret"] == "hdrs");
  CHECK(json["metadata"]["queue_id"] == "Q");
  CHECK(json["variables"]["score"]["points"][0] == 1);
}

TEST_CASE("context: what the sender wants to be told goes with each recipient, and the address that he knows") {
  Session session = read(R"({"envelop":{"mail_from":"a@b.example","rcpt":[{"address":"c@d.example","notify":"SUCCESS","orcpt":"rfc822;x+2By@d.example"},
    {"address":"e@d.example","notify":"NEVER,DELAY"},{"address":"f@d.example"}],"dsn":{"ret":"HDRS"}},"metadata":{"message_id":"1"},"bounce":false})");
  auto& recipients = session.transaction()->recipients;
  REQUIRE(recipients.rewrite("c@d.example", "new-c@d.example", {}));
  REQUIRE(recipients.rewrite("f@d.example", "new-f@d.example", {}));
  const Json json = chained(session);
  const auto& rcpt = json["envelop"]["rcpt"];
  CHECK(rcpt[0]["address"] == "new-c@d.example");
  CHECK(rcpt[0]["notify"] == "SUCCESS");
  CHECK(rcpt[0]["orcpt"] == "rfc822;x+2By@d.example");
  CHECK_FALSE(rcpt[1].contains("notify"));
  CHECK_FALSE(rcpt[1].contains("orcpt"));
  CHECK(rcpt[2]["orcpt"] == "rfc822;f@d.example");
  CHECK(json["bounce"] == false);
}

TEST_CASE("context: v1.2 is read, with both forms of times") {
  const Session old = read(R"({"connection":{"timestamp":{"secs_since_epoch":1700000000,"nanos_since_epoch":5000},"credentials":{"Query":{"authid":"ann"}},
    "server_name":"mx","server_address":"192.0.2.25:25","is_authenticated":true,"is_secured":false},"client_addr":"192.0.2.7:99",
    "envelop":{"helo":"h","mail_from":"a@b.example","rcpt":[
      {"address":"c@d.example","transfer_method":{"Forward":{"Socket":"192.0.2.1:26"}},"email_status":{"heldback":{"errors":[[{"secs_since_epoch":1,"nanos_since_epoch":0},{"NoSuchMailbox":{"name":"c"}}],["2026-11-21T20:15:00+01:00",{"Other":"x"}]]}}},
      {"address":"e@d.example","transfer_method":"Mbox","email_status":{"failed":{"timestamp":"1970-01-01T00:00:01Z","reason":"why"}}},
      {"address":"f@d.example","transfer_method":{"Forward":"192.0.2.2:27"}}, {"address":"g@d.example","transfer_method":"Unknown"}, 7, {"address":8}]},
    "metadata":{"timestamp":{"secs_since_epoch":1700000001,"nanos_since_epoch":0},"message_id":"1234","skipped":"Next"}})");
  CHECK(old.connection.time == base::WallTime() + std::chrono::seconds(1'700'000'000) + std::chrono::microseconds(5));
  CHECK(old.connection.server_ip == "192.0.2.25");
  CHECK(old.connection.client_ip == "192.0.2.7");
  CHECK(old.connection.is_authenticated);
  const auto all = old.transaction()->recipients.all();
  REQUIRE(all.size() == 4);
  CHECK(all[0].transfer.target.port == 26);
  REQUIRE(all[0].status.errors.size() == 2);
  CHECK(all[0].status.errors[0].is_no_such_mailbox);
  CHECK(all[0].status.errors[1].time == *base::parse_rfc3339("2026-11-21T19:15:00.000000Z"));
  CHECK(all[1].transfer.method == chain::TransferMethod::Mbox);
  CHECK(all[1].status.reason == "why");
  CHECK(all[2].transfer.target.port == 27);
  CHECK(all[3].transfer.method == chain::TransferMethod::Deliver);
  CHECK(old.transaction()->message_id == "1234");
  CHECK(exported(old)["envelop"]["rcpt"][0]["email_status"]["heldback"]["errors"][0][1]["NoSuchMailbox"]["name"] == "c");
}

TEST_CASE("context: absent, broken, and odd ones") {
  CHECK(read("").transaction() == nullptr);
  CHECK(read("{}").transaction() == nullptr);
  for (const auto* bad : {"[]", "x", "{", "7", "{}{}"}) {
    Session session;
    CHECK(rules::from_context(session, bad).error().fault == base::Fault::Temporary);
  }
  std::string deep = R"({"a":)";
  for (int i = 0; i < 100'000; ++i) deep += '[';
  Session session;
  CHECK_FALSE(rules::from_context(session, deep));
  for (const auto* odd : {R"({"connection":7,"envelop":[],"metadata":"x"})", R"({"connection":{"timestamp":7,"credentials":"x","error_count":-1,"client_addr":"nonsense"},"tls":[1]})",
                          R"({"metadata":{"skipped":7,"timestamp":{"secs_since_epoch":99999999999999999}},"envelop":{"rcpt":{}},"variables":7})"}) {
    CAPTURE(odd);
    (void)exported(read(odd));
  }
  CHECK(exported(read(R"({"metadata":{}})"))["metadata"]["timestamp"] == "1970-01-01T00:00:00.000000Z");
  Session raw;
  raw.mail("\xff@b.example", "ID", kNow);
  CHECK(exported(raw)["envelop"]["mail_from"] == "\xef\xbf\xbd@b.example");
}

TEST_CASE("context: the envelope decides for whom it is, the context how") {
  Session made = session();
  rules::apply_envelope(made, {"new@client.example", {"eve@else.example", "zed@own.example"}});
  const auto& transaction = *made.transaction();
  CHECK(transaction.reverse_path == "new@client.example");
  REQUIRE(transaction.recipients.size() == 2);
  CHECK(transaction.recipients.all()[0].transfer.method == chain::TransferMethod::Forward);
  CHECK(transaction.recipients.all()[1].transfer.method == chain::TransferMethod::Deliver);
  CHECK(rules::envelope_of(transaction).recipients == std::vector<std::string>{"eve@else.example", "zed@own.example"});
  Session fresh;
  rules::apply_envelope(fresh, {"", {"a@b.example"}});
  CHECK(fresh.transaction()->recipients.size() == 1);
}

TEST_CASE("context: dump_all has the message, lib/chain reads it all") {
  const Session made = session();
  const auto json = Json::parse(rules::to_context(made, {.message = "Subject: x\r\n\r\n\xff"}));
  CHECK(json["message"] == "Subject: x\r\n\r\n\xef\xbf\xbd");
  const auto context = chain::Context::parse(rules::to_context(made, {.reader = ContextForm::For::Chain}));
  REQUIRE(context);
  REQUIRE(context->recipients().size() == 2);
  CHECK(context->recipients()[1].transfer_method == "Forward");
}

TEST_CASE("context: times of RFC 3339") {
  for (const auto& [text, expected] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"2026-11-21T20:15:00Z", "2026-11-21T20:15:00.000000Z"},
           {"2026-11-21t20:15:00.5z", "2026-11-21T20:15:00.500000Z"},
           {"2026-11-21 20:15:00.1234567890+05:30", "2026-11-21T14:45:00.123456Z"},
           {"1969-12-31T23:59:59-00:00", "1969-12-31T23:59:59.000000Z"},
           {"2026-12-31T23:59:60Z", "2027-01-01T00:00:00.000000Z"},
       }) {
    CAPTURE(text);
    REQUIRE(rules::parse_date_time(text));
    CHECK(base::to_rfc3339(*rules::parse_date_time(text)) == expected);
  }
  for (const auto* bad : {"", "2026-11-21", "2026-11-21T20:15:00", "2026-02-30T20:15:00Z", "2026-11-21T24:15:00Z", "2026-11-21T20:15:00.Z", "2026-11-21T20:15:00+5:30", "2026-11-21T20:15:00Zx",
                          "2026-11-21T20:15:61Z", "+026-11-21T20:15:00Z", "9999-11-21T20:15:00Z", "2026-11-21T20:15:00+24:00"}) {
    CAPTURE(bad);
    CHECK_FALSE(rules::parse_date_time(bad));
  }
}
