#include "vsl-filter/services/rate_table.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

using namespace rules;

namespace {

constexpr std::uint64_t kNow = 1'800'000'000'000;  // begin of a window of every length that is used here

struct Folder {
  std::string path = "/tmp/rate_test.XXXXXX";
  std::string file;
  Folder() {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    file = path + "/rates";
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

std::unique_ptr<RateTable> open(const std::string& path, std::uint32_t keys = 1000) {
  auto table = RateTable::open(path, keys);
  REQUIRE(table);
  return std::move(*table);
}

}  // namespace

TEST_CASE("rate: at most so many within the time") {
  const Folder folder;
  const auto table = open(folder.file);
  for (int i = 0; i < 5; ++i) CHECK(*table->take("192.0.2.1", 5, 60, kNow + i));
  CHECK_FALSE(*table->take("192.0.2.1", 5, 60, kNow + 10));
  CHECK(*table->take("192.0.2.2", 5, 60, kNow + 10));
  CHECK(*table->count("192.0.2.1", 60, kNow + 10) == 5);
  CHECK(*table->count("192.0.2.1", 30, kNow + 10) == 0);  // another window
  CHECK(*table->count("nobody", 60, kNow) == 0);
  // The window slides: a minute later the old ones still weigh, and less and less.
  CHECK(*table->count("192.0.2.1", 60, kNow + 60'000) == 5);
  CHECK_FALSE(*table->take("192.0.2.1", 5, 60, kNow + 60'000));
  CHECK(*table->take("192.0.2.1", 5, 60, kNow + 73'000));
  CHECK(*table->count("192.0.2.1", 60, kNow + 90'000) == 3);
  CHECK(*table->count("192.0.2.1", 60, kNow + 240'000) == 0);
  CHECK_FALSE(*table->take("none at all", 0, 60, kNow));
}

TEST_CASE("rate: penalties weigh in all windows of the key, also in those that come") {
  const Folder folder;
  const auto table = open(folder.file);
  CHECK(*table->take("k", 10, 60, kNow));
  REQUIRE(table->penalty("k", 7, kNow));
  CHECK(*table->count("k", 60, kNow) == 8);
  REQUIRE(table->penalty("k", 4'294'967'295U, kNow));  // no overflow
  CHECK_FALSE(*table->take("k", 4'294'967'295U, 60, kNow));
  REQUIRE(table->penalty("new", 3, kNow));
  CHECK(*table->take("new", 4, 600, kNow + 1000));
  CHECK_FALSE(*table->take("new", 4, 600, kNow + 1000));
  CHECK(*table->take("new", 1, 5, kNow + 6000));  // longer ago than that window
}

TEST_CASE("rate: a clock that is set back") {
  const Folder folder;
  const auto table = open(folder.file);
  CHECK(*table->take("k", 2, 60, kNow));
  CHECK(*table->take("k", 2, 60, kNow - 86'400'000));
  CHECK_FALSE(*table->take("k", 2, 60, kNow - 86'400'000));
  CHECK(*table->take("k", 2, 60, kNow));
}

TEST_CASE("rate: the table is bounded, and what is used last stays") {
  const Folder folder;
  const auto table = open(folder.file, 64);
  const auto size = std::filesystem::file_size(folder.file);
  for (int i = 0; i < 10'000; ++i) {
    CHECK(*table->take("flood " + std::to_string(i), 5, 60, kNow + static_cast<std::uint64_t>(i)));
    if (i == 9'999) CHECK_FALSE(*table->take("flood 9999", 1, 60, kNow + 10'000));
  }
  CHECK(std::filesystem::file_size(folder.file) == size);
  CHECK(size < 10'000);
}

TEST_CASE("rate: what is counted stays when all processes have ended; other files are not touched") {
  const Folder folder;
  CHECK(*open(folder.file)->take("k", 1, 60, kNow));
  CHECK_FALSE(*open(folder.file, 5)->take("k", 1, 60, kNow));
  struct stat status;
  REQUIRE(::stat(folder.file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const std::string other = folder.path + "/other";
  std::ofstream(other) << "something else that is long enough to have a header of sixty-four octets, and more";
  CHECK(RateTable::open(other, 5).error().cause == other + ": not a table of rate counters");
  ::truncate(folder.file.c_str(), 100);
  CHECK(RateTable::open(folder.file, 5).error().cause == folder.file + ": not a table of rate counters");
  std::filesystem::create_symlink(other, folder.path + "/link");
  CHECK_FALSE(RateTable::open(folder.path + "/link", 5));
  CHECK_FALSE(RateTable::open(folder.path + "/none/rates", 5));
}

TEST_CASE("rate: processes and threads together take exactly as many as allowed") {
  const Folder folder;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      const auto table = open(folder.file);
      std::atomic<int> taken = 0;
      {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 3; ++t)
          threads.emplace_back([&] {
            for (int n = 0; n < 20; ++n) taken += *table->take("shared", 100, 60, kNow) ? 1 : 0;
          });
      }
      ::_exit(taken);  // 60 at most
    }
    children.push_back(pid);
  }
  int taken = 0;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFEXITED(status));
    taken += WEXITSTATUS(status);
  }
  CHECK(taken == 100);
}
