#include "smtpd/board.h"

#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/clock.h"
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

Gauges gauges_of(const Board& board) {
  Gauges gauges{.started = static_cast<double>(board.started) / 1000};
  for (const auto& slot : board.slots) {
    if (slot.is_taken == 0) continue;
    ++gauges.workers;
    gauges.sessions += slot.sessions;
  }
  return gauges;
}

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
  (*board)->started = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(base::wall_now().time_since_epoch()).count());
  return board;
}

}  // namespace smtpd
