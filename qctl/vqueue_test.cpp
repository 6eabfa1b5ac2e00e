#include "qctl/vqueue.h"

#include <doctest/doctest.h>

using Words = std::vector<std::string>;
using qctl::from_vqueue;

TEST_CASE("qctl: the spellings of vqueue") {
  CHECK(from_vqueue({"show", "dead", "deferred"}) == Words{"status", "dead", "deferred"});
  CHECK(from_vqueue({"msg", "X", "show"}) == Words{"context", "X"});
  CHECK(from_vqueue({"msg", "X", "show", "json"}) == Words{"context", "X"});
  CHECK(from_vqueue({"msg", "X", "show", "eml"}) == Words{"cat", "X"});
  CHECK(from_vqueue({"msg", "X", "move", "hold"}) == Words{"move", "X", "hold"});
  CHECK(from_vqueue({"msg", "X", "remove"}) == Words{"remove", "X"});
  for (const auto& words : {Words{}, Words{"show"}, Words{"show", "0H8ZK4TQ2N7"}, Words{"show", "dead", "0H8ZK4TQ2N7"}, Words{"msg", "X", "burn"}, Words{"msg", "X", "show", "xml"},
                            Words{"msg", "X"}, Words{"list", "dead"}})
    CHECK(from_vqueue(words) == words);
}
