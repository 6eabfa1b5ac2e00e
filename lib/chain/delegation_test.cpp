#include "lib/chain/delegation.h"

#include <doctest/doctest.h>

using chain::Delegation;
using chain::DelegationMark;
using State = Delegation::State;

namespace {

std::string sent(const std::string& message) {
  const auto blob = chain::with_delegation_field(base::Blob::of_octets(message), {"postq", "scan", "ID-1"});
  REQUIRE(blob);
  return std::string(blob->view()->octets());
}

const std::string kField = "X-VSMTP-DELEGATION: sent; stage=postq; directive=\"scan\"; id=\"ID-1\"\r\n";

}  // namespace

TEST_CASE("delegation: the field as it is written is the field as it is read") {
  for (const std::string name : {"scan", "a b", "semi;colon", "back\\slash", "x=y", "é", " blanks "}) {
    CAPTURE(name);
    const DelegationMark mark{"delivery", name, "1A-2B"};
    const std::string field = mark.field();
    const auto read = DelegationMark::parse(std::string_view(field).substr(field.find(':') + 1));
    REQUIRE(read);
    CHECK(*read == mark);
  }
}

TEST_CASE("delegation: other ways to write the field, and what is none") {
  const DelegationMark mark{"postq", "scan", "ID"};
  for (const char* good : {" sent; stage=postq; directive=\"scan\"; id=\"ID\"", "sent;STAGE=postq;Directive=scan;ID=ID", " sent; stage = \"postq\" ;\r\n directive=\"scan\";\r\n\tid=\"ID\"\r\n",
                           " x; id=ID; other=1; directive=scan; stage=postq; stage=delivery", "; stage=postq; directive=scan; id=ID;"}) {
    CAPTURE(good);
    CHECK(DelegationMark::parse(good) == mark);
  }
  for (const char* bad : {"", " sent", " sent; stage=postq; directive=\"scan\"", " sent; stage=postq; id=ID", " stage=postq; directive=scan; id=ID", " sent; stage=; directive=scan; id=ID",
                          " sent; stage=postq; directive=\"scan; id=\"ID", " sent, stage=postq, directive=scan, id=ID"}) {
    CAPTURE(bad);
    CHECK(!DelegationMark::parse(bad));
  }
}

TEST_CASE("delegation: the field stands in front, and no other of its name goes out") {
  CHECK(sent("From: a\r\n\r\nbody\r\n") == kField + "From: a\r\n\r\nbody\r\n");
  CHECK(sent("From: a\r\nx-vsmtp-delegation: sent; id=x\r\n more\r\n\tand more\r\nTo: b\r\nX-VSMTP-DELEGATION : y\r\n\r\nX-VSMTP-DELEGATION: body\r\n") ==
        kField + "From: a\r\nTo: b\r\n\r\nX-VSMTP-DELEGATION: body\r\n");
  CHECK(sent("X-VSMTP-DELEGATION: 1\r\nX-VSMTP-DELEGATION: 2\r\n") == kField);
  CHECK(sent("X-VSMTP-DELEGATION: 1\r\nA: b") == kField + "A: b");
  CHECK(sent("X-VSMTP-DELEGATIONS: 1\r\n\r\n") == kField + "X-VSMTP-DELEGATIONS: 1\r\n\r\n");
  CHECK(sent("A: 1\nX-VSMTP-DELEGATION: 1\n 2\nB: 1\n\nbody") == kField + "A: 1\nB: 1\n\nbody");
  CHECK(sent("") == kField);
  CHECK(sent(" ; id=other\r\n\r\nbody") == kField + "\r\n ; id=other\r\n\r\nbody");
}

TEST_CASE("delegation: in a context, and what that becomes when the message is back") {
  Delegation waiting;
  waiting.stage = "postq";
  waiting.directive = "scan \"me\"";
  waiting.service = "av";
  waiting.address = "127.0.0.1:10026";
  waiting.protocol = "smtp";
  waiting.receiver = "127.0.0.1:10025";
  waiting.timeout_seconds = 15;
  std::string context = R"({"stage":"x","queue":"delegated","delegation":)";
  append_delegation(context, waiting);
  context += '}';
  CHECK(chain::delegation_in(context) == waiting);

  const std::string back = chain::context_when_back(context);
  CHECK(back.starts_with(R"({"stage":"x","delegation":{"state":"back",)"));
  waiting.state = State::Back;
  CHECK(chain::delegation_in(back) == waiting);

  for (const char* none : {"", "{}", "[]", "\"delegation\"", R"({"delegation":1})", R"({"delegation":{}})", R"({"delegation":{"state":"gone","stage":"postq","directive":"x"}})",
                           R"({"delegation":{"state":"back","stage":"postq"}})", R"({"delegation":{"state":"back","stage":1,"directive":"x"}})"})
    CHECK(!chain::delegation_in(none));
}

TEST_CASE("delegation: only the message that waits so comes back") {
  const Delegation waiting{State::Waiting, "postq", "scan", "av", "127.0.0.1:10026", "smtp", "127.0.0.1:10025", 60, {}};
  const Delegation returned{State::Returned, "postq", "scan", {}, {}, {}, "127.0.0.1:10025", 60, "ID"};
  CHECK(chain::check_return(waiting, returned));
  const auto why = [](const Delegation& is_waiting, const Delegation& comes) {
    const auto checked = chain::check_return(is_waiting, comes);
    REQUIRE(!checked);
    CHECK(checked.error().fault == base::Fault::Permanent);
    return checked.error().cause;
  };
  auto other = returned;
  other.stage = "delivery";
  CHECK(why(waiting, other) == "500 Delegation stage not matching");
  other = returned;
  other.directive = "scan2";
  CHECK(why(waiting, other) == "500 Delegation directive not found");
  other = returned;
  other.receiver = "127.0.0.1:25";
  CHECK(why(waiting, other) == "500 Delegation failed to get old context");
  auto back = waiting;
  back.state = State::Back;
  CHECK(why(back, returned) == "500 Delegation failed to get old context");
}

TEST_CASE("delegation: HOST of the delivery call") {
  const auto host = [](const char* address, const char* protocol) {
    Delegation delegation;
    delegation.address = address;
    delegation.protocol = protocol;
    return chain::delivery_host(delegation);
  };
  CHECK(host("127.0.0.1:10026", "smtp") == "smtp://127.0.0.1:10026?tls=none");
  CHECK(host("scanner.test:26", "smtp") == "smtp://scanner.test:26?tls=none");
  CHECK(host("[::1]:10026", "smtp") == "smtp://[::1]:10026?tls=none");
  CHECK(host("127.0.0.1:10024", "lmtp") == "smtp://127.0.0.1:10024?tls=none");
  CHECK(host("unix:/run/amavis.sock", "lmtp") == "unix:/run/amavis.sock");
}
