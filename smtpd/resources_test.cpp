#include "smtpd/resources.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <fstream>

using namespace smtpd;

TEST_CASE("resources: disk, at the edges of octets and inodes") {
  struct statvfs disk;
  REQUIRE(::statvfs("/", &disk) == 0);
  const std::uint64_t free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize, spare = std::uint64_t{1} << 30;  // others write meanwhile
  REQUIRE(free > 2 * spare);
  CHECK_FALSE(is_short_of_disk({.spool = "/", .free_octets = free - spare}, 0));
  CHECK(is_short_of_disk({.spool = "/", .free_octets = free - spare}, 2 * spare));
  CHECK(is_short_of_disk({.spool = "/", .free_octets = free + spare}, 0));
  CHECK_FALSE(is_short_of_disk({.spool = "/", .free_octets = 0}, ~std::uint64_t{0}));
  CHECK_FALSE(is_short_of_disk({.spool = "/nonexistent", .free_octets = free + spare}, 0));
  CHECK_FALSE(is_short_of_disk({.spool = "", .free_octets = free + spare}, 0));
  if (disk.f_files > 0) CHECK(is_short_of_disk({.spool = "/", .free_inodes = disk.f_files + 1}, 0));
  CHECK_FALSE(is_short_of_disk({.spool = "/", .free_inodes = 1}, 0));
}

TEST_CASE("resources: memory of this process") {
  CHECK(is_short_of_memory({.memory_high = 1}));
  CHECK_FALSE(is_short_of_memory({.memory_high = std::uint64_t{1} << 50}));
}

TEST_CASE("resources: memory of a control group, without what could be taken back") {
  std::string folder = std::filesystem::temp_directory_path() / "group.XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  CHECK_FALSE(memory_of_group(folder));
  std::ofstream(folder + "/memory.max") << "max\n";
  std::ofstream(folder + "/memory.current") << "1000\n";
  CHECK_FALSE(memory_of_group(folder));
  std::ofstream(folder + "/memory.max") << "2000\n";
  CHECK(memory_of_group(folder)->used == 1000);
  std::ofstream(folder + "/memory.stat") << "anon 300\ninactive_file 400\nactive_file 300\n";
  CHECK(memory_of_group(folder)->used == 600);
  CHECK(memory_of_group(folder)->most == 2000);
  std::filesystem::remove_all(folder);
}

TEST_CASE("resources: descriptors, a reserve or a quarter of all") {
  rlimit all{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &all) == 0);
  const auto most = static_cast<int>(std::min<rlim_t>(all.rlim_cur, 1 << 30));
  REQUIRE(most >= 64);
  if (all.rlim_cur <= 1 << 30) {
    CHECK(is_short_of_descriptors({.descriptor_reserve = 10}, most - 10));
    CHECK_FALSE(is_short_of_descriptors({.descriptor_reserve = 10}, most - 11));
    CHECK_FALSE(is_short_of_descriptors({.descriptor_reserve = 1U << 31}, most / 2));
  }
}
