#include "qctl/quarantine_facts.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using qctl::quarantine_facts;

TEST_CASE("qctl quarantine: what the context tells of it") {
  const auto facts = quarantine_facts(
      R"({"quarantine":{"name":"virus/zip","reason":"Eicar","rule":"scan","stage":"postq","time":"2027-01-15T08:00:00.000000Z"}})");
  REQUIRE(facts);
  CHECK(facts->name == "virus/zip");
  CHECK(facts->reason == "Eicar");
  CHECK(facts->rule == "scan");
  CHECK(facts->stage == "postq");
  CHECK(facts->time == base::WallTime(1'800'000'000s));
  CHECK(as_json(*facts) == R"({"name":"virus/zip","reason":"Eicar","rule":"scan","stage":"postq","time":"2027-01-15T08:00:00.000000Z"})");
}

TEST_CASE("qctl quarantine: parts that are missing or of another type are nothing") {
  CHECK(quarantine_facts(R"({"quarantine":"spam"})")->name == "spam");
  CHECK(quarantine_facts(R"({"quarantine":{"name":7,"rule":null,"time":"soon"}})")->name.empty());
  CHECK(as_json(*quarantine_facts(R"({"quarantine":{}})")) == R"({"name":"","reason":"","rule":"","stage":"","time":null})");
  CHECK(quarantine_facts(R"({"quarantine":{"time":{"secs_since_epoch":1800000000,"nanos_since_epoch":0}}})")->time == base::WallTime(1'800'000'000s));
  CHECK_FALSE(quarantine_facts(R"({"quarantine":{"time":{"secs_since_epoch":18446744073709551615}}})")->time);
  CHECK_FALSE(quarantine_facts(R"({"quarantine":{"time":{"secs_since_epoch":-1}}})")->time);
  for (const auto* context : {"{}", "", "[\"quarantine\"]", R"({"quarantine":null})", R"({"quarantine":""})", R"({"a":"\"quarantine\""})", R"({"quarantine")"})
    CHECK_FALSE(quarantine_facts(context));
}
