#include "vsl-filter/services/csv_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "lib/base/io.h"

using namespace rules;
using Fields = std::vector<std::string>;

namespace {

struct Folder {
  std::string path = "/tmp/csv_file_test.XXXXXX";
  std::string file;
  explicit Folder(std::string_view text = "") {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    file = path + "/db.csv";
    write(text);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void write(std::string_view text) const { std::ofstream(file) << text; }
  [[nodiscard]] std::string text() const { return *base::read_file(file, 1 << 24); }
};

// Errors as text, so that they can be compared.
std::string got(CsvFile& db, std::string_view key) {
  const auto fields = db.get(key);
  if (!fields) return "error: " + fields.error().cause;
  std::string text;
  for (const auto& field : *fields) text += "[" + field + "]";
  return text;
}

}  // namespace

TEST_CASE("csv file: get, add, remove (specification S2)") {
  const Folder folder("a@x.example,1\nab@x.example,2\n");
  CsvFile db({.path = folder.file});
  REQUIRE(db.load());
  CHECK(got(db, "ab@x.example") == "[ab@x.example][2]");
  CHECK(got(db, "zz") == "");
  REQUIRE(db.remove("a@x.example"));
  CHECK(folder.text() == "ab@x.example,2\n");
  REQUIRE(db.add(Fields{"ann@client.example", "3"}));
  CHECK(folder.text() == "ab@x.example,2\nann@client.example,3\n");
  CHECK(got(db, "ann@client.example") == "[ann@client.example][3]");
}

TEST_CASE("csv file: the first record of a key counts, all are removed, the others stay as they were") {
  const Folder folder("\n a , 1\nb,\"x\ny\"\na,2\n\"a\",3\nc");
  CsvFile db({.path = folder.file});
  REQUIRE(db.load());
  CHECK(got(db, "a") == "[a][1]");
  REQUIRE(db.remove("a"));
  CHECK(folder.text() == "\nb,\"x\ny\"\nc");
  CHECK(got(db, "a") == "");
  CHECK(got(db, "b") == "[b][x\ny]");
  REQUIRE(db.add(Fields{"d"}));  // behind a last line without end
  CHECK(folder.text() == "\nb,\"x\ny\"\nc\nd\n");
  CHECK(got(db, "c") == "[c]");
  CHECK(got(db, "d") == "[d]");
  REQUIRE(db.remove("nobody"));
  CHECK(folder.text() == "\nb,\"x\ny\"\nc\nd\n");
}

TEST_CASE("csv file: lines end as they do in the file") {
  const Folder folder("a,1\r\n");
  CsvFile db({.path = folder.file});
  REQUIRE(db.load());
  REQUIRE(db.add(Fields{"b", "2"}));
  CHECK(folder.text() == "a,1\r\nb,2\r\n");
}

TEST_CASE("csv file: what others write is seen") {
  const Folder folder("a,1\n");
  CsvFile db({.path = folder.file}), other({.path = folder.file}), frozen({.path = folder.file, .refreshes = false});
  REQUIRE(db.load());
  REQUIRE(other.load());
  REQUIRE(frozen.load());
  for (int i = 0; i < 200; ++i) {  // at once, also within a tick of the clock and with the same size
    folder.write("a," + std::to_string(i % 10) + "\n");
    REQUIRE(got(db, "a") == "[a][" + std::to_string(i % 10) + "]");
  }
  REQUIRE(other.add(Fields{"b", "2"}));
  CHECK(got(db, "b") == "[b][2]");
  REQUIRE(other.remove("b"));
  CHECK(got(db, "b") == "");
  CHECK(got(frozen, "a") == "[a][1]");
  REQUIRE(frozen.add(Fields{"c", "3"}));  // its own it knows
  CHECK(got(frozen, "c") == "[c][3]");
  CHECK(got(frozen, "a") == "[a][1]");
  CHECK(got(db, "c") == "[c][3]");
}

TEST_CASE("csv file: access, delimiter") {
  const Folder folder("a;1,5\n");
  CsvFile reader({.path = folder.file, .delimiter = ";", .may_write = false});
  REQUIRE(reader.load());
  CHECK(got(reader, "a") == "[a][1,5]");
  CHECK(reader.add(Fields{"b"}).error().cause == "it is O_RDONLY and cannot be written");
  CHECK(reader.remove("a").error().cause == "records can only be removed with O_RDWR");
  CsvFile writer({.path = folder.file, .delimiter = ";", .may_read = false});
  REQUIRE(writer.load());
  CHECK(got(writer, "a") == "error: it is O_WRONLY and cannot be read");
  REQUIRE(writer.add(Fields{"b", "x;y"}));
  CHECK(got(reader, "b") == "[b][x;y]");
  CHECK(writer.add({}).error().cause == "a record has one field at least: its key");
}

TEST_CASE("csv file: what cannot be loaded, and comes back") {
  const Folder folder("a,1\nb,\"2\nc,3\n");
  CsvFile db({.path = folder.file});
  CHECK(db.load().error().cause == folder.file + ":2: a quote in this record is not closed");
  CHECK(got(db, "a") == "error: " + folder.file + ":2: a quote in this record is not closed");
  folder.write("a,1\nb,\"2\"\nc,3\n");
  CHECK(got(db, "c") == "[c][3]");
  ::unlink(folder.file.c_str());
  CHECK(got(db, "c") == "error: stat " + folder.file + ": No such file or directory");
  folder.write("c,4\n");
  CHECK(got(db, "c") == "[c][4]");
  CsvFile nowhere({.path = folder.path + "/none.csv"});
  CHECK(nowhere.load().error().cause == "open " + folder.path + "/none.csv: No such file or directory");
}

TEST_CASE("csv file: removing keeps mode and link") {
  const Folder folder("a,1\nb,2\n");
  std::filesystem::permissions(folder.file, std::filesystem::perms(0640));
  const std::string link = folder.path + "/link.csv";
  std::filesystem::create_symlink("db.csv", link);
  CsvFile db({.path = link});
  REQUIRE(db.load());
  REQUIRE(db.remove("a"));
  CHECK(folder.text() == "b,2\n");
  CHECK(std::filesystem::is_symlink(link));
  CHECK(std::filesystem::status(folder.file).permissions() == std::filesystem::perms(0640));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 2);  // nothing temporary is left
}

TEST_CASE("csv file: several processes and threads lose nothing") {
  const Folder folder("old,1\n");
  std::vector<pid_t> children;
  for (int child = 0; child < 3; ++child) {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      CsvFile db({.path = folder.file});
      bool ok = db.load().has_value();
      std::vector<std::jthread> threads;
      for (int thread = 0; thread < 2; ++thread)
        threads.emplace_back([&, thread] {
          for (int i = 0; i < 40; ++i) {
            const std::string key = std::to_string(child) + "." + std::to_string(thread) + "." + std::to_string(i);
            ok = ok && db.add(Fields{key, "x"}) && got(db, key) == "[" + key + "][x]";
            if (i % 4 == 3) ok = ok && db.remove(key) && got(db, key).empty();
          }
        });
      threads.clear();
      ::_exit(ok ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  const std::string text = folder.text();
  CHECK(std::ranges::count(text, '\n') == 1 + 3 * 2 * 30);
  CsvFile db({.path = folder.file});
  REQUIRE(db.load());
  CHECK(got(db, "2.1.38") == "[2.1.38][x]");
  CHECK(got(db, "2.1.39") == "");
  CHECK(got(db, "old") == "[old][1]");
}

TEST_CASE("csv file: a key of 100,000 is found at once") {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "user" + std::to_string(i) + "@example.org," + std::to_string(i) + "\n";
  const Folder folder(text);
  CsvFile db({.path = folder.file});
  REQUIRE(db.load());
  ::usleep(100'000);  // until the file is no longer young
  CHECK(got(db, "user99999@example.org") == "[user99999@example.org][99999]");
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) REQUIRE(db.get("user" + std::to_string(i * 99) + "@example.org")->size() == 2);
  const auto taken = std::chrono::steady_clock::now() - start;
  CHECK(taken < std::chrono::milliseconds(200));  // 200 microseconds each; some 2 are usual
  MESSAGE("one look-up: " << std::chrono::duration<double, std::micro>(taken).count() / 1000 << " microseconds");
}
