#include "lib/mail/date.h"

#include <doctest/doctest.h>

#include <ctime>
#include <stdlib.h>

using namespace mail;

namespace {
std::string written(long long seconds, Zone zone = Zone::Utc) {
  std::string text;
  append_date_time(text, base::WallTime{std::chrono::seconds(seconds)}, zone);
  return text;
}
}  // namespace

TEST_CASE("date: written as RFC 5322 section 3.3 asks") {
  CHECK(written(0) == "Thu, 01 Jan 1970 00:00:00 +0000");
  CHECK(written(880127706) == "Fri, 21 Nov 1997 15:55:06 +0000");
  CHECK(written(951782400) == "Tue, 29 Feb 2000 00:00:00 +0000");
  CHECK(written(-1) == "Wed, 31 Dec 1969 23:59:59 +0000");
  CHECK(written(4102444799) == "Thu, 31 Dec 2099 23:59:59 +0000");
}

TEST_CASE("date: local time shows its own offset") {
  const char* before = ::getenv("TZ");
  const std::string kept = before != nullptr ? before : "";
  const auto in_zone = [&](const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
    return written(880127706, Zone::Local);
  };
  CHECK(in_zone("NST3:30") == "Fri, 21 Nov 1997 12:25:06 -0330");
  CHECK(in_zone("LINT-14") == "Sat, 22 Nov 1997 05:55:06 +1400");
  CHECK(in_zone("UTC0") == "Fri, 21 Nov 1997 15:55:06 +0000");
  before != nullptr ? ::setenv("TZ", kept.c_str(), 1) : ::unsetenv("TZ");
  ::tzset();
}
