#include "lib/queue/segment_scan.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/io.h"

namespace queue {
namespace {

using base::Result;
using namespace log_format;

constexpr std::uint64_t kReadOctets = 256 << 10;

// As much of `length` octets at `offset` as the file has.
Result<void> read_at(int file, std::uint64_t offset, std::uint64_t length, std::string& into) {
  into.resize(length);
  std::size_t have = 0;
  while (have < length) {
    const auto n = ::pread(file, into.data() + have, length - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::fail_errno("read segment");
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  into.resize(have);
  return {};
}

}  // namespace

Result<std::string_view> SegmentScan::octets_at(std::uint64_t offset, std::uint64_t length, std::uint64_t end) {
  const bool is_there = offset >= buffer_offset_ && offset + length <= buffer_offset_ + buffer_.size();
  if (!is_there) {
    const std::uint64_t ahead = std::min(std::max(length, kReadOctets), std::max(end - offset, length));
    buffer_offset_ = offset;
    if (const auto read = read_at(file_, offset, ahead, buffer_); !read) return std::unexpected(read.error());
  }
  return std::string_view(buffer_).substr(offset - buffer_offset_, length);
}

Result<std::optional<SegmentScan::Found>> SegmentScan::next(std::uint64_t end) {
  const std::uint64_t began = position_;
  while (position_ + kRecordHeaderOctets <= end) {
    const auto head = octets_at(position_, kRecordHeaderOctets, end);
    if (!head) return std::unexpected(head.error());
    const auto header = parse_record_header(*head, nonce_, position_);
    if (header && header->record.item_octets <= end - header->record.item_offset()) {
      const auto item = octets_at(header->record.item_offset(), header->record.item_octets, end);
      if (!item) return std::unexpected(item.error());
      if (is_intact(*header, nonce_, *item)) {
        // A gap up to the next page is the padding of a batch, as a rule.
        if (position_ != align(began, kPageOctets) && position_ != began) damaged_ += position_ - began;
        position_ += octets_of_record(header->record.item_octets);
        return Found{header->record, *item};
      }
    }
    position_ = align(position_ + 1, kPageOctets);
  }
  position_ = began;  // more may be written here
  return std::optional<Found>();
}

Result<OpenSegment> open_segment(const std::string& path) {
  auto file = base::open_file(path, O_RDONLY);
  if (!file) return std::unexpected(file.error());
  const auto size = base::file_size(file->get());
  if (!size) return base::fail_within(path, size.error());
  for (const auto offset : {std::uint64_t{0}, *size < kPageOctets ? 0 : *size - kPageOctets}) {
    std::string page;
    if (const auto read = read_at(file->get(), offset, kPageOctets, page); !read) return base::fail_within(path, read.error());
    if (const auto header = parse_segment_header(page)) return OpenSegment{std::move(*file), *header, *size};
  }
  return base::fail(base::Fault::Permanent, path + ": not a segment of the log");
}

}  // namespace queue
