#include "vsl-filter/api/app_files.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "lib/base/io.h"

namespace fs = std::filesystem;
using rules::AppFiles;

namespace {

struct Place {
  Place() {
    std::string pattern = (fs::temp_directory_path() / "app-files.XXXXXX").string();
    top = ::mkdtemp(pattern.data());
    fs::create_directory(top / "outside");
  }
  ~Place() { fs::remove_all(top); }
  [[nodiscard]] std::string app() const { return (top / "spool" / "app").string(); }
  [[nodiscard]] std::string text(const fs::path& path) const { return base::read_file((top / path).string(), 1000).value_or("(nothing)"); }
  [[nodiscard]] bool is_outside_empty() const { return fs::is_empty(top / "outside"); }
  fs::path top;
};

}  // namespace

TEST_CASE("app files: written below the folder, which is made with all others, and replaced as a whole") {
  const Place place;
  const AppFiles files(place.app());
  REQUIRE(files.write("seen", "ID.eml", "one"));
  REQUIRE(files.write("a//b/./c/", "ID.json", base::Blob::of_octets("two")));
  REQUIRE(files.write("", "top", "three"));
  REQUIRE(files.write(".", "top2", ""));
  CHECK(place.text("spool/app/seen/ID.eml") == "one");
  CHECK(place.text("spool/app/a/b/c/ID.json") == "two");
  CHECK(place.text("spool/app/top") == "three");
  REQUIRE(files.write("seen", "ID.eml", "other"));
  CHECK(place.text("spool/app/seen/ID.eml") == "other");
  CHECK(std::distance(fs::directory_iterator(place.top / "spool/app/seen"), {}) == 1);
  CHECK((fs::status(place.top / "spool/app/seen").permissions() & fs::perms::all) == fs::perms::owner_all);
  CHECK((fs::status(place.top / "spool/app/seen/ID.eml").permissions() & fs::perms::all) == (fs::perms::owner_read | fs::perms::owner_write));
  const auto opened = files.open("a/b/c/ID.json");
  REQUIRE(opened);
  CHECK(base::read_all(opened->get(), 100) == "two");
}

TEST_CASE("app files: no path leads out") {
  const Place place;
  const AppFiles files(place.app());
  REQUIRE(files.write("inside", "file", "x"));
  using namespace std::string_view_literals;
  const std::string absolute = (place.top / "outside").string();
  for (const std::string_view bad : {"../up"sv, ".."sv, "a/../../outside"sv, "../../outside"sv, "inside/.."sv, "/etc"sv, "/"sv, std::string_view(absolute), "a\0b"sv, "a\nb"sv, "inside/file"sv, "inside/file/x"sv}) {
    CAPTURE(bad);
    const auto written = files.write(bad, "ID.eml", "x");
    REQUIRE_FALSE(written);
    CHECK(written.error().fault == base::Fault::Permanent);
    CHECK_FALSE(files.open(std::string(bad) + "/ID.eml"));
  }
  for (const std::string_view bad : {""sv, "."sv, ".."sv, "a/b"sv, "/etc/passwd"sv, "a\0"sv, ".hidden"sv}) {
    CAPTURE(bad);
    CHECK_FALSE(files.write("inside", bad, "x"));
  }
  CHECK_FALSE(files.write(std::string(300, 'x'), "ID.eml", "x"));
  std::string deep = "1";
  while (deep.size() < 63) deep += "/1";
  CHECK(files.write(deep, "ID.eml", "x"));
  CHECK(files.write(deep + "/1", "ID.eml", "x").error().cause.contains("more than 32 folders"));
  CHECK(files.write(std::string(1024, '/').substr(1) + "a", "ID.eml", "x").error().cause.contains("is absolute"));
  CHECK(files.write("a" + std::string(1023, '/'), "ID.eml", "x"));
  CHECK(files.write("a" + std::string(1024, '/'), "ID.eml", "x").error().cause.contains("more than 1024 octets"));
  CHECK_FALSE(files.write("inside", std::string(300, 'x'), "x"));
  CHECK_FALSE(fs::exists(place.top / "spool/up"));
  CHECK(place.is_outside_empty());
  CHECK(files.write("../up", "x", "x").error().cause == "path '../up': leaves the folder of the rules' files");
}

TEST_CASE("app files: links are not followed") {
  const Place place;
  const AppFiles files(place.app());
  REQUIRE(files.write("real", "file", "x"));
  const fs::path app = place.app();
  fs::create_directory_symlink(place.top / "outside", app / "link");
  fs::create_directory_symlink("real", app / "near");
  fs::create_symlink(place.top / "outside" / "target", app / "real" / "ID.eml");
  fs::create_symlink("/etc/passwd", app / "real" / "passwd");
  for (const auto* bad : {"link", "link/deeper", "near", "real/../link"}) {
    CAPTURE(bad);
    CHECK(files.write(bad, "ID.eml", "x").error().fault == base::Fault::Permanent);
  }
  REQUIRE(files.write("real", "ID.eml", "mine"));  // takes the link's place
  CHECK(fs::is_regular_file(fs::symlink_status(app / "real" / "ID.eml")));
  CHECK_FALSE(files.open("real/passwd"));
  CHECK_FALSE(files.open("near/file"));
  CHECK(files.open("real/file"));
  CHECK(place.is_outside_empty());
}

TEST_CASE("app files: a folder that turns into a link, and back, all the time leads nowhere else") {
  const Place place;
  const AppFiles files(place.app());
  REQUIRE(files.write("turning", "first", "x"));
  fs::create_directory_symlink(place.top / "outside", place.app() + "/link");
  const std::string one = place.app() + "/turning", other = place.app() + "/link";
  std::atomic<bool> is_over = false;
  std::atomic<std::size_t> turns = 0;
  std::thread turner([&] {
    for (; !is_over; ++turns) (void)::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
  });
  std::size_t written = 0, refused = 0;
  for (int i = 0; i < 20'000 && (i < 200 || written == 0 || refused == 0); ++i) ++(files.write("turning", "ID.eml", "x") ? written : refused);
  is_over = true;
  turner.join();
  CHECK(turns > 0);
  CHECK(written + refused >= 200);
  CHECK(place.is_outside_empty());
}

TEST_CASE("app files: the folder itself may be behind a link; what is no file is not opened") {
  const Place place;
  fs::create_directory_symlink("outside", place.top / "way");
  const AppFiles files((place.top / "way").string());
  REQUIRE(files.write("d", "f", "x"));
  CHECK(place.text("outside/d/f") == "x");
  REQUIRE(::mkfifo((place.top / "outside/d/fifo").c_str(), 0600) == 0);
  CHECK_FALSE(files.open("d/fifo"));
  CHECK_FALSE(files.open("d"));
  CHECK_FALSE(files.open("d/absent"));
  CHECK_FALSE(files.open(""));
  fs::create_directory(place.top / "outside/d/folder");
  CHECK_FALSE(files.write("d", "folder", "x"));
  CHECK(std::distance(fs::directory_iterator(place.top / "outside/d"), {}) == 3);  // no draft is left
}
