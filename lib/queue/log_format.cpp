#include "lib/queue/log_format.h"

#include <algorithm>
#include <array>

#include "lib/base/crc32c.h"
#include "lib/base/text.h"

namespace queue::log_format {
namespace {

constexpr std::string_view kSegmentMagic = "vsmtp-segment 1\n";
constexpr std::string_view kRecordMagic = "vrec";
constexpr std::size_t kNumberDigits = 10;
static_assert(kSegmentMagic.size() == 16);

template <class Number>
void put(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> 8 * i & 0xFF);
}
template <class Number>
Number get(std::string_view octets, std::size_t at) {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) value |= static_cast<Number>(static_cast<unsigned char>(octets[at + i])) << 8 * i;
  return value;
}

constexpr auto kKinds = std::to_array<std::string_view>({"log", "done", "free", "new"});

}  // namespace

std::string to_octets(const SegmentHeader& header) {
  std::string out(kSegmentMagic);
  put(out, header.number);
  put(out, header.nonce);
  put(out, base::crc32c(out));
  out.resize(kPageOctets);
  return out;
}

std::optional<SegmentHeader> parse_segment_header(std::string_view page) {
  if (page.size() < kPageOctets || !page.starts_with(kSegmentMagic)) return std::nullopt;
  if (get<std::uint32_t>(page, 32) != base::crc32c(page.substr(0, 32))) return std::nullopt;
  return SegmentHeader{get<std::uint64_t>(page, 16), get<std::uint64_t>(page, 24)};
}

std::uint32_t checksum_seed(std::uint64_t nonce, std::uint64_t offset, std::uint64_t item_octets) {
  std::string octets;
  put(octets, nonce);
  put(octets, offset);
  put(octets, item_octets);
  return base::crc32c(octets);
}

std::string record_header(std::uint64_t nonce, const Record& record, std::uint32_t checksum) {
  std::string out(kRecordMagic);
  put(out, checksum);
  put(out, nonce);
  put(out, record.offset);
  put(out, record.item_octets);
  return out;
}

std::optional<RecordHeader> parse_record_header(std::string_view octets, std::uint64_t nonce, std::uint64_t offset) {
  if (octets.size() < kRecordHeaderOctets || !octets.starts_with(kRecordMagic)) return std::nullopt;
  const RecordHeader header{{get<std::uint64_t>(octets, 16), get<std::uint64_t>(octets, 24)}, get<std::uint32_t>(octets, 4)};
  if (get<std::uint64_t>(octets, 8) != nonce || header.record.offset != offset || header.record.item_octets > kMaxSegmentOctets) return std::nullopt;
  return header;
}

bool is_intact(const RecordHeader& header, std::uint64_t nonce, std::string_view item) {
  return item.size() == header.record.item_octets &&
         base::crc32c(item, checksum_seed(nonce, header.record.offset, header.record.item_octets)) == header.checksum;
}

std::string log_file_name(const LogFile& file) {
  std::string digits = std::to_string(file.number);
  if (digits.size() < kNumberDigits) digits.insert(0, kNumberDigits - digits.size(), '0');
  return digits.append(".").append(file.kind);
}

std::optional<LogFile> parse_log_file_name(std::string_view name) {
  const auto [digits, kind] = base::text::split_once(name, '.');
  const auto known = std::ranges::find(kKinds, kind);
  const auto number = base::text::parse_number<std::uint64_t>(digits);
  if (!number || known == kKinds.end()) return std::nullopt;
  const LogFile file{*number, *known};
  if (log_file_name(file) != name) return std::nullopt;
  return file;
}

}  // namespace queue::log_format
