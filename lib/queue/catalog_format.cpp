#include "lib/queue/catalog_format.h"

#include <algorithm>

#include "lib/base/crc32c.h"

namespace queue::catalog_format {
namespace {

constexpr std::string_view kRowsMagic = "vsmtp-catalog 1\n";
constexpr std::string_view kTextsMagic = "vsmtp-texts 1  \n";
static_assert(kRowsMagic.size() == 16 && kTextsMagic.size() == 16);
constexpr std::int64_t kNoTime = INT64_MIN;
constexpr std::uint8_t kMustLook = 1;

template <class Number>
void put(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(static_cast<std::uint64_t>(value) >> 8 * i & 0xFF);
}
template <class Number>
Number get(std::string_view octets, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) value |= static_cast<std::uint64_t>(static_cast<unsigned char>(octets[at + i])) << 8 * i;
  return static_cast<Number>(value);
}

std::int64_t nanoseconds(base::WallTime time) { return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count(); }
base::WallTime time_of(std::int64_t nanoseconds) {
  return base::WallTime(std::chrono::duration_cast<base::WallTime::duration>(std::chrono::nanoseconds(nanoseconds)));
}

std::string header_octets(std::string_view magic, const Header& header) {
  std::string out(magic);
  put(out, header.nonce);
  put(out, header.folder_time ? nanoseconds(*header.folder_time) : kNoTime);
  put(out, base::crc32c(out));
  out.resize(kHeaderOctets);
  return out;
}

std::optional<Header> parse_header(std::string_view magic, std::string_view octets) {
  if (octets.size() < kHeaderOctets || !octets.starts_with(magic) || get<std::uint32_t>(octets, 32) != base::crc32c(octets.substr(0, 32))) return std::nullopt;
  const auto time = get<std::int64_t>(octets, 24);
  return Header{get<std::uint64_t>(octets, 16), time == kNoTime ? std::nullopt : std::optional(time_of(time))};
}

// Of all of a row but the checksum itself, which is in front.
std::uint32_t checksum(std::string_view row, std::uint64_t nonce) {
  std::string seed;
  put(seed, nonce);
  return base::crc32c(row.substr(4, kRowOctets - 4), base::crc32c(seed));
}

}  // namespace

std::string rows_header(const Header& header) { return header_octets(kRowsMagic, header); }
std::string texts_header(const Header& header) { return header_octets(kTextsMagic, {header.nonce}); }
std::optional<Header> parse_rows_header(std::string_view octets) { return parse_header(kRowsMagic, octets); }
std::optional<Header> parse_texts_header(std::string_view octets) { return parse_header(kTextsMagic, octets); }

std::string to_octets(const Row& row, std::uint64_t nonce) {
  std::string out(4, '\0');
  put(out, static_cast<std::uint8_t>(row.kind));
  put(out, row.must_look ? kMustLook : std::uint8_t{0});
  put(out, row.text_octets);
  out += row.id.text();
  put(out, row.attempts);
  put(out, row.text_checksum);
  put(out, nanoseconds(row.modified));
  put(out, row.text_offset);
  put(out, row.arrived_after_id);
  put(out, row.header_octets);
  put(out, row.file_octets);
  std::string sum;
  put(sum, checksum(out, nonce));
  return out.replace(0, sum.size(), sum);
}

Row parse_row(std::string_view octets, std::uint64_t nonce) {
  if (octets.size() < kRowOctets || get<std::uint32_t>(octets, 0) != checksum(octets, nonce)) return {};
  const auto kind = get<std::uint8_t>(octets, 4);
  const auto id = Id::parse(octets.substr(8, Id::kOctets));
  if (!id || kind == 0 || kind > static_cast<std::uint8_t>(Row::Kind::Gone)) return {};
  Row row;
  row.kind = static_cast<Row::Kind>(kind);
  row.must_look = get<std::uint8_t>(octets, 5) == kMustLook;
  row.text_octets = get<std::uint16_t>(octets, 6);
  row.id = *id;
  row.attempts = get<std::uint16_t>(octets, 26);
  row.text_checksum = get<std::uint32_t>(octets, 28);
  row.modified = time_of(get<std::int64_t>(octets, 32));
  row.text_offset = get<std::uint64_t>(octets, 40);
  row.arrived_after_id = get<std::int32_t>(octets, 48);
  row.header_octets = get<std::uint32_t>(octets, 52);
  row.file_octets = get<std::uint64_t>(octets, 56);
  const bool is_possible = row.text_octets <= kMostTextOctets && row.header_octets <= row.file_octets;
  return is_possible ? row : Row();
}

std::string to_octets(const Text& text) {
  std::string out = text.sender + "\n" + text.reason + "\n";
  for (const auto& recipient : text.recipients) out.append(recipient).append("\n");
  return out;
}

bool parse_text(std::string_view octets, Text& text) {
  std::size_t lines = 0;
  for (; !octets.empty(); ++lines) {
    const auto end = octets.find('\n');
    if (end == std::string_view::npos) return false;
    const auto line = octets.substr(0, end);
    octets.remove_prefix(end + 1);
    if (lines == 0) {
      text.sender = line;
    } else if (lines == 1) {
      text.reason = line;
    } else if (lines - 2 < text.recipients.size()) {
      text.recipients[lines - 2] = line;
    } else {
      text.recipients.emplace_back(line);
    }
  }
  if (lines < 2) return false;
  text.recipients.resize(lines - 2);
  return true;
}

}  // namespace queue::catalog_format
