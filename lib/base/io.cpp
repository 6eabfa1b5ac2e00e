#include "lib/base/io.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <vector>

namespace base {

Result<UniqueFd> open_file(const std::string& path, int flags, int mode) {
  int fd;
  do fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  if (fd < 0) return fail_errno("open " + path);
  return UniqueFd(fd);
}

Result<void> write_all(int fd, std::string_view octets) {
  while (!octets.empty()) {
    const auto n = ::write(fd, octets.data(), octets.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return fail_errno("write");
    }
    octets.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> pwrite_all(int fd, std::string_view octets, std::uint64_t offset) {
  while (!octets.empty()) {
    const auto n = ::pwrite(fd, octets.data(), octets.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      return fail_errno("write");
    }
    octets.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<std::string> pread_text(int fd, std::size_t count, std::uint64_t offset) {
  std::string octets;
  Result<void> read;
  // `count`, not what the lambda is told: the library of g++ 12 tells it 30 for 16 to 29 octets.
  octets.resize_and_overwrite(count, [&](char* place, std::size_t) {
    read = pread_all(fd, {place, count}, offset);
    return count;
  });
  if (!read) return std::unexpected(read.error());
  return octets;
}

Result<void> pread_all(int fd, std::span<char> octets, std::uint64_t offset) {
  while (!octets.empty()) {
    const auto n = ::pread(fd, octets.data(), octets.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      return fail_errno("read");
    }
    if (n == 0) return fail(Fault::Temporary, "read: the file ends early");
    octets = octets.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<std::string> read_all(int fd, std::size_t limit_octets) {
  std::string all;
  std::array<char, 16384> buffer;
  for (;;) {
    const auto n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return fail_errno("read");
    }
    if (n == 0) return all;
    if (all.size() + static_cast<std::size_t>(n) > limit_octets)
      return fail(Fault::Permanent, "more than " + std::to_string(limit_octets) + " octets");
    all.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

Result<std::string> read_file(const std::string& path, std::size_t limit_octets) {
  const auto fd = open_file(path, O_RDONLY);
  if (!fd) return std::unexpected(fd.error());
  auto all = read_all(fd->get(), limit_octets);
  if (!all) return fail_within(path, std::move(all.error()));
  return all;
}

Result<std::uint64_t> copy_all(int from, int to) {
  std::vector<char> buffer(65536);
  std::uint64_t copied = 0;
  for (;;) {
    const auto n = ::read(from, buffer.data(), buffer.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return fail_errno("read");
    }
    if (n == 0) return copied;
    const auto written = write_all(to, {buffer.data(), static_cast<std::size_t>(n)});
    if (!written) return std::unexpected(written.error());
    copied += static_cast<std::uint64_t>(n);
  }
}

namespace {

// What sendfile(2) does, by way of this process.
ssize_t send_through(int to, int from, off_t* position, std::size_t length) {
  std::array<char, 65536> buffer;
  const auto n = ::pread(from, buffer.data(), std::min(length, buffer.size()), *position);
  if (n <= 0) return n;
  const auto written = ::write(to, buffer.data(), static_cast<std::size_t>(n));
  if (written > 0) *position += written;
  return written;
}

}  // namespace

Result<void> copy_range(int from, std::uint64_t offset, std::uint64_t length, int to) {
  auto position = static_cast<off_t>(offset);
  ssize_t (*send)(int, int, off_t*, std::size_t) = ::sendfile;
  while (length > 0) {
    const auto n = send(to, from, &position, length);
    if (n < 0) {
      if (errno == EINTR) continue;
      // Not to files that are appended to (`>>file`), and not between all kinds of files.
      if ((errno == EINVAL || errno == ENOSYS) && send != send_through) {
        send = send_through;
        continue;
      }
      return fail_errno("copy");
    }
    if (n == 0) return fail(Fault::Temporary, "copy: the file ends early");
    length -= static_cast<std::uint64_t>(n);
  }
  return {};
}

void raise_descriptor_limit(std::uint64_t wanted) {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<UniqueFd> memory_file(const char* name) {
  const int fd = ::memfd_create(name, MFD_CLOEXEC);
  if (fd < 0) return fail_errno("memfd_create");
  return UniqueFd(fd);
}

Result<std::uint64_t> file_size(int fd) {
  struct stat status;
  if (::fstat(fd, &status) != 0) return fail_errno("fstat");
  if (!S_ISREG(status.st_mode)) return fail(Fault::Temporary, "not a regular file");
  return static_cast<std::uint64_t>(status.st_size);
}

Mapping::Mapping(Mapping&& other) noexcept
    : start_(std::exchange(other.start_, nullptr)), mapped_(std::exchange(other.mapped_, 0)), octets_(std::exchange(other.octets_, {})) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(start_, other.start_);
  std::swap(mapped_, other.mapped_);
  std::swap(octets_, other.octets_);
  return *this;
}

Mapping::~Mapping() {
  if (start_ != nullptr) ::munmap(start_, mapped_);
}

Result<Mapping> Mapping::of(int fd, std::uint64_t offset, std::size_t length) {
  Mapping mapping;
  if (length == 0) return mapping;
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const auto skip = static_cast<std::size_t>(offset % page);
  void* start = ::mmap(nullptr, length + skip, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(offset - skip));
  if (start == MAP_FAILED) return fail_errno("mmap");
  mapping.start_ = start;
  mapping.mapped_ = length + skip;
  mapping.octets_ = {static_cast<const char*>(start) + skip, length};
  return mapping;
}

}  // namespace base
