#include "lib/queue/commit_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "lib/base/io.h"

namespace queue {
namespace {

using base::Result;
using Words = std::array<std::uint64_t, 4>;  // segment, offset, and their complements: a reader may see half a store

std::string path_of(const Spool& spool) { return spool.path() + "/log/committed"; }

}  // namespace

Result<CommitMark> CommitMark::open_for_writing(const Spool& spool) {
  auto file = base::open_file(path_of(spool), O_RDWR | O_CREAT);
  if (!file) return std::unexpected(file.error());
  return CommitMark(std::move(*file));
}

Result<CommitMark> CommitMark::open_for_reading(const Spool& spool) {
  auto file = base::open_file(path_of(spool), O_RDONLY | O_CREAT);
  if (!file) return std::unexpected(file.error());
  return CommitMark(std::move(*file));
}

Result<void> CommitMark::store(LogPosition position) const {
  const Words words{position.segment, position.offset, ~position.segment, ~position.offset};
  const auto written = base::pwrite_all(file_.get(), {reinterpret_cast<const char*>(words.data()), sizeof words}, 0);
  if (!written) return base::fail_within("log/committed", written.error());
  return {};
}

Result<LogPosition> CommitMark::load() const {
  constexpr int kTries = 1000;  // a store takes a microsecond; half a store for longer is a torn one of a power cut
  for (int i = 0; i < kTries; ++i) {
    Words words{};
    const auto n = ::pread(file_.get(), words.data(), sizeof words, 0);
    if (n < 0 && errno != EINTR) return base::fail_errno("read log/committed");
    if (n == 0) return LogPosition{};
    if (n == sizeof words && words[0] == ~words[2] && words[1] == ~words[3]) return LogPosition{words[0], words[1]};
  }
  return LogPosition{};
}

}  // namespace queue
