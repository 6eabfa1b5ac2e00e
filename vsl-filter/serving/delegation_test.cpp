#include <doctest/doctest.h>

#include "lib/chain/context.h"
#include "lib/chain/delegation.h"
#include "lib/chain/envelope.h"
#include "vsl-filter/serving/message_filter.h"
#include "vsl-filter/stages/testing.h"

using namespace rules;
using rules::testing::kMessage;
using rules::testing::load;

namespace {

constexpr auto kService = R"(service av smtp = #{ delegator: #{ address: "127.0.0.1:10026", timeout: "15s" }, receiver: "127.0.0.1:10025" };
)";
// S3 of the specification.
constexpr auto kStages = R"(#{ postq: [ action "before" || append_header("X-Before", "1"),
            delegate av "scan" || if has_header("X-Virus-Infected") { quarantine("virus") } else { next() },
            action "after" || append_header("X-After", "1"),
            delegate av "again" || next() ] })";
constexpr auto kId = "0H8ZK4TQ2N700A3W05";

chain::Answer filter(const std::string& rules, std::string context, std::string message = std::string(kMessage)) {
  const auto loaded = load(rules);
  REQUIRE_MESSAGE(loaded->is_usable(), rules::testing::mistakes(*loaded));
  chain::Invocation invocation;
  invocation.call.message = base::Blob::of_octets(std::move(message));
  invocation.call.envelope = chain::to_octets({"ann@client.example", {"bob@own.example"}});
  invocation.call.context = std::move(context);
  return filter_message(*loaded, invocation, stage_of_call(invocation.call));
}
chain::Answer filter_s3(std::string context, std::string message = std::string(kMessage)) { return filter(std::string(kService) + kStages, std::move(context), std::move(message)); }

std::string in(const chain::Answer& answer, std::string_view path) {
  REQUIRE(answer.context);
  return chain::Context::parse(*answer.context)->text(path).value_or("");
}
std::string octets(const chain::Answer& answer) {
  REQUIRE(answer.message);
  return std::string(answer.message->view()->octets());
}
// As queue-run calls for the message once more.
std::string back(const chain::Answer& delegated) { return chain::context_when_back(*delegated.context); }

std::string at_receiver(std::string_view client = "127.0.0.1:5000", std::string_view server = "127.0.0.1:10025") {
  return R"({"connection":{"client_addr":")" + std::string(client) + R"(","server_addr":")" + std::string(server) + R"("}})";
}
std::string marked(std::string_view field) { return std::string(field) + "\r\n" + std::string(kMessage); }
std::string mark(std::string_view stage = "postq", std::string_view directive = "scan", std::string_view id = kId) {
  return marked("X-VSMTP-DELEGATION: sent; stage=" + std::string(stage) + "; directive=\"" + std::string(directive) + "\"; id=\"" + std::string(id) + "\"");
}

}  // namespace

TEST_CASE("delegate S3: the stage stops at the directive, and the context says where the message goes") {
  const auto answer = filter_s3(R"({"stage":"postq"})");
  CHECK(answer.passes);
  CHECK(octets(answer).contains("X-Before: 1"));
  CHECK_FALSE(octets(answer).contains("X-After"));
  CHECK(in(answer, "queue") == "delegated");
  CHECK(in(answer, "metadata.skipped") == "DelegationResult");
  const auto delegation = chain::delegation_in(*answer.context);
  REQUIRE(delegation);
  CHECK(*delegation == chain::Delegation{chain::Delegation::State::Waiting, "postq", "scan", "av", "127.0.0.1:10026", "smtp", "127.0.0.1:10025", 15, {}});
}

TEST_CASE("delegate S3: back, its body runs, then what follows; not what was before") {
  const auto first = filter_s3(R"({"stage":"postq"})");
  const auto infected = filter_s3(back(first), "X-Virus-Infected: yes\r\n" + std::string(kMessage));
  CHECK(in(infected, "quarantine.name") == "virus");
  CHECK(in(infected, "quarantine.rule") == "scan");
  CHECK_FALSE(chain::delegation_in(*infected.context));

  const auto clean = filter_s3(back(first));
  CHECK(octets(clean).contains("X-After: 1"));
  CHECK_FALSE(octets(clean).contains("X-Before"));
  CHECK(chain::delegation_in(*clean.context)->directive == "again");  // the next one starts anew
  const auto twice = filter_s3(back(clean));
  CHECK_FALSE(chain::delegation_in(*twice.context));
  CHECK(in(twice, "queue").empty());
  CHECK_FALSE(twice.message);
  CHECK(chain::Context::parse(*twice.context)->text("metadata.skipped").value_or("") == "");
}

TEST_CASE("delegate: a later stage runs from its begin; so does one whose directive is not there any more") {
  const auto first = filter_s3(R"({"stage":"postq"})");
  const std::string rules = std::string(kService) + R"(#{ postq: [ action "new" || append_header("X-New", "1"), delegate av "other" || next() ], delivery: [ action "d" || append_header("X-Delivery", "1") ] })";
  const auto gone = filter(rules, back(first));
  CHECK(octets(gone).contains("X-New"));
  CHECK(chain::delegation_in(*gone.context)->directive == "other");
  auto later = back(first);
  later.replace(later.find(R"("stage":"postq")"), 15, R"("stage":"delivery")");
  const auto delivery = filter(rules, later);
  CHECK(octets(delivery).contains("X-Delivery"));
  CHECK_FALSE(chain::delegation_in(*delivery.context));
}

TEST_CASE("delegate: what an operator takes from the filter goes on behind the directive") {
  auto context = *filter_s3(R"({"stage":"postq"})").context;
  const std::string queue = R"("queue":"delegated")";
  context.replace(context.find(queue), queue.size(), R"("released":{"queue":"delegated"})");
  const auto answer = filter_s3(context, "X-Virus-Infected: yes\r\n" + std::string(kMessage));
  CHECK(octets(answer).contains("X-After: 1"));
  CHECK(chain::delegation_in(*answer.context)->directive == "again");
}

TEST_CASE("delegate: a body that fails puts the message off, and runs again") {
  const std::string rules = std::string(kService) + R"(#{ postq: [ delegate av "scan" || if 1 / (rcpt_list().len - 1) == 0 { next() } else { next() } ] })";
  const auto first = filter(rules, R"({"stage":"postq"})");
  const auto failed = filter(rules, back(first));
  CHECK_FALSE(failed.passes);
  CHECK(failed.report.starts_with("Z451 4.3.0 stage 'postq' skipped => rule engine failed in 'scan'"));
}

TEST_CASE("delegate: a message that comes back on the receiver of the service is the one its field names") {
  const auto answer = filter_s3(at_receiver(), mark());
  CHECK(answer.passes);
  CHECK(octets(answer) == kMessage);
  const auto returned = chain::delegation_in(*answer.context);
  REQUIRE(returned);
  CHECK(*returned == chain::Delegation{chain::Delegation::State::Returned, "postq", "scan", {}, {}, {}, "127.0.0.1:10025", 60, kId});
  CHECK(in(answer, "queue").empty());
  CHECK(in(answer, "metadata.skipped") == "DelegationResult");
  // Of several fields the first counts, and none stays; below others, in other case, folded.
  const auto doubled = filter_s3(at_receiver(), "Received: x\r\nx-vsmtp-delegation: sent; stage=postq;\r\n directive=\"scan\"; id=\"" + std::string(kId) + "\"\r\n" + mark("delivery", "x", "y"));
  CHECK(octets(doubled) == "Received: x\r\n" + std::string(kMessage));
  CHECK(chain::delegation_in(*doubled.context)->id == kId);
}

TEST_CASE("delegate: what is no return is refused on the receiver") {
  const auto reply = [](const std::string& message, const std::string& context = at_receiver()) {
    const auto answer = filter_s3(context, message);
    CHECK_FALSE(answer.passes);
    CHECK(answer.exit_code == 82);
    return answer.report;
  };
  CHECK(reply(std::string(kMessage)) == "D500 Delegation header not found");
  CHECK(reply(marked("X-VSMTP-DELEGATION: sent; stage=postq; directive=\"scan\"")) == "D500 Delegation header not found");
  CHECK(reply(mark("preq")) == "D500 Delegation stage not matching");
  CHECK(reply(mark("nonsense")) == "D500 Delegation stage not matching");
  CHECK(reply(mark("postq", "before")) == "D500 Delegation directive not found");
  CHECK(reply(mark("delivery")) == "D500 Delegation directive not found");
  CHECK(reply(mark("postq", "scan", "../../etc/passwd")) == "D500 Delegation failed to get old context");
  CHECK(reply(mark(), at_receiver("192.0.2.7:5000")).starts_with("D554 5.7.1 "));
}

TEST_CASE("delegate S4: elsewhere the field means nothing") {
  for (const auto* server : {"127.0.0.1:25", "127.0.0.2:10025", "[::1]:10025", "127.0.0.1:1002"}) {
    CAPTURE(server);
    const auto answer = filter_s3(at_receiver("127.0.0.1:5000", server), mark());
    CHECK(answer.passes);
    CHECK_FALSE(answer.message);
    CHECK_FALSE(chain::delegation_in(*answer.context));
  }
}

TEST_CASE("delegate: on the receiver no rules of the session run, and other clients are turned away") {
  const auto rules = load(std::string(kService) + R"(#{ rcpt: [ rule "no" || deny() ], postq: [ delegate av "scan" || next() ] })");
  REQUIRE_MESSAGE(rules->is_usable(), rules::testing::mistakes(*rules));
  auto session = rules::testing::session(Stage::Rcpt);
  CHECK(rules::testing::run(*rules, session, Stage::Rcpt).starts_with("deny"));
  session = rules::testing::session(Stage::Rcpt);
  session.connection.server_ip = "127.0.0.1";
  session.connection.server_port = 10025;
  CHECK(rules::testing::run(*rules, session, Stage::Rcpt).starts_with("deny 554 5.7.1 Client host rejected"));
  session.connection.client_ip = "127.0.0.1";
  CHECK(rules::testing::run(*rules, session, Stage::Rcpt) == "delegation_result");
}

TEST_CASE("delegate: two filters on other hosts share a receiver, each for its own clients") {
  const auto rules = load(R"(service one smtp = #{ delegator: #{ address: "192.0.2.7:10026" }, receiver: "192.0.2.1:10025" };
      service two smtp = #{ delegator: #{ address: "192.0.2.8:10026" }, receiver: "192.0.2.1:10025" };
      #{ postq: [ delegate one "one" || next(), delegate two "two" || next() ] })");
  REQUIRE_MESSAGE(rules->is_usable(), rules::testing::mistakes(*rules));
  for (const auto& [client, status] : {std::pair("192.0.2.7", "delegation_result"), std::pair("192.0.2.8", "delegation_result"), std::pair("192.0.2.9", "deny 554")}) {
    CAPTURE(client);
    auto session = rules::testing::session(Stage::Connect);
    session.connection.server_ip = "192.0.2.1";
    session.connection.server_port = 10025;
    session.connection.client_ip = client;
    CHECK(rules::testing::run(*rules, session, Stage::Connect).starts_with(status));
  }
}

TEST_CASE("delegate: what is wrong with a service or a directive is said when the rules are loaded") {
  const auto wrong = [](const std::string& text) { return rules::testing::mistakes(*load(text)); };
  const auto service = [&](const std::string& options) { return wrong("service av smtp = #{" + options + "};\n#{ postq: [ delegate av \"x\" || next() ] }"); };
  CHECK(service(R"(receiver: "127.0.0.1:1")").contains("smtp service av is missing the 'delegator' option."));
  CHECK(service(R"(delegator: "127.0.0.1:1", receiver: "127.0.0.1:1")").contains("must be a map"));
  CHECK(service(R"(delegator: #{ address: "127.0.0.1" }, receiver: "127.0.0.1:1")").contains("must be \"HOST:PORT\""));
  CHECK(service(R"(delegator: #{ address: "127.0.0.1:2", timeout: 5 }, receiver: "127.0.0.1:1")").contains("must be a duration"));
  CHECK(service(R"(delegator: #{ address: "127.0.0.1:2", protocol: "http" }, receiver: "127.0.0.1:1")").contains("must be \"smtp\" or \"lmtp\""));
  CHECK(service(R"(delegator: #{ address: "127.0.0.1:2" }, receiver: "0.0.0.0:1")").contains("one address of this host"));
  CHECK(service(R"(delegator: #{ address: "scanner.test:2" }, receiver: "192.0.2.1:1")").contains("missing the 'clients' option"));
  CHECK(service(R"(delegator: #{ address: "127.0.0.1:2" }, receiver: "192.0.2.1:1", clients: ["x"])").contains("neither an address nor a network"));
  CHECK(service(R"(delegator: #{ address: "192.0.2.9:2" }, receiver: "192.0.2.1:1")").empty());
  CHECK(service(R"(delegator: #{ address: "unix:/run/x.sock", protocol: "lmtp" }, receiver: "[::1]:1")").empty());
  CHECK(wrong("service s cmd = #{command: \"x\"};\n#{ postq: [ delegate s \"d\" || next() ] }").contains("cannot delegate security using a 'cmd' service in postq:'d'."));
  CHECK(wrong("const s = 5;\n#{ postq: [ delegate s \"d\" || next() ] }").contains("the field after the 'delegate' keyword in the directive 'd' in stage 'postq' must be a smtp service"));
  CHECK(wrong(std::string(kService) + "#{ postq: [ delegate av \"d\" || next() ], delivery: [ delegate av \"d\" || next() ] }").contains("found duplicate delegation 'd'"));
  CHECK(wrong(std::string(kService) + "#{ postq: [ delegate av \"a \\\"quoted\\\" one\" || next() ] }").contains("has a quote"));
  CHECK(wrong(std::string(kService) + "#{ postq: [ delegate av \"d\" || { 5 } ] }").contains("has no status here"));
  CHECK(wrong("const av = smtp::connect(#{ delegator: #{ address: \"127.0.0.1:2\" }, receiver: \"127.0.0.1:1\" });\n#{ postq: [ delegate av \"d\" || if av.receiver_address == \"127.0.0.1:1\" { next() } else { deny() } ] }").empty());
}
