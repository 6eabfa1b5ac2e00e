#include "vsl-filter/services/sqlite_database.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <limits>
#include <thread>

using namespace rules;
using namespace std::chrono_literals;

namespace {

struct Folder {
  std::string path = "/tmp/sqlite_test.XXXXXX";
  std::string file;
  Folder() {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    file = path + "/db.sqlite";
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

using Values = std::vector<SqlValue>;

std::string problem(SqliteDatabase& db, std::string_view sql, const Values& parameters = {}) {
  const auto result = db.query(sql, parameters);
  return result ? "" : result.error().cause;
}

constexpr std::string_view kEndless = "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c";

}  // namespace

TEST_CASE("sqlite: values of all types, both ways") {
  const Folder folder;
  SqliteDatabase db({.path = folder.file});
  REQUIRE(db.load());
  REQUIRE(db.query("CREATE TABLE t(a, b, c, d, e)"));
  const Values values{std::int64_t{-5}, 2.5, std::string("it's; \"x\" --\0 end", 17), SqlBlob{std::string("\0\xFF", 2)}, std::monostate{}};
  REQUIRE(db.query("INSERT INTO t VALUES(?,?,?,?,?)", values));
  const auto found = db.query("SELECT *, typeof(c) AS kind FROM t WHERE a = ?", Values{std::int64_t{-5}});
  REQUIRE(found);
  CHECK(found->columns == std::vector<std::string>{"a", "b", "c", "d", "e", "kind"});
  REQUIRE(found->rows.size() == 1);
  CHECK(Values(found->rows[0].begin(), found->rows[0].begin() + 5) == values);
  CHECK(found->rows[0][5] == SqlValue("text"));
  REQUIRE(db.query("INSERT INTO t(a, c, d) VALUES(?, ?, ?)", Values{std::numeric_limits<std::int64_t>::min(), "", SqlBlob{}}));
  const auto edges = db.query("SELECT a, c, d FROM t ORDER BY a LIMIT 1");
  REQUIRE(edges);
  CHECK(edges->rows.at(0) == Values{std::numeric_limits<std::int64_t>::min(), "", SqlBlob{}});
  CHECK(db.query("SELECT * FROM t WHERE a = 77")->rows.empty());
}

TEST_CASE("sqlite: what is wrong with a query is told") {
  const Folder folder;
  SqliteDatabase db({.path = folder.file});
  CHECK(problem(db, "SELECT x FROM t") == "no such table: t");
  CHECK(problem(db, "SELEKT") == "near \"SELEKT\": syntax error");
  CHECK(problem(db, " ; ") == "no statement in ' ; '");
  CHECK(problem(db, "SELECT 1; DROP TABLE t") == "more than one statement: ' DROP TABLE t'");
  CHECK(problem(db, "SELECT 1; ") == "");
  CHECK(problem(db, "SELECT ?") == "0 parameters for 1 place-holders");
  CHECK(problem(db, "SELECT 1", {"x"}) == "1 parameters for 0 place-holders");
  CHECK(problem(db, "ATTACH '" + folder.path + "/other' AS o") == "too many attached databases - max 0");
  REQUIRE(db.query("CREATE TABLE t(k PRIMARY KEY)"));
  REQUIRE(db.query("INSERT INTO t VALUES(1)"));
  CHECK(problem(db, "INSERT INTO t VALUES(1)") == "UNIQUE constraint failed: t.k");
  CHECK(db.query("SELECT * FROM t")->rows.size() == 1);  // goes on
}

TEST_CASE("sqlite: the number of rows has a limit") {
  const Folder folder;
  SqliteDatabase db({.path = folder.file, .rows_max = 3});
  REQUIRE(db.query("CREATE TABLE t(k)"));
  for (std::int64_t i = 0; i < 2; ++i) REQUIRE(db.query("INSERT INTO t VALUES(?)", Values{i}));
  CHECK(db.query("SELECT k FROM t")->rows.size() == 2);
  REQUIRE(db.query("INSERT INTO t VALUES(?)", Values{std::int64_t{3}}));
  CHECK(db.query("SELECT k FROM t")->rows.size() == 3);
  REQUIRE(db.query("INSERT INTO t VALUES(?)", Values{std::int64_t{4}}));
  CHECK(problem(db, "SELECT k FROM t") == "more than 3 rows");
}

TEST_CASE("sqlite: path and access") {
  const Folder folder;
  SqliteDatabase nowhere({.path = folder.path + "/none/db"}), missing({.path = folder.file, .is_read_only = true});
  CHECK(nowhere.load().error().cause == "unable to open database file");
  CHECK(missing.load().error().cause == "unable to open database file");
  SqliteDatabase db({.path = folder.file});
  REQUIRE(db.query("CREATE TABLE t(k)"));
  SqliteDatabase reader({.path = folder.file, .is_read_only = true});
  REQUIRE(reader.load());
  CHECK(problem(reader, "INSERT INTO t VALUES(1)") == "attempt to write a readonly database");
  SqliteDatabase other({.path = "/etc/passwd", .is_read_only = true});
  CHECK(other.load().error().cause == "file is not a database");
}

TEST_CASE("sqlite: time limits of statements, locks and connections") {
  const Folder folder;
  SqliteDatabase db({.path = folder.file, .timeout = 150ms, .connections = 1});
  CHECK(problem(db, kEndless) == "it takes longer than its time limit");
  REQUIRE(db.query("CREATE TABLE t(k)"));

  SqliteDatabase slow({.path = folder.file, .timeout = 2s, .connections = 1});
  std::jthread holder([&] { (void)slow.query("WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x+1 FROM c) INSERT INTO t SELECT x FROM c WHERE x < 0"); });
  bool was_locked = false;
  const auto patience = std::chrono::steady_clock::now() + 10s;
  while (!was_locked && std::chrono::steady_clock::now() < patience) {
    const std::string told = problem(db, "INSERT INTO t VALUES(1)");
    was_locked = told == "database is locked";
    if (!was_locked && !told.empty()) FAIL(told);
    ::usleep(50'000);  // SQLite's locks are not fair: let the other one have it
  }
  CHECK(was_locked);
  holder.join();
  CHECK(problem(db, "INSERT INTO t VALUES(1)") == "");  // lets go when its time was over

  // One runs until its time is over, the other one waits for the connection as long.
  const auto start = std::chrono::steady_clock::now();
  std::jthread user([&] { (void)db.query(kEndless); });
  CHECK_FALSE(db.query(kEndless));
  user.join();
  CHECK(std::chrono::steady_clock::now() - start < 2s);
  CHECK(problem(db, "SELECT k FROM t") == "");
}

TEST_CASE("sqlite: a transaction that was begun and not ended is rolled back") {
  const Folder folder;
  SqliteDatabase db({.path = folder.file, .connections = 1});
  REQUIRE(db.query("CREATE TABLE t(k)"));
  REQUIRE(db.query("BEGIN"));
  REQUIRE(db.query("INSERT INTO t VALUES(1)"));  // in no transaction any more
  CHECK(problem(db, "COMMIT") == "cannot commit - no transaction is active");
  CHECK(db.query("SELECT * FROM t")->rows.size() == 1);
}

TEST_CASE("sqlite: threads and processes write at once") {
  const Folder folder;
  SqliteDatabase db({.path = folder.file});
  REQUIRE(db.query("CREATE TABLE t(k PRIMARY KEY, n)"));
  const auto work = [&] {
    for (int i = 0; i < 10; ++i)
      if (!db.query("INSERT INTO t VALUES('k', 1) ON CONFLICT(k) DO UPDATE SET n = n + 1")) return false;
    return true;
  };
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(work() ? 0 : 1);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) threads.emplace_back(work);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(db.query("SELECT n FROM t")->rows.at(0) == Values{std::int64_t{70}});
}
