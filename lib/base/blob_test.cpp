#include "lib/base/blob.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <string>

using base::Blob;
using base::BlobWriter;

namespace {
std::string octets_of(const Blob& blob) {
  const auto view = blob.view();
  REQUIRE(view);
  return std::string(view->octets());
}
std::string read_descriptor(const Blob& blob) {
  const auto fd = blob.as_descriptor();
  REQUIRE(fd);
  const auto octets = base::read_all(fd->get(), 1 << 24);
  REQUIRE(octets);
  return *octets;
}
}  // namespace

TEST_CASE("a message is the same octets below, at and above each limit of its writer") {
  const BlobWriter::Limits limits{16, 64, "/tmp"};
  for (const std::size_t size : {0, 1, 15, 16, 17, 63, 64, 65, 1000}) {
    CAPTURE(size);
    std::string message;
    BlobWriter writer(limits);
    for (std::size_t i = 0; i < size; i += 5) {
      const std::string piece = std::string("abcd\n").substr(0, std::min<std::size_t>(5, size - i));
      message += piece;
      REQUIRE(writer.append(piece));
    }
    const Blob blob = writer.finish();
    CHECK(blob.size() == size);
    CHECK(blob.is_in_memory() == (size <= limits.memory_octets));
    CHECK(octets_of(blob) == message);
    CHECK(read_descriptor(blob) == message);
    CHECK(read_descriptor(blob) == message);  // each descriptor has a position of its own
    CHECK(writer.size() == 0);
  }
}

TEST_CASE("a window of a file shows only its part") {
  auto file = base::memory_file("test");
  REQUIRE(file);
  REQUIRE(base::write_all(file->get(), std::string(5000, 'x') + "middle" + "end"));
  const Blob blob = Blob::of_file(std::move(*file), 5000, 6);
  CHECK(octets_of(blob) == "middle");
  CHECK(read_descriptor(blob) == "middle");
}

TEST_CASE("descriptor 0 may be a file anywhere in it, or a pipe; both are bounded") {
  auto file = base::memory_file("test");
  REQUIRE(file);
  REQUIRE(base::write_all(file->get(), "message"));  // now at its end
  const auto from_file = Blob::of_descriptor(file->get(), 7);
  REQUIRE(from_file);
  CHECK(octets_of(*from_file) == "message");
  CHECK_FALSE(Blob::of_descriptor(file->get(), 6));

  for (const std::uint64_t limit : {7, 6}) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const base::UniqueFd reading(ends[0]);
    base::UniqueFd writing(ends[1]);
    REQUIRE(base::write_all(writing.get(), "message"));
    writing.reset();
    const auto blob = Blob::of_descriptor(reading.get(), limit);
    CHECK(blob.has_value() == (limit == 7));
    if (blob) CHECK(octets_of(*blob) == "message");
  }
}

TEST_CASE("a directory that cannot be written fails the append, temporarily") {
  const BlobWriter::Limits limits{1, 2, "/nonexistent"};
  BlobWriter writer(limits);
  CHECK(writer.append("a"));
  const auto appended = writer.append("bc");
  REQUIRE_FALSE(appended);
  CHECK(appended.error().fault == base::Fault::Temporary);
}
