#include "deliver-maildir/maildir.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <utime.h>

#include <algorithm>
#include <filesystem>

#include "deliver-maildir/test_directory.h"
#include "lib/base/io.h"

using maildir::Maildir;
using maildir::NewFile;

TEST_CASE("deliver-maildir: a Maildir is made with all its directories, for its owner only") {
  const TestDirectory directory;
  const std::string path = directory.path + "/a/b/Maildir";
  const auto missing = Maildir::open(path);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().error_number == ENOENT);
  REQUIRE(Maildir::create(path));
  for (const auto* part : {"", "/tmp", "/new", "/cur"}) {
    struct stat status;
    REQUIRE(::stat((path + part).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0700);
  }
  REQUIRE(Maildir::create(path));
  CHECK(Maildir::open(path));
}

TEST_CASE("deliver-maildir: a file has no name in new/ before it is published, and none at all when it is not") {
  const TestDirectory directory;
  const std::string path = directory.path + "/Maildir";
  REQUIRE(Maildir::create(path));
  const auto maildir = Maildir::open(path);
  REQUIRE(maildir);
  {
    auto dropped = NewFile::create(*maildir, "name");
    REQUIRE(dropped);
    REQUIRE(base::write_all(dropped->fd(), "half"));
    CHECK(files_in(path + "/new").empty());
  }
  CHECK(files_in(path + "/tmp").empty());
  {
    auto file = NewFile::create(*maildir, "name");
    REQUIRE(file);
    REQUIRE(base::write_all(file->fd(), "whole"));
    REQUIRE(file->publish("name,S=5"));
    CHECK(files_in(path + "/new") == std::vector<std::string>{"name,S=5"});
    auto second = NewFile::create(*maildir, "name2");
    REQUIRE(second);
    CHECK_FALSE(second->publish("name,S=5"));  // never replaces
  }
  CHECK(files_in(path + "/tmp").empty());
  CHECK(base::read_file(path + "/new/name,S=5", 100).value() == "whole");
}

TEST_CASE("deliver-maildir: files of tmp/ go when nobody wrote to them for 36 hours") {
  const TestDirectory directory;
  const std::string path = directory.path + "/Maildir";
  REQUIRE(Maildir::create(path));
  const auto now = base::wall_now();
  const auto make = [&](const std::string& name, std::chrono::seconds age) {
    REQUIRE(base::open_file(path + "/tmp/" + name, O_CREAT | O_WRONLY));
    const auto when = std::chrono::system_clock::to_time_t(now - age);
    const utimbuf times{when, when};
    REQUIRE(::utime((path + "/tmp/" + name).c_str(), &times) == 0);
  };
  make("young", std::chrono::hours(36) - std::chrono::seconds(10));
  make("old", std::chrono::hours(36) + std::chrono::seconds(10));
  REQUIRE(::mkdir((path + "/tmp/directory").c_str(), 0700) == 0);
  Maildir::open(path).value()->remove_stale_files(now);
  CHECK(files_in(path + "/tmp") == std::vector<std::string>{"directory", "young"});
}

TEST_CASE("deliver-maildir: a Maildir that was moved is not in place any more") {
  const TestDirectory directory;
  const std::string path = directory.path + "/Maildir";
  REQUIRE(Maildir::create(path));
  const auto maildir = Maildir::open(path);
  REQUIRE(maildir);
  CHECK((*maildir)->is_in_place());
  std::filesystem::rename(path, path + ".old");
  CHECK_FALSE((*maildir)->is_in_place());
  REQUIRE(Maildir::create(path));
  CHECK_FALSE((*maildir)->is_in_place());
}
