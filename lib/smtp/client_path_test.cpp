#include "lib/smtp/client_path.h"

#include <doctest/doctest.h>

#include <vector>

using smtp::path_for_command;

TEST_CASE("client_path: addresses go as they are, get their quotes, or do not go") {
  struct Row {
    std::string address;
    std::string path;  // "!": none
  };
  const std::string long_local(320, 'a');
  for (const auto& row : std::vector<Row>{
           {"", ""},
           {"a@example.org", "a@example.org"},
           {"\"a b\"@example.org", "\"a b\"@example.org"},
           {"a b@example.org", "\"a b\"@example.org"},
           {"a@b@example.org", "\"a@b\"@example.org"},
           {"a.@example.org", "\"a.\"@example.org"},
           {"a>b@example.org", "\"a>b\"@example.org"},
           {"a\"b\\c@example.org", "\"a\\\"b\\\\c\"@example.org"},
           {"a@[192.0.2.1]", "a@[192.0.2.1]"},
           {"a@my_host.example", "a@my_host.example"},
           {"postmaster", "postmaster"},
           {"\xC3\xA9@\xC3\xA9.example", "\xC3\xA9@\xC3\xA9.example"},
           {long_local + "@example.org", long_local + "@example.org"},
           {"\xE9@example.org", "!"},
           {"a\r\nRSET@example.org", "!"},
           {std::string("a\0b@example.org", 15), "!"},
           {"a\x7F@example.org", "!"},
           {"a@example.org> SIZE=1", "!"},
           {"a@exam ple.org", "!"},
           {"a@[192.0.2.1", "!"},
           {"@example.org", "!"},
       }) {
    CAPTURE(row.address);
    CHECK(path_for_command(row.address).value_or("!") == row.path);
  }
}
