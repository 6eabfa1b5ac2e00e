#include "smtpd/board.h"

#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/io.h"

namespace smtpd {
namespace {

constexpr std::uint64_t kMagic = 0x31'64'72'61'6f'62'76;  // "vboard1"; another number for another form

base::Result<Board*> map(int fd) {
  void* const memory = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return base::fail_errno("map the board of the workers");
  return static_cast<Board*>(memory);
}

}  // namespace

base::Result<Board*> map_board(base::UniqueFd& file) {
  if (file.is_open() && base::file_size(file.get()).value_or(0) == sizeof(Board)) {
    auto board = map(file.get());
    if (!board || ((*board)->magic == kMagic && (*board)->octets == sizeof(Board))) return board;
    ::munmap(*board, sizeof(Board));
  }
  auto made = base::memory_file("smtpd-board");
  if (!made) return std::unexpected(made.error());
  file = std::move(*made);
  if (::ftruncate(file.get(), sizeof(Board)) != 0) return base::fail_errno("make the board of the workers");
  auto board = map(file.get());
  if (!board) return board;
  (*board)->magic = kMagic;
  (*board)->octets = sizeof(Board);
  return board;
}

}  // namespace smtpd
