// Rows, headers and texts as they may lie in a catalog: what is read must be what was written.
#include <cstdint>
#include <cstdlib>

#include "lib/queue/catalog_format.h"

namespace {

using namespace queue::catalog_format;

void check_text(std::string_view octets) {
  Text text{"left", "over", {"from", "before", "it"}};
  if (parse_text(octets, text) && to_octets(text) != octets) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  check_text(octets);
  (void)parse_rows_header(octets);
  (void)parse_texts_header(octets);
  // No fuzzer guesses a checksum: a row is made of the octets, and read back as they are and torn.
  (void)parse_row(octets, size);
  if (size < kRowOctets) return 0;
  Row row;
  row.kind = data[0] % 2 == 0 ? Row::Kind::Message : Row::Kind::Gone;
  row.must_look = data[1] % 2 == 0;
  row.attempts = data[2];
  row.text_octets = data[3];
  row.header_octets = data[4];
  row.file_octets = row.header_octets + data[5];
  std::string written = to_octets(row, data[6]);
  const auto read = parse_row(written, data[6]);
  if (read.kind != row.kind || read.must_look != row.must_look || read.attempts != row.attempts || read.file_octets != row.file_octets) std::abort();
  written[data[7] % kRowOctets] ^= static_cast<char>(data[8] == 0 ? 1 : data[8]);
  if (parse_row(written, data[6]).kind != Row::Kind::None) std::abort();
  return 0;
}
