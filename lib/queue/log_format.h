// The log on disk: segments log/NNNNNNNNNN.log of fixed size. Used by log_writer, log_reader and view only.
//
//   0      segment header, one page: magic, version, number, nonce, checksum
//   4096   batch: record, record, ..., zeros up to the next page
//   ...    batch
//   last   the segment header again: a bad block must not take all messages with it
//
// A record is a 32-octet header and the octets of an item (item.h), padded to 16. Integers are little-endian.
//
// A segment that is used again is overwritten in place, since that needs no change of metadata and so only one flush.
// What tells a record from the octets of an older life, which may be the text of somebody's message made to look like a
// record, is the segment's nonce: 64 random bits, drawn anew for each life, that stand in each record and seed its
// checksum. Batches begin on a page so that no page with acknowledged records is ever written again.
//
// Reading: from a record go to the one behind it; where none is valid, go on at the next page, to the end of the file.
// So a page that the disk has lost costs the records on it, not those behind it. Only the last batch can be torn by a
// crash, and nobody was told that it is safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace queue::log_format {

inline constexpr std::uint64_t kPageOctets = 4096;
inline constexpr std::uint64_t kRecordAlignment = 16;
inline constexpr std::uint64_t kRecordHeaderOctets = 32;
inline constexpr std::uint64_t kMinSegmentOctets = 64 << 10;
inline constexpr std::uint64_t kMaxSegmentOctets = std::uint64_t{2} << 30;

struct SegmentHeader {
  std::uint64_t number = 0;
  std::uint64_t nonce = 0;
};
[[nodiscard]] std::string to_octets(const SegmentHeader& header);  // kPageOctets
[[nodiscard]] std::optional<SegmentHeader> parse_segment_header(std::string_view page);

// How many octets of batches a segment of this size takes.
constexpr std::uint64_t batch_room(std::uint64_t segment_octets) { return segment_octets - 2 * kPageOctets; }

// A record's place in a segment.
struct Record {
  std::uint64_t offset = 0;       // of its header
  std::uint64_t item_octets = 0;
  [[nodiscard]] std::uint64_t item_offset() const { return offset + kRecordHeaderOctets; }
};
constexpr std::uint64_t align(std::uint64_t octets, std::uint64_t to) { return (octets + to - 1) / to * to; }
constexpr std::uint64_t octets_of_record(std::uint64_t item_octets) { return align(kRecordHeaderOctets + item_octets, kRecordAlignment); }

// The checksum of a record is crc32c over its item, begun with this.
[[nodiscard]] std::uint32_t checksum_seed(std::uint64_t nonce, std::uint64_t offset, std::uint64_t item_octets);
[[nodiscard]] std::string record_header(std::uint64_t nonce, const Record& record, std::uint32_t checksum);
// Reads the header of a record that should stand at `offset`. nullopt: none of this segment's life, or one that says of
// itself that it stands elsewhere or is longer than a segment can be.
struct RecordHeader {
  Record record;
  std::uint32_t checksum = 0;
};
[[nodiscard]] std::optional<RecordHeader> parse_record_header(std::string_view octets, std::uint64_t nonce, std::uint64_t offset);
[[nodiscard]] bool is_intact(const RecordHeader& header, std::uint64_t nonce, std::string_view item);

// The files of the folder log/ that belong to segments: "0000000012.log".
//   log   in use    done  its results    free  all done: to be used again under a new number    new  being made
struct LogFile {
  std::uint64_t number = 0;
  std::string_view kind;
};
[[nodiscard]] std::string log_file_name(const LogFile& file);
[[nodiscard]] std::optional<LogFile> parse_log_file_name(std::string_view name);

}  // namespace queue::log_format
