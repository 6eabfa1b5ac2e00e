#include "queue-run/context_routes.h"

#include <doctest/doctest.h>

using run::undelivered_recipients;

TEST_CASE("context: recipients whose transfer method is None") {
  const auto addresses = undelivered_recipients(
      R"({"envelop":{"helo":"h","rcpt":[{"address":"a@x","transfer_method":"None"},{"address":"b@x","transfer_method":"Maildir"},
          {"address":"c@x","transfer_method":{"Forward":{"Ip":"192.0.2.1"}}},{"address":"d@x"}]}})");
  CHECK(addresses == std::unordered_set<std::string>{"a@x"});
}

TEST_CASE("context: what is not of that form says nothing") {
  for (const auto* context : {"", "{}", "nonsense \"transfer_method\"", R"({"transfer_method":"None"})", R"({"envelop":{"rcpt":{"transfer_method":"None"}}})",
                              R"({"envelop":[{"transfer_method":"None"}]})", R"({"envelop":{"rcpt":["transfer_method",{"transfer_method":"None","address":7}]}})"}) {
    CAPTURE(context);
    CHECK(undelivered_recipients(context).empty());
  }
}
