// Reading and writing whole things on descriptors. EINTR is handled here and nowhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"

namespace base {

// Opens with O_CLOEXEC; the error names the path.
[[nodiscard]] Result<UniqueFd> open_file(const std::string& path, int flags, int mode = 0600);

[[nodiscard]] Result<void> write_all(int fd, std::string_view octets);
[[nodiscard]] Result<void> pwrite_all(int fd, std::string_view octets, std::uint64_t offset);
// Fills all of `octets`; a file that ends before is an error.
[[nodiscard]] Result<void> pread_all(int fd, std::span<char> octets, std::uint64_t offset);
// The same into a text of so many octets.
[[nodiscard]] Result<std::string> pread_text(int fd, std::size_t count, std::uint64_t offset);

// Reads to the end of file. More than `limit_octets` is Fault::Permanent ("more than N octets").
[[nodiscard]] Result<std::string> read_all(int fd, std::size_t limit_octets);
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit_octets);

// Copies all that is left on `from` (pipe, socket or file) to `to`; returns the octets copied.
[[nodiscard]] Result<std::uint64_t> copy_all(int from, int to);
// Copies `length` octets at `offset` of the file `from` to the current position of `to` inside the kernel where it can.
[[nodiscard]] Result<void> copy_range(int from, std::uint64_t offset, std::uint64_t length, int to);

// Connections, large messages and programs that run each cost descriptors: `wanted` of them for this process, or as many as
// the system lets it have. What it has then must do.
void raise_descriptor_limit(std::uint64_t wanted = ~std::uint64_t{0});

// An anonymous file in memory, close-on-exec.
[[nodiscard]] Result<UniqueFd> memory_file(const char* name);

// Size of a regular file or memfd; an error for pipes.
[[nodiscard]] Result<std::uint64_t> file_size(int fd);

// Octets of a file, mapped read-only. Stays valid when the descriptor is closed. If another process truncates the
// file, access faults: map only files that do not shrink (spool files, sealed or private memfds).
class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();
  // `offset` need not be page aligned.
  [[nodiscard]] static Result<Mapping> of(int fd, std::uint64_t offset, std::size_t length);
  [[nodiscard]] std::string_view octets() const noexcept { return octets_; }

 private:
  void* start_ = nullptr;
  std::size_t mapped_ = 0;
  std::string_view octets_;
};

}  // namespace base
