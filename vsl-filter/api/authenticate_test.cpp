// authenticate(): a program of the checkpassword interface decides, and one that cannot tell refuses nobody for good.
#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "vsl-filter/stages/testing.h"

using namespace rules;

namespace {

class Program {
 public:
  explicit Program(const std::string& script) {
    REQUIRE(::mkdtemp(folder_.data()) != nullptr);
    std::ofstream(path()) << "#!/bin/sh\n" << script;
    std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
  }
  ~Program() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  [[nodiscard]] std::string path() const { return folder_ + "/check"; }

 private:
  std::string folder_ = "/tmp/vsmtp-check-password.XXXXXX";
};

std::string answer(const std::string& program, const Credentials& credentials, std::vector<std::string>* log = nullptr, const std::string& timeout = "10s") {
  Session session = testing::session(Stage::Helo);
  session.connection.credentials = credentials;
  const auto rules = testing::load("#{ authenticate: [ rule \"users\" || authenticate() ] }",
                                   testing::site(log, {{"auth.check_password", program}, {"auth.check_password_timeout", timeout}}));
  return testing::run(*rules, session, Stage::Authenticate);
}

Credentials login(std::string id, std::string password) { return {Credentials::Kind::Verify, std::move(id), std::move(password)}; }

constexpr const char* kUsers = R"(given=$(tr '\0' '|' <&3)
[ "$given" = 'ann|pa ss|wörd||' ] || [ "$given" = 'ann|secret||' ] || exit 1
)";

}  // namespace

TEST_CASE("authenticate: name and password on descriptor 3, the exit code says it") {
  const Program users(kUsers);
  CHECK(answer(users.path(), login("ann", "secret")) == "accept 235 2.7.0 Authentication succeeded");
  CHECK(answer(users.path(), login("ann", "Secret")) == "deny 535 5.7.8 Authentication credentials invalid");
  CHECK(answer(users.path(), login("", "")) == "deny 535 5.7.8 Authentication credentials invalid");
  CHECK(answer(users.path(), login(std::string("ann\0secret", 10), "")) == "deny 535 5.7.8 Authentication credentials invalid");
  const Program any("exit 0\n");
  CHECK(answer(any.path(), login("ann", std::string(506, 'x'))).starts_with("accept"));  // 512 octets
  CHECK(answer(any.path(), login("ann", std::string(507, 'x'))).starts_with("deny"));
  // The password is nowhere a neighbour could see it.
  const Program visible("case \"$* $(env) $(cat)\" in *secret*) exit 0;; esac; exit 1\n");
  CHECK(answer(visible.path(), login("ann", "secret")).starts_with("deny"));
}

TEST_CASE("authenticate: a program that cannot tell") {
  std::vector<std::string> log;
  const std::string expected = "info 454 4.7.0 Temporary authentication failure";
  const Program broken("echo no directory >&2; exit 111\n");
  CHECK(answer(broken.path(), login("ann", "secret"), &log) == expected);
  REQUIRE_FALSE(log.empty());
  CHECK(log.front() == "error authenticate: " + broken.path() + ": exit code 111: no directory");
  const Program slow("sleep 60\n");
  CHECK(answer(slow.path(), login("ann", "secret"), &log, "100ms") == expected);
  CHECK(answer("/nonexistent/check", login("ann", "secret"), &log) == expected);
  for (const auto& line : log) CHECK(line.find("secret") == std::string::npos);
}

TEST_CASE("authenticate: without a program, or without a password, the rule fails") {
  std::vector<std::string> log;
  CHECK(answer("", login("ann", "secret"), &log).starts_with("deny"));
  REQUIRE_FALSE(log.empty());
  CHECK(log.front().find("authenticate() needs a program that checks passwords: check_password in section [auth] of the configuration") != std::string::npos);
  log.clear();
  CHECK(answer("/bin/true", {Credentials::Kind::AnonymousToken, "me", ""}, &log).starts_with("deny"));
  REQUIRE_FALSE(log.empty());
  CHECK(log.front().find("no `authpass` available in credentials of this type") != std::string::npos);
}
