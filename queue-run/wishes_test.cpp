#include "queue-run/wishes.h"

#include <doctest/doctest.h>

using namespace run;
using namespace std::chrono_literals;

TEST_CASE("wishes: what rules asked of the queue") {
  const RetryPolicy standard{5min, 4h, 120h};
  struct Row {
    const char* context;
    std::chrono::milliseconds least, most, lifetime;
    int priority;
  };
  for (const Row& row : {
           Row{"{}", 5min, 4h, 120h, 0},
           {"", 5min, 4h, 120h, 0},
           {R"({"retry_after":60})", 1min, 1min, 120h, 0},
           {R"({"retry_after":0})", 5min, 4h, 120h, 0},
           {R"({"retry_after":2592001})", 5min, 4h, 120h, 0},
           {R"({"retry_after":"60"})", 5min, 4h, 120h, 0},
           {R"({"expire":3600})", 5min, 4h, 1h, 0},
           {R"({"expire":0})", 5min, 4h, 0h, 0},
           {R"({"expire":2592000})", 5min, 4h, 120h, 0},  // the operator's limit stands
           {R"({"expire":-1})", 5min, 4h, 120h, 0},
           {R"({"priority":-1})", 5min, 4h, 120h, -1},
           {R"({"priority":1,"expire":60,"retry_after":7})", 7s, 7s, 60s, 1},
           {R"({"priority":10})", 5min, 4h, 120h, 10},
           {R"({"priority":11})", 5min, 4h, 120h, 10},
           {R"({"priority":-9223372036854775808})", 5min, 4h, 120h, -10},
           {R"({"priority":"5"})", 5min, 4h, 120h, 0},
           {R"({"variables":{"priority":-1}})", 5min, 4h, 120h, 0},
           {R"("priority":-1)", 5min, 4h, 120h, 0},
       }) {
    CAPTURE(std::string(row.context));
    const auto wishes = wishes_of(row.context, standard);
    CHECK(wishes.retry.least == row.least);
    CHECK(wishes.retry.most == row.most);
    CHECK(wishes.retry.lifetime == row.lifetime);
    CHECK(wishes.priority == row.priority);
  }
}

TEST_CASE("wishes: an address for each recipient of a mailing") {
  for (const auto& [context, verp] : {std::pair(R"({"verp":"-="})", "-="), {R"({"verp":"++"})", ""}, {R"({"verp":true})", ""}, {R"({"verp":"x="})", ""}, {"{}", ""}})
    CHECK(run::wishes_of(context, {}).verp == verp);
}
