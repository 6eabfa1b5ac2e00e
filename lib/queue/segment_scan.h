// Reads the records of one segment in their order. Shared by the reader, which owns the results, and the view.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"
#include "lib/queue/log_format.h"

namespace queue {

class SegmentScan {
 public:
  // `file` is borrowed for the scan's life.
  SegmentScan(int file, std::uint64_t nonce) : file_(file), nonce_(nonce) {}

  struct Found {
    log_format::Record record;
    std::string_view item;  // checked; valid until the next call
  };
  // The next intact record that begins before `end`; nullopt when there is none. What is damaged is stepped over. Reads
  // with pread(2), so that a disk error is an error here, not a SIGBUS.
  [[nodiscard]] base::Result<std::optional<Found>> next(std::uint64_t end);

  [[nodiscard]] std::uint64_t position() const { return position_; }
  // Octets that held nothing valid, before a record that was: the disk lost them.
  [[nodiscard]] std::uint64_t damaged_octets() const { return damaged_; }

 private:
  [[nodiscard]] base::Result<std::string_view> octets_at(std::uint64_t offset, std::uint64_t length, std::uint64_t end);

  int file_;
  std::uint64_t nonce_;
  std::uint64_t position_ = log_format::kPageOctets;
  std::uint64_t damaged_ = 0;
  std::string buffer_;
  std::uint64_t buffer_offset_ = 0;
};

// Opens a segment and reads its header. Fault::Permanent: not a segment.
struct OpenSegment {
  base::UniqueFd file;
  log_format::SegmentHeader header;
  std::uint64_t octets = 0;
};
[[nodiscard]] base::Result<OpenSegment> open_segment(const std::string& path);

}  // namespace queue
