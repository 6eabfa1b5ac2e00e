#include "lib/smtp/dot_writer.h"

#include <doctest/doctest.h>

#include <vector>

#include "lib/smtp/message_needs.h"
#include "tests/smtp_suites.h"

using namespace smtp;

namespace {

std::string all_of(DotWriter writer) {
  std::string wire;
  while (!writer.is_done()) wire += writer.next();
  CHECK(writer.next().empty());
  return wire;
}

std::string wire_of(std::string_view message) { return all_of({message, scan_message(message).is_wire_ready}); }

// The message that a server reads out of `wire`, which must hold one end of data, at its end; no CR or LF alone.
std::string read_back(std::string_view wire) {
  std::string message;
  REQUIRE(wire.ends_with(".\r\n"));
  while (wire != ".\r\n") {
    const auto end = wire.find("\r\n");
    if (end == std::string_view::npos) FAIL("a line without an end");
    auto line = wire.substr(0, end);
    if (line.find_first_of("\r\n") != std::string_view::npos || line == ".") FAIL("the wire has a line end or an end of data of its own");
    if (line.starts_with('.')) line.remove_prefix(1);
    message += line;
    message += "\r\n";
    wire.remove_prefix(end + 2);
  }
  return message;
}

// Every CR, LF and CRLF as CRLF, and one at the end.
std::string normalised(std::string_view message) {
  std::string text;
  for (std::size_t i = 0; i < message.size(); ++i) {
    if (message[i] == '\r' && i + 1 < message.size() && message[i + 1] == '\n') continue;
    if (message[i] == '\r' || message[i] == '\n') {
      text += "\r\n";
    } else {
      text += message[i];
    }
  }
  if (!text.empty() && !text.ends_with("\r\n")) text += "\r\n";
  return text;
}

}  // namespace

TEST_CASE("dot_writer: the public cases of transparency") {
  const auto suite = testdata::smtp_suite("dot-stuffing.json");
  for (const auto& row : suite["cases"]) {
    CAPTURE(row["id"].get<std::string>());
    const auto message = testdata::unhex(row["message_hex"]);
    CHECK(wire_of(message) == testdata::unhex(row["wire_hex"]));
    CHECK(all_of({message, false}) == testdata::unhex(row["wire_hex"]));
  }
}

TEST_CASE("dot_writer: nothing in a message looks like the end of data on the wire") {
  const auto suite = testdata::smtp_suite("end-of-data.json");
  if (suite["cases"].empty()) return;
  const auto prefix = testdata::unhex(suite["prefix_hex"]), suffix = testdata::unhex(suite["suffix_hex"]);
  for (const auto& row : suite["cases"]) {
    CAPTURE(row["id"].get<std::string>());
    const auto message = prefix + testdata::unhex(row["bytes_hex"]) + suffix;
    CHECK(read_back(wire_of(message)) == normalised(message));
  }
}

TEST_CASE("dot_writer: line ends of every kind, around the edge of a block") {
  const std::vector<std::string> ends{"\r\n", "\n", "\r", "\r\r\n", "\n\r", ".\n", "\n.", "\r\n.\r\n", "\n.\n", "\r.\r", "."};
  for (const auto& end : ends) {
    for (std::size_t before = DotWriter::kBlockOctets - 3; before <= DotWriter::kBlockOctets + 3; ++before) {
      const auto message = std::string(before, 'a') + end + "b" + end;
      const auto wire = wire_of(message);
      CHECK(read_back(wire) == normalised(message));
      CHECK(scan_message(message).size_octets == normalised(message).size());
    }
  }
}

TEST_CASE("dot_writer: a large message that is ready is not copied, but for its last block") {
  std::string message;
  while (message.size() < 3 * DotWriter::kBlockOctets) message += "a line of a message that is long enough to be of interest\r\n";
  DotWriter writer(message, scan_message(message).is_wire_ready, "QUIT\r\n");
  CHECK(writer.next().data() == message.data());
  CHECK(writer.next().data() == message.data() + DotWriter::kBlockOctets);
  CHECK(writer.next().data() == message.data() + 2 * DotWriter::kBlockOctets);
  CHECK(writer.next().ends_with("\r\n.\r\nQUIT\r\n"));
  CHECK(writer.is_done());
}

TEST_CASE("dot_writer: blocks are bounded whatever the line length") {
  for (const char* unit : {"x", ".", "\r", "\n", ".\r\n", "\r\n."}) {
    std::string message;
    while (message.size() < 4 * DotWriter::kBlockOctets) message += unit;
    DotWriter writer(message, false);
    std::string wire;
    while (!writer.is_done()) {
      const auto block = writer.next();
      CHECK(block.size() <= 3 * DotWriter::kBlockOctets + 8);
      wire += block;
    }
    CHECK(read_back(wire) == normalised(message));
  }
}

TEST_CASE("message_needs: what a message asks of a server") {
  struct Row {
    std::string_view message;
    bool has_8bit, has_utf8_header, is_wire_ready;
  };
  for (const auto& row : std::vector<Row>{
           {"", false, false, true},
           {"\r\n", false, false, true},
           {"A: b\r\n\r\nc\r\n", false, false, true},
           {"A: b\r\n\r\nc", false, false, false},
           {"A: b\n\nc\n", false, false, false},
           {"A: b\r\n\r\n.c\r\n", false, false, false},
           {"A: b\r\n\r\nc\rd\r\n", false, false, false},
           {"A: b\r\n\r\nc\r\r\n", false, false, false},
           {"A: b\r\n\r\n\xC3\xA9\r\n", true, false, true},
           {"A: \xC3\xA9\r\n\r\nb\r\n", true, true, true},
           {"A: \xC3\xA9\n\nb\n", true, true, false},
           {"A: \xE9\r\n\r\nb\r\n", true, false, true},
           {"A: \xE9\r\n\r\n\xC3\xA9\r\n", true, false, true},
           {"A: \xC3\xA9\r\n\r\n\xE9\r\n", true, true, true},
           {"A: \xC3\xA9\r\n", true, true, true},
           {"A: \xC3\xA9", true, true, false},
       }) {
    CAPTURE(row.message);
    const auto needs = scan_message(row.message);
    CHECK(needs.has_8bit == row.has_8bit);
    CHECK(needs.has_utf8_header == row.has_utf8_header);
    CHECK(needs.is_wire_ready == row.is_wire_ready);
    CHECK(needs.size_octets == normalised(row.message).size());
  }
}

TEST_CASE("dot_writer: a chunk has CRLF line ends, no dots of ours, and the size that was announced") {
  CHECK(all_of({".a\r\nb\r\n", false, "QUIT\r\n", DotWriter::Form::Chunk}) == ".a\r\nb\r\nQUIT\r\n");
  CHECK(all_of({"", true, "", DotWriter::Form::Chunk}).empty());
  const std::string large(200'000, 'x');
  for (const auto& message : {std::string(), std::string("a"), std::string("a\n.\n"), std::string("\r"), std::string("a\rb\r\n\r\r\n\n"), std::string("a\r"), std::string(".\r\n..\r\n"), large, large + "\n" + large + "\r" + large}) {
    const auto needs = scan_message(message);
    const auto chunk = all_of({message, needs.size_octets == message.size(), "", DotWriter::Form::Chunk});
    CAPTURE(message.size());
    CHECK(chunk.size() == needs.size_octets);
  }
}
