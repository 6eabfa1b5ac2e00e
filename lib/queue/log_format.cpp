#include "lib/queue/log_format.h"

#include <cstdio>
#include <cstring>

#include "lib/base/crc32c.h"
#include "lib/base/text.h"

namespace queue::log_format {
namespace {

constexpr std::string_view kSegmentMagic = "vsmtp-segment 1\n";
constexpr std::string_view kRecordMagic = "vrec";
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

std::string name_of(std::uint64_t number, const char* kind) {
  char name[48];
  const int length = std::snprintf(name, sizeof name, "log/%010llu.%s", static_cast<unsigned long long>(number), kind);
  return {name, static_cast<std::size_t>(length)};
}

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

std::string segment_name(std::uint64_t number) { return name_of(number, "log"); }
std::string free_name(std::uint64_t number) { return name_of(number, "free"); }
std::string done_name(std::uint64_t number) { return name_of(number, "done"); }

std::optional<LogFile> parse_log_file_name(std::string_view name) {
  const auto [digits, kind] = base::text::split_once(name, '.');
  if (digits.size() < 10 || (digits.size() > 10 && digits.front() == '0')) return std::nullopt;
  const auto number = base::text::parse_number<std::uint64_t>(digits);
  if (!number || (kind != "log" && kind != "free" && kind != "done")) return std::nullopt;
  return LogFile{*number, kind};
}

}  // namespace queue::log_format
