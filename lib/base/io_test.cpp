#include "lib/base/io.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

namespace {

struct Folder {
  std::string path = "/tmp/io_test.XXXXXX";
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() {
    for (const char* name : {"/from", "/to"}) ::unlink((path + name).c_str());
    ::rmdir(path.c_str());
  }
};

}  // namespace

TEST_CASE("a range is copied, also to a file that is appended to, which sendfile(2) refuses") {
  const Folder folder;
  const std::string octets = std::string(100'000, 'a') + std::string(100'000, 'b');
  const auto from = base::open_file(folder.path + "/from", O_RDWR | O_CREAT);
  REQUIRE(from.has_value());
  REQUIRE(base::write_all(from->get(), octets).has_value());

  for (const int flags : {O_TRUNC, O_APPEND}) {
    const auto to = base::open_file(folder.path + "/to", O_WRONLY | O_CREAT | flags);
    REQUIRE(to.has_value());
    CHECK(base::copy_range(from->get(), 99'998, 100'000, to->get()).has_value());
  }
  const auto copied = base::read_file(folder.path + "/to", 1'000'000);
  REQUIRE(copied.has_value());
  const std::string once = octets.substr(99'998, 100'000);
  CHECK(*copied == once + once);

  const auto again = base::open_file(folder.path + "/to", O_WRONLY | O_APPEND);
  REQUIRE(again.has_value());
  CHECK_FALSE(base::copy_range(from->get(), 199'999, 2, again->get()).has_value());
}

TEST_CASE("io: a text of every size is read whole, and one that is too long is an error") {
  const auto file = base::memory_file("text");
  REQUIRE(file);
  std::string all;
  for (int i = 0; i < 5000; ++i) all += static_cast<char>('a' + i % 26);
  REQUIRE(base::write_all(file->get(), all));
  for (std::size_t size = 0; size <= all.size(); size += size < 100 ? 1 : 97) {
    CAPTURE(size);
    const auto read = base::pread_text(file->get(), size, all.size() - size);
    REQUIRE(read);
    CHECK(*read == all.substr(all.size() - size));
  }
  CHECK_FALSE(base::pread_text(file->get(), 17, all.size() - 16));
}
