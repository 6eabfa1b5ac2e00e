#include "vsl-filter/services/csv_record.h"

#include <doctest/doctest.h>

using namespace rules;
using Status = CsvReader::Status;
using Records = std::vector<std::vector<std::string>>;

namespace {
Records read(std::string_view text, std::string_view delimiter = ",") {
  CsvReader reader(text, delimiter);
  Records records;
  std::vector<std::string> fields;
  while (reader.next(fields) == Status::Record) records.push_back(fields);
  return records;
}
}  // namespace

TEST_CASE("csv record: RFC 4180 section 2") {
  CHECK(read("aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n") == Records{{"aaa", "bbb", "ccc"}, {"zzz", "yyy", "xxx"}});  // 1
  CHECK(read("aaa,bbb,ccc\r\nzzz,yyy,xxx") == Records{{"aaa", "bbb", "ccc"}, {"zzz", "yyy", "xxx"}});      // 2
  CHECK(read("\"aaa\",\"bbb\",\"ccc\"\r\nzzz,yyy,xxx") == Records{{"aaa", "bbb", "ccc"}, {"zzz", "yyy", "xxx"}});  // 5
  CHECK(read("\"aaa\",\"b\r\nbb\",\"ccc\"\r\nzzz,yyy,xxx") == Records{{"aaa", "b\r\nbb", "ccc"}, {"zzz", "yyy", "xxx"}});  // 6
  CHECK(read("\"aaa\",\"b\"\"bb\",\"ccc\"") == Records{{"aaa", "b\"bb", "ccc"}});  // 7
}

TEST_CASE("csv record: what else files hold") {
  CHECK(read("").empty());
  CHECK(read("\n \n\t\r\n").empty());
  CHECK(read(" a , b \n\n c,\n") == Records{{"a", "b"}, {"c", ""}});
  CHECK(read(",\n") == Records{{"", ""}});
  CHECK(read("\"\"\n") == Records{{""}});
  CHECK(read(" \" a \" ,b") == Records{{" a ", "b"}});
  CHECK(read("\"a\"b ,c") == Records{{"ab", "c"}});
  CHECK(read("a\"b\"\"c,d") == Records{{"a\"b\"\"c", "d"}});
  CHECK(read("a\rb,c\r") == Records{{"a\rb", "c"}});
  CHECK(read("\xEF\xBB\xBF" "a,b") == Records{{"a", "b"}});
  CHECK(read("a\tb\t\tc ", "\t") == Records{{"a", "b", "", "c"}});
  CHECK(read("a,b\xC2\xA7" "c", "\xC2\xA7") == Records{{"a,b", "c"}});
  CHECK(read(std::string_view("a\0b,c", 5)) == Records{{std::string("a\0b", 3), "c"}});
}

TEST_CASE("csv record: a quote that is not closed") {
  for (const std::string_view text : {"\"", "a\n\"b,c\n", "a,\"b\"\"\n"}) {
    CsvReader reader(text, ",");
    std::vector<std::string> fields;
    Status status;
    while ((status = reader.next(fields)) == Status::Record) continue;
    CHECK(status == Status::UnclosedQuote);
  }
}

TEST_CASE("csv record: where records lie, and the first fields only") {
  const std::string_view text = "a,1\r\n\n\"b\nb\",2,3\nc";
  CsvReader reader(text, ",");
  std::vector<std::string> fields;
  REQUIRE(reader.next(fields, 1) == Status::Record);
  CHECK(fields == std::vector<std::string>{"a"});
  CHECK(text.substr(reader.begin(), reader.end() - reader.begin()) == "a,1\r\n");
  REQUIRE(reader.next(fields, 2) == Status::Record);
  CHECK(fields == std::vector<std::string>{"b\nb", "2"});
  CHECK(text.substr(reader.begin(), reader.end() - reader.begin()) == "\"b\nb\",2,3\n");
  REQUIRE(reader.next(fields, 2) == Status::Record);
  CHECK(fields == std::vector<std::string>{"c"});
  CHECK(reader.next(fields) == Status::End);
}

TEST_CASE("csv record: what is written reads the same") {
  for (const std::vector<std::string>& record : Records{{"a", "b"}, {"", ""}, {""}, {" a", "b\t"}, {"a\"b", "c,d", "e\r\nf"}, {"\xEF\xBB\xBFx"}}) {
    CHECK(read(write_csv(record, ",", "\n") + write_csv(record, ",", "\r\n")) == Records{record, record});
    CHECK(read(write_csv(record, "\t", "\n"), "\t") == Records{record});
  }
  CHECK(write_csv(std::vector<std::string>{"ann@client.example", "3"}, ",", "\n") == "ann@client.example,3\n");
}

TEST_CASE("csv record: delimiters") {
  for (const char* good : {",", ";", "\t", "|", "\xC2\xA7", "\xE2\x82\xAC"}) CHECK(is_csv_delimiter(good));
  for (const char* bad : {"", "ab", "\"", "\n", "\r", "\xC2", "\x80"}) CHECK_FALSE(is_csv_delimiter(bad));
}
