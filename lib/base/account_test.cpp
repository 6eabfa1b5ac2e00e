#include "lib/base/account.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>

#include "lib/base/io.h"

using base::find_account;

namespace {
struct TestFile {
  std::string path = "/tmp/vsmtp-account.XXXXXX";
  explicit TestFile(std::string_view octets) {
    const base::UniqueFd fd(::mkstemp(path.data()));
    REQUIRE(base::write_all(fd.get(), octets));
  }
  TestFile(const TestFile&) = delete;
  TestFile& operator=(const TestFile&) = delete;
  ~TestFile() { ::unlink(path.c_str()); }
};
}  // namespace

TEST_CASE("users and groups are found by name and by number") {
  const TestFile passwd("root:x:0:0:root:/root:/bin/sh\nvmail:x:150:151::/srv/mail:/bin/false\nbroken:x\nodd:x:abc:1::/:/bin/sh\n");
  const TestFile groups("root:x:0:\nmail:x:8:joe\n");
  struct Case {
    std::string_view user;
    std::optional<std::string_view> group;
    uid_t uid;
    gid_t gid;
  };
  const Case cases[] = {
      {"root", std::nullopt, 0, 0}, {"vmail", std::nullopt, 150, 151}, {"150", std::nullopt, 150, 151},
      {"vmail", "mail", 150, 8},    {"vmail", "77", 150, 77},          {"999", "mail", 999, 8},
  };
  for (const auto& c : cases) {
    CAPTURE(c.user);
    const auto account = find_account(c.user, c.group, passwd.path, groups.path);
    REQUIRE(account);
    CHECK(account->user == c.uid);
    CHECK(account->group == c.gid);
  }
  for (const auto* unknown : {"nobody-here", "999", "broken", "odd", "", "-1", "4294967296"}) {
    CAPTURE(unknown);
    const auto account = find_account(unknown, std::nullopt, passwd.path, groups.path);
    REQUIRE_FALSE(account);
    CHECK(account.error().fault == base::Fault::Usage);
  }
  CHECK_FALSE(find_account("vmail", "no-such-group", passwd.path, groups.path));
}
