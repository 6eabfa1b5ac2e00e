#include "queue-run/wishes.h"

#include <doctest/doctest.h>

using namespace run;
using namespace std::chrono_literals;

TEST_CASE("wishes: what rules asked of the queue") {
  const RetryPolicy standard{5min, 4h, 120h};
  struct Row {
    const char* context;
    std::chrono::milliseconds least, most, lifetime;
    bool is_bulk;
  };
  for (const Row& row : {
           Row{"{}", 5min, 4h, 120h, false},
           {"", 5min, 4h, 120h, false},
           {R"({"retry_after":60})", 1min, 1min, 120h, false},
           {R"({"retry_after":0})", 5min, 4h, 120h, false},
           {R"({"retry_after":2592001})", 5min, 4h, 120h, false},
           {R"({"retry_after":"60"})", 5min, 4h, 120h, false},
           {R"({"expire":3600})", 5min, 4h, 1h, false},
           {R"({"expire":0})", 5min, 4h, 0h, false},
           {R"({"expire":2592000})", 5min, 4h, 120h, false},  // the operator's limit stands
           {R"({"expire":-1})", 5min, 4h, 120h, false},
           {R"({"priority":-1})", 5min, 4h, 120h, true},
           {R"({"priority":1,"expire":60,"retry_after":7})", 7s, 7s, 60s, false},
           {R"({"variables":{"priority":-1}})", 5min, 4h, 120h, false},
           {R"("priority":-1)", 5min, 4h, 120h, false},
       }) {
    CAPTURE(std::string(row.context));
    const auto wishes = wishes_of(row.context, standard);
    CHECK(wishes.retry.least == row.least);
    CHECK(wishes.retry.most == row.most);
    CHECK(wishes.retry.lifetime == row.lifetime);
    CHECK(wishes.is_bulk == row.is_bulk);
  }
}
