#include "qctl/output.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

TEST_CASE("qctl output: a bar fits its columns") {
  CHECK(qctl::progress_text("moving", 10, 20, 80) == "moving [####################--------------------]  50% 10/20");
  CHECK(qctl::progress_text("found", 7, 0, 80) == "found 7");
  CHECK(qctl::progress_text("moving", 1000, 1000, 40).size() == 39);
  CHECK(qctl::progress_text("moving", 1000, 1000, 5) == "moving [] 100% 1000/1000");
}

TEST_CASE("qctl output: a reader that went away is EPIPE, and nothing is written after it") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  auto* before = ::signal(SIGPIPE, SIG_IGN);
  qctl::Output output(ends[1]);
  output.put("line\n");
  const auto flushed = output.flush();
  REQUIRE_FALSE(flushed.has_value());
  CHECK(flushed.error().error_number == EPIPE);
  CHECK(output.has_failed());
  output.put("more\n");
  CHECK(output.flush().error().error_number == EPIPE);
  CHECK(output.styled("x", qctl::Output::Style::Red) == "x");
  ::signal(SIGPIPE, before);
  ::close(ends[1]);
}
