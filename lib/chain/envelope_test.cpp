#include "lib/chain/envelope.h"

#include <doctest/doctest.h>

using namespace std::string_view_literals;

TEST_CASE("chain: an envelope is written as qmail-queue(8) says and read back") {
  const mail::Envelope envelope{"a@example.org", {"b@example.net", "\"c d\"@example.com"}};
  const auto octets = chain::to_octets(envelope);
  CHECK(octets == "Fa@example.org\0Tb@example.net\0T\"c d\"@example.com\0\0"sv);
  const auto read = chain::parse_envelope(octets);
  REQUIRE(read);
  CHECK(read->reverse_path == envelope.reverse_path);
  CHECK(read->recipients == envelope.recipients);
  CHECK(chain::parse_envelope("F\0\0"sv)->recipients.empty());
  CHECK(chain::parse_envelope("F\0T\0\0"sv)->recipients == std::vector<std::string>{""});
}

TEST_CASE("chain: what is not an envelope is refused") {
  for (const auto bad : {""sv, "\0"sv, //
                         "F"sv, "Fa"sv, "Fa\0"sv, "Fa\0Tb"sv, "Fa\0Tb\0"sv, "Ta\0\0"sv, "Fa\0Fb\0\0"sv, "Fa\0Tb\0\0x"sv, "fa\0Tb\0\0"sv}) {
    CAPTURE(bad);
    const auto read = chain::parse_envelope(bad);
    REQUIRE_FALSE(read);
    CHECK(read.error().fault == base::Fault::Permanent);
  }
}
