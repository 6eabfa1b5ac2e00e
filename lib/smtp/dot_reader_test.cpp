#include "lib/smtp/dot_reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/smtp_suites.h"

using smtp::DotReader;
using Status = DotReader::Status;

namespace {

struct Reading {
  std::string message, rest;
  Status status = Status::NeedMore;
  bool has_bare = false;
  std::size_t longest = 0;
  bool operator==(const Reading&) const = default;
};

// Feeds `wire` in pieces that end at the given places.
Reading read_in_pieces(std::string_view wire, const std::vector<std::size_t>& cuts, DotReader reader = DotReader()) {
  Reading reading;
  std::size_t from = 0;
  const auto put = [&](std::string_view octets) { reading.message += octets; };
  for (std::size_t i = 0; i <= cuts.size() && reading.status == Status::NeedMore; ++i) {
    const std::size_t to = i < cuts.size() ? cuts[i] : wire.size();
    const std::string piece(wire.substr(from, to - from));  // its own allocation: reading outside it shows under asan
    std::string_view input = piece;
    reading.status = reader.feed(input, put);
    from = to - input.size();
  }
  reading.rest = wire.substr(from);
  reading.has_bare = reader.has_bare_line_end();
  // Lines that fit into a block need not be told.
  reading.longest = reader.longest_line_octets() > smtp::LineScan::kBlock ? reader.longest_line_octets() : 0;
  return reading;
}
Reading read(std::string_view wire, DotReader reader = DotReader()) { return read_in_pieces(wire, {}, reader); }

DotReader normalising() { return DotReader(DotReader::Framing::Dots, DotReader::BareLineEnd::Normalise); }
DotReader counted(DotReader::BareLineEnd bare) { return DotReader(DotReader::Framing::Counted, bare); }

// The rules again, octet by octet and without a table, to compare with.
Reading read_naively(std::string_view wire) {
  Reading r;
  std::string line;
  for (std::size_t i = 0; i < wire.size(); ++i) {
    line += wire[i];
    const bool is_cr = wire[i] == '\r', is_lf = wire[i] == '\n';
    if (is_cr && i + 1 < wire.size() && wire[i + 1] != '\n') r.has_bare = true;
    if (!is_lf) continue;
    if (i == 0 || wire[i - 1] != '\r') {
      r.has_bare = true;
      continue;
    }
    if (line == ".\r\n") {
      r.status = Status::EndOfData;
      r.rest = wire.substr(i + 1);
      return r;
    }
    if (line.front() == '.') line.erase(0, 1);
    r.message += line;
    line.clear();
  }
  return r;
}

}  // namespace

TEST_CASE("dot stuffing is undone as RFC 5321 section 4.5.2 says") {
  const auto suite = testdata::smtp_suite("dot-stuffing.json");
  for (const auto& c : suite["cases"]) {
    CAPTURE(c["id"].get<std::string>());
    const std::string wire = testdata::unhex(c["wire_hex"]);
    std::string expected = testdata::unhex(c["message_hex"]);
    if (!expected.empty() && !expected.ends_with("\r\n")) expected += "\r\n";
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
      const auto r = read_in_pieces(wire + "QUIT\r\n", {cut});
      CHECK(r.message == expected);
      CHECK(r.rest == "QUIT\r\n");
      CHECK(r.status == Status::EndOfData);
    }
  }
}

TEST_CASE("only CR LF . CR LF ends the data") {
  const auto suite = testdata::smtp_suite("end-of-data.json");
  for (const auto& c : suite["cases"]) {
    CAPTURE(c["id"].get<std::string>());
    const std::string wire = testdata::unhex(c["bytes_hex"]);
    for (const auto& reader : {DotReader(), normalising()}) {
      const auto r = read("text" + wire + "QUIT\r\n", reader);
      CHECK((r.status == Status::EndOfData) == c["ends_data"].get<bool>());
      CHECK(r.has_bare == c["has_bare_cr_or_lf"].get<bool>());
      if (r.status == Status::EndOfData) CHECK(r.rest == "QUIT\r\n");
    }
  }
}

TEST_CASE("how the input is cut changes nothing") {
  std::mt19937 random(20261121);
  const std::string_view kinds = "\r\n.x\0\r\n"
                                 "\r\n";
  for (int round = 0; round < 3000; ++round) {
    std::string wire;
    const std::size_t size = random() % 300;
    while (wire.size() < size) {
      switch (random() % 4) {
        case 0: wire += kinds[random() % kinds.size()]; break;
        case 1: wire += "\r\n"; break;
        case 2: wire += std::string(random() % 80, 'a'); break;
        case 3: wire += random() % 8 == 0 ? "\r\n.\r\n" : "\r\n.."; break;
      }
    }
    std::vector<std::size_t> each, some;
    for (std::size_t i = 1; i < wire.size(); ++i) {
      each.push_back(i);
      if (random() % 20 == 0) some.push_back(i);
    }
    for (const auto& reader : {DotReader(), normalising(), counted(DotReader::BareLineEnd::Normalise)}) {
      const auto whole = read(wire, reader);
      CAPTURE(wire);
      CHECK(read_in_pieces(wire, each, reader) == whole);
      CHECK(read_in_pieces(wire, some, reader) == whole);
    }
    const auto naive = read_naively(wire);
    const auto whole = read(wire);
    CHECK(whole.status == naive.status);
    if (whole.status == Status::EndOfData) {
      CHECK(whole.has_bare == naive.has_bare);
      CHECK(whole.rest == naive.rest);
      if (!whole.has_bare) CHECK(whole.message == naive.message);
    }
  }
}

TEST_CASE("normalising leaves CR LF only, and no line end where there was none") {
  struct Row {
    std::string_view wire, message;
  };
  for (const auto& [wire, message] : std::initializer_list<Row>{
           {"a\nb\r\n.\r\n", "a\r\nb\r\n"},
           {"a\rb\r\n.\r\n", "a\r\nb\r\n"},
           {"a\r\r\nb\r\n.\r\n", "a\r\nb\r\n"},        // CR CR LF would else end a header early
           {"a\r\r\rb\r\n.\r\n", "a\r\nb\r\n"},
           {"a\n\nb\r\n.\r\n", "a\r\n\r\nb\r\n"},
           {"a\n.\nb\r\n.\r\n", "a\r\n.\r\nb\r\n"},    // text: it is stuffed again when it is sent on
           {"\r\n.\nb\r\n.\r\n", "\r\n\r\nb\r\n"},     // this dot follows CR LF, so transparency takes it
           {"a\r\n.\r\r\n.\r\n", "a\r\n\r\n"},
       }) {
    const auto r = read(wire, normalising());
    CHECK(r.message == message);
    CHECK(r.has_bare);
    CHECK(r.status == Status::EndOfData);
  }
}

TEST_CASE("chunks have no dots and no end, only line ends") {
  std::string got;
  const auto put = [&](std::string_view octets) { got += octets; };
  auto reader = counted(DotReader::BareLineEnd::Refuse);
  std::string_view first = "\r\n.\r\n..a\r", second = "\nQUIT";
  CHECK(reader.feed(first, put) == Status::NeedMore);
  CHECK(reader.feed(second, put) == Status::NeedMore);
  reader.finish(put);
  CHECK(got == "\r\n.\r\n..a\r\nQUIT");
  CHECK_FALSE(reader.has_bare_line_end());

  auto ends_in_cr = counted(DotReader::BareLineEnd::Normalise);
  std::string_view text = "a\r";
  got.clear();
  (void)ends_in_cr.feed(text, put);
  CHECK_FALSE(ends_in_cr.has_bare_line_end());
  ends_in_cr.finish(put);
  CHECK(ends_in_cr.has_bare_line_end());
  CHECK(got == "a\r\n");
}

TEST_CASE("the longest line is told, CR LF counted") {
  for (const std::size_t octets : {70U, 999U, 1000U, 1001U, 5000U})
    for (const std::size_t before : {0U, 1U, 63U, 64U, 100U}) {
      const std::string wire = std::string(before, 'b') + "\r\n" + std::string(octets - 2, 'a') + "\r\nc\r\n.\r\n";
      std::vector<std::size_t> each;
      for (std::size_t i = 1; i < wire.size(); ++i) each.push_back(i);
      CHECK(read(wire).longest == std::max<std::size_t>(octets, before > 62 ? before + 2 : 0));
      CHECK(read_in_pieces(wire, each).longest == read(wire).longest);
    }
}
