// Any octets are records or an unclosed quote; what was read and written again reads the same.
#include <cstdlib>

#include "vsl-filter/services/csv_record.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view delimiters[] = {",", ";", "\t", " ", "\xC2\xA7", "a"};
  const std::string_view delimiter = delimiters[data[0] % 6];
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);

  std::vector<std::vector<std::string>> records;
  std::vector<std::string> fields, key;
  std::string written;
  rules::CsvReader reader(text, delimiter), keys(text, delimiter);
  auto status = rules::CsvReader::Status::End;
  std::size_t last = 0;
  while ((status = reader.next(fields)) == rules::CsvReader::Status::Record) {
    if (reader.begin() < last || reader.end() <= reader.begin() || reader.end() > text.size()) std::abort();
    last = reader.end();
    if (fields.empty() || keys.next(key, 1) != status || key.size() != 1 || key[0] != fields[0] || keys.end() != reader.end()) std::abort();
    records.push_back(fields);
    written += rules::write_csv(fields, delimiter, records.size() % 2 == 0 ? "\r\n" : "\n");
  }
  rules::CsvReader again(written, delimiter);
  for (const auto& record : records)
    if (again.next(fields) != rules::CsvReader::Status::Record || fields != record) std::abort();
  if (again.next(fields) != rules::CsvReader::Status::End) std::abort();
  return 0;
}
