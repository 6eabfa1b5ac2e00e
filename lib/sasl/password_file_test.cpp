#include "lib/sasl/password_file.h"

#include <doctest/doctest.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>

#include "lib/sasl/cram_md5.h"
#include "lib/sasl/crypto.h"

using sasl::PasswordTable;
using sasl::StoredPassword;

namespace {

struct File {
  std::string path = "/tmp/vsmtp-passwords.XXXXXX";
  File() {
    const int fd = ::mkstemp(path.data());
    REQUIRE(fd >= 0);
    ::close(fd);
  }
  ~File() { std::remove(path.c_str()); }
  File(const File&) = delete;
  void write(const std::string& text) const { std::ofstream(path) << text; }
};

}  // namespace

TEST_CASE("stored passwords: every form says yes to its password and no to others") {
  const std::string forms[] = {
      "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1",
      StoredPassword::hashed("secret").value(),
      StoredPassword::for_scram("secret", 16),
      "{PLAIN}secret",
      "{CRYPT}" + StoredPassword::hashed("secret").value(),
  };
  for (const auto& text : forms) {
    CAPTURE(text);
    const auto stored = StoredPassword::parse(text);
    REQUIRE(stored);
    CHECK(stored->is("secret"));
    CHECK_FALSE(stored->is("Secret"));
    CHECK_FALSE(stored->is(""));
  }
  const auto plain = StoredPassword::parse("{PLAIN}se:cret").value();
  CHECK(plain.is_digest(sasl::to_hex(sasl::hmac_md5("se:cret", "<x@y>")), "<x@y>"));
  CHECK(plain.scram_keys()->are_of("se:cret"));
  CHECK_FALSE(StoredPassword::parse(forms[1])->scram_keys());
  CHECK_FALSE(StoredPassword::parse(forms[2])->is_digest(sasl::to_hex(sasl::hmac_md5("secret", "<x@y>")), "<x@y>"));
}

TEST_CASE("stored passwords: what PostgreSQL, Dovecot, glibc and libsodium write") {
  // SELECT rolpassword FROM pg_authid, doveadm pw -s SCRAM-SHA-256, openssl passwd -6, crypto_pwhash_str()
  const auto keys = sasl::ScramKeys::of("pencil", "0123456789abcdef", 4096);
  const auto text = keys.text();
  CHECK(StoredPassword::parse("{SCRAM-SHA-256}" + text)->is("pencil"));
  const auto comma = [&](std::size_t n) {
    std::size_t at = 0;
    while (n-- > 0) at = text.find(',', at) + 1;
    return at;
  };
  const auto field = [&](std::size_t n) { return text.substr(comma(n), n == 3 ? std::string::npos : comma(n + 1) - comma(n) - 1); };
  CHECK(StoredPassword::parse("SCRAM-SHA-256$" + field(0) + ":" + field(1) + "$" + field(2) + ":" + field(3))->is("pencil"));
}

TEST_CASE("stored passwords: argon2id, as libsodium writes it") {
  REQUIRE(::sodium_init() >= 0);
  std::array<char, crypto_pwhash_STRBYTES> hash{};
  REQUIRE(::crypto_pwhash_str_alg(hash.data(), "secret", 6, crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN, crypto_pwhash_ALG_ARGON2ID13) == 0);
  for (const std::string front : {"", "{ARGON2ID}"}) {
    const auto stored = StoredPassword::parse(front + hash.data());
    REQUIRE(stored);
    CHECK(stored->is("secret"));
    CHECK_FALSE(stored->is("secrets"));
  }
}

TEST_CASE("stored passwords: forms of yesterday, and none, are errors that do not quote them") {
  for (const auto* text : {"", "secret", "abJnggxhB/yWI", "$1$saltsalt$2vnaRpHa6Jxjz5n83ok8Z0", "{PLAIN}", "{MD5}x", "$y$", "$9$x", "*", "!", "{SCRAM-SHA-256}4096,x,y,z", "SCRAM-SHA-256$4096:", "$argon2id$v=19$secret"}) {
    const auto stored = StoredPassword::parse(text);
    CHECK_MESSAGE(!stored, text);
    if (!stored) CHECK(stored.error().cause.find("secret") == std::string::npos);
  }
}

TEST_CASE("a table of passwords: users, comments, mistakes") {
  const auto table = PasswordTable::parse("# users\n\nann:{PLAIN}secret\r\nbo b:{PLAIN}x:y\n", "users");
  REQUIRE(table);
  CHECK(table->size() == 2);
  CHECK(table->is_password("ann", "secret"));
  CHECK_FALSE(table->is_password("ann", "x:y"));
  CHECK(table->is_password("bo b", "x:y"));
  CHECK_FALSE(table->is_password("nobody", "secret"));
  CHECK_FALSE(table->scram_keys("nobody"));
  const auto bad = PasswordTable::parse("ann:{PLAIN}a\nsecretword\n:{PLAIN}b\nbob:secretword\nann:{PLAIN}c\n", "users");
  REQUIRE_FALSE(bad);
  for (const auto* part : {"users:2: no user", "users:3: no user", "users:4: bob: no hash", "users:5: ann is there twice"}) CHECK_MESSAGE(bad.error().cause.find(part) != std::string::npos, part);
  CHECK(bad.error().cause.find("secretword") == std::string::npos);
}

TEST_CASE("a file of passwords is read again when it has changed, and only if nobody else can read it") {
  const File file;
  sasl::PasswordFile passwords(file.path);
  file.write("ann:{PLAIN}secret\n");
  REQUIRE(passwords.table());
  CHECK((*passwords.table())->is_password("ann", "secret"));
  CHECK(*passwords.table() == *passwords.table());
  file.write("ann:{PLAIN}another\n");
  CHECK((*passwords.table())->is_password("ann", "another"));
  ::chmod(file.path.c_str(), 0604);
  REQUIRE_FALSE(passwords.table());
  CHECK(passwords.table().error().cause.find("chmod o= " + file.path) != std::string::npos);
  ::chmod(file.path.c_str(), 0640);
  CHECK(passwords.table());
  file.write("ann\n");
  CHECK_FALSE(passwords.table());
  CHECK_FALSE(sasl::PasswordFile("/nonexistent/users").table());
}
