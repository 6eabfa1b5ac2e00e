#include "vsl-filter/modes/receivers.h"

#include <doctest/doctest.h>

#include "vsl-filter/stages/testing.h"

using namespace rules;

namespace {

std::vector<Receiver> receivers(const std::string& text) {
  const auto loaded = testing::load(text);
  REQUIRE_MESSAGE(loaded->is_usable(), testing::mistakes(*loaded));
  return receivers_of(*loaded);
}

}  // namespace

TEST_CASE("receivers: of services that a directive delegates to, each address once, with all who may come there") {
  CHECK(receivers("#{}").empty());
  CHECK(receivers(R"(service unused smtp = #{ delegator: #{ address: "127.0.0.1:10026" }, receiver: "127.0.0.1:10025" }; #{})").empty());
  const auto found = receivers(R"(
      service spam smtp = #{ delegator: #{ address: "127.0.0.1:10026" }, receiver: "127.0.0.1:10025" };
      service virus smtp = #{ delegator: #{ address: "192.0.2.7:10026" }, receiver: "192.0.2.1:10025" };
      service other smtp = #{ delegator: #{ address: "192.0.2.8:10026" }, receiver: "192.0.2.1:10025" };
      #{ postq: [ delegate virus "virus" || next(), delegate spam "spam" || next() ],
         delivery: [ delegate other "other" || next(), delegate virus "once more" || next() ] })");
  CHECK(found == std::vector<Receiver>{{"127.0.0.1:10025", {"127.0.0.0/8", "::1"}}, {"192.0.2.1:10025", {"192.0.2.7", "192.0.2.8"}}});
}
