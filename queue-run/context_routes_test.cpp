#include "queue-run/context_routes.h"

#include <doctest/doctest.h>

using run::ruled_routes;
using What = run::RuledRoute::What;

TEST_CASE("context: recipients that do not go by the routes") {
  const auto routes = ruled_routes(R"({"envelop":{"helo":"h","rcpt":[
    {"address":"none@x","transfer_method":"None"}, {"address":"maildir@x","transfer_method":"Maildir"}, {"address":"mbox@x","transfer_method":"Mbox"},
    {"address":"ip@x","transfer_method":{"Forward":{"Ip":"192.0.2.1"}}}, {"address":"domain@x","transfer_method":{"Forward":{"Domain":"mx.example.org"}}},
    {"address":"socket@x","transfer_method":{"Forward":{"Socket":"[2001:db8::5]:2525"}}}, {"address":"short@x","transfer_method":{"Forward":"192.0.2.1:26"}},
    {"address":"url@x","transfer_method":{"Forward":{"Url":"smtp://192.0.2.1:587"}}}, {"address":"tls@x","transfer_method":{"Forward":{"Url":"smtps://u:secret@example.org"}}},
    {"address":"bad@x","transfer_method":{"Forward":{"Ip":"--config=evil"}}}, {"address":"odd@x","transfer_method":"Pigeon"},
    {"address":"deliver@x","transfer_method":"Deliver"}, {"address":"silent@x"}, {"address":7,"transfer_method":"None"}]}})");
  REQUIRE(routes.size() == 11);
  CHECK(routes.at("none@x").what == What::Nothing);
  CHECK(routes.at("maildir@x").what == What::Local);
  CHECK(routes.at("ip@x").host == "[192.0.2.1]");
  CHECK(routes.at("domain@x").host == "[mx.example.org]");
  CHECK(routes.at("socket@x").host == "[IPv6:2001:db8::5]:2525");
  CHECK(routes.at("short@x").host == "[192.0.2.1]:26");
  CHECK(routes.at("url@x").host == "[192.0.2.1]:587");
  CHECK(routes.at("tls@x").host == "smtps://u@example.org");
  CHECK(routes.at("tls@x").password == "secret");
  for (const auto* forward : {"tls@x", "ip@x", "domain@x", "socket@x", "short@x", "url@x"}) CHECK(routes.at(forward).what == What::Forward);
  CHECK(routes.at("mbox@x").what == What::Named);
  CHECK(routes.at("mbox@x").transport == "mbox");
  for (const auto* waits : {"bad@x", "odd@x"}) {
    CAPTURE(waits);
    CHECK(routes.at(waits).what == What::Waits);
    CHECK(routes.at(waits).reason.starts_with("451 4.3.5 "));
    CHECK_FALSE(routes.at(waits).reason.contains("secret"));
  }
}

TEST_CASE("context: a message that was released from a quarantine is delivered") {
  const auto routes = ruled_routes(R"({"quarantine":"virus/zip","envelop":{"rcpt":[{"address":"none@x","transfer_method":"None"},{"address":"maildir@x","transfer_method":"Maildir"}]}})");
  CHECK(routes.size() == 1);
  CHECK(routes.at("maildir@x").what == What::Local);
}

TEST_CASE("context: recipients whose mail goes on to others") {
  const auto routes = run::ruled_routes(R"({"envelop":{"rcpt":[{"address":"a@x.test","transfer_method":{"Expanded":"alias"}},{"address":"l@x.test","transfer_method":{"Expanded":"list"}}]}})");
  CHECK(routes.at("a@x.test").what == run::RuledRoute::What::Alias);
  CHECK(routes.at("l@x.test").what == run::RuledRoute::What::List);
}

TEST_CASE("context: what is not of that form says nothing") {
  for (const auto* context :
       {"", "{}", "nonsense \"transfer_method\"", R"({"transfer_method":"None"})", R"({"envelop":{"rcpt":{"transfer_method":"None"}}})", R"({"envelop":[{"transfer_method":"None"}]})",
        R"({"envelop":{"rcpt":["transfer_method",{"transfer_method":"None","address":7}]}})", R"({"envelop":{"rcpt":[{"address":"a@x","transfer_method":"Deliver"}]}})",
        R"({"envelop":{"rcpt":[{"address":"a@x","transfer_method": "Deliver"}]}})"}) {
    CAPTURE(context);
    CHECK(ruled_routes(context).empty());
  }
}

TEST_CASE("context: transports by name, commands and files") {
  const auto routes = ruled_routes(R"({"envelop":{"rcpt":[{"address":"a@x","transfer_method":{"Pipe":"vacation joe"}},{"address":"b@x","transfer_method":{"File":"/var/mail/b"}},
    {"address":"c@x","transfer_method":{"Lmtp":"unix:/run/lmtp"}},{"address":"d@x","transfer_method":{"Program":"lists"}},
    {"address":"e@x","transfer_method":{"File":"relative"}},{"address":"f@x","transfer_method":{"Lmtp":"--config=x"}},{"address":"g@x","transfer_method":{"Pipe":""}}]}})");
  CHECK(routes.at("a@x").transport == "pipe");
  CHECK(routes.at("a@x").host == "|vacation joe");
  CHECK(routes.at("b@x").transport == "mbox");
  CHECK(routes.at("b@x").host == "/var/mail/b");
  CHECK(routes.at("c@x").transport == "lmtp");
  CHECK(routes.at("c@x").host == "unix:/run/lmtp");
  CHECK(routes.at("d@x").transport == "lists");
  CHECK(routes.at("d@x").host.empty());
  for (const auto* waits : {"e@x", "f@x", "g@x"}) CHECK(routes.at(waits).what == What::Waits);
}
