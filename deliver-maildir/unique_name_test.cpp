#include "deliver-maildir/unique_name.h"

#include <doctest/doctest.h>

#include <set>

TEST_CASE("deliver-maildir: names say time, process, number and host") {
  maildir::UniqueNames names("mail.example.org", 42);
  const base::WallTime when{std::chrono::microseconds(1'700'000'000'000'123)};
  CHECK(names.next(when) == "1700000000.M123P42Q1.mail.example.org");
  CHECK(names.next(when) == "1700000000.M123P42Q2.mail.example.org");
}

TEST_CASE("deliver-maildir: no two names are the same when the clock stands still or goes back") {
  maildir::UniqueNames names("h", 1);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) CHECK(seen.insert(names.next(base::WallTime{std::chrono::seconds(1000 - i / 2)})).second);
}

TEST_CASE("deliver-maildir: a host name cannot end a file name or look like a flag") {
  CHECK(maildir::escape_host("a/b:c,d") == "a\\057b\\072c\\054d");
  CHECK(maildir::escape_host("mail.example.org") == "mail.example.org");
}
