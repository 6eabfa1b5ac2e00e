#include "lib/mail/stored_form.h"

#include <doctest/doctest.h>

#include "lib/base/io.h"

using mail::LineEnd;

namespace {
struct Written {
  std::string octets;
  mail::StoredSize size;
};
Written write(std::string_view fields, const mail::Segments& message, LineEnd line_end) {
  const auto file = base::memory_file("test");
  REQUIRE(file);
  const auto size = mail::write_stored(file->get(), fields, message, line_end);
  REQUIRE(size);
  REQUIRE(::lseek(file->get(), 0, SEEK_SET) == 0);
  auto octets = base::read_all(file->get(), 1 << 28);
  REQUIRE(octets);
  return {std::move(*octets), *size};
}
std::string joined(const mail::Segments& segments) {
  std::string all;
  for (const auto segment : segments) all += segment;
  return all;
}
std::size_t bare_lfs(std::string_view octets) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < octets.size(); ++i) count += octets[i] == '\n' && (i == 0 || octets[i - 1] != '\r');
  return count;
}
}  // namespace

TEST_CASE("deliver-maildir: line ends become what is set, and nothing else changes") {
  struct Case {
    std::string_view message;
    std::string_view lf;
    std::string_view crlf;
  };
  using namespace std::string_view_literals;
  const Case cases[] = {
      {""sv, ""sv, ""sv},
      {"\r\n"sv, "\n"sv, "\r\n"sv},
      {"\n"sv, "\n"sv, "\r\n"sv},
      {"a: b\r\n\r\nc\r\n"sv, "a: b\n\nc\n"sv, "a: b\r\n\r\nc\r\n"sv},
      {"a\nb\r\nc"sv, "a\nb\nc"sv, "a\r\nb\r\nc"sv},
      {"a\rb\r\r\nc\r"sv, "a\rb\r\nc\r"sv, "a\rb\r\r\nc\r"sv},
      {"a\0b\r\n\xff\r\n"sv, "a\0b\n\xff\n"sv, "a\0b\r\n\xff\r\n"sv},
  };
  for (const auto& c : cases) {
    CAPTURE(c.message);
    const auto lf = write("", {c.message}, LineEnd::Lf);
    CHECK(lf.octets == c.lf);
    CHECK(lf.size.octets == lf.octets.size());
    CHECK(lf.size.octets_with_crlf == lf.octets.size() + bare_lfs(lf.octets));
    const auto crlf = write("", {c.message}, LineEnd::CrLf);
    CHECK(crlf.octets == c.crlf);
    CHECK(crlf.size.octets == crlf.octets.size());
    CHECK(crlf.size.octets_with_crlf == crlf.octets.size());
  }
}

TEST_CASE("deliver-maildir: messages below, at and above the size of the buffer are written whole") {
  for (const std::size_t size : {131071, 131072, 131073, 262144, 1000000}) {
    CAPTURE(size);
    const std::string one_line(size, 'x');
    CHECK(write("F: x\n", {one_line}, LineEnd::Lf).octets == "F: x\n" + one_line);
    std::string lines;
    while (lines.size() < size) lines += "0123456789\r\n";
    lines.resize(size);
    std::string with_lf;
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (!lines.substr(i, 2).starts_with("\r\n")) with_lf += lines[i];
    CHECK(write("", {lines}, LineEnd::Lf).octets == with_lf);
  }
}

TEST_CASE("deliver-maildir: an older Return-Path leaves the header section, wherever and however it is written") {
  struct Case {
    std::string_view message;
    std::string_view expected;
  };
  const Case cases[] = {
      {"", ""},
      {"Return-Path: <a@b>\r\nSubject: x\r\n\r\nbody\r\n", "Subject: x\r\n\r\nbody\r\n"},
      {"A: 1\nreturn-PATH : <a@b>\nB: 2\n\nbody", "A: 1\nB: 2\n\nbody"},
      {"A: 1\nReturn-Path:\n\t<a@b>\n  more\nB: 2\n\n", "A: 1\nB: 2\n\n"},
      {"Return-Path: <a>\nReturn-Path: <b>\nA: 1\n", "A: 1\n"},
      {"A: 1\nReturn-Path: <a>", "A: 1\n"},
      {"A: 1\nReturn-Path: <a>\n\nReturn-Path: <b>\n", "A: 1\n\nReturn-Path: <b>\n"},
      {"A: 1\r\n\r\nReturn-Path: <b>\r\n", "A: 1\r\n\r\nReturn-Path: <b>\r\n"},
      {"Return-Path-X: <a>\nX-Return-Path: <a>\nReturn-Path\n", "Return-Path-X: <a>\nX-Return-Path: <a>\nReturn-Path\n"},
      {"A: 1\n Return-Path: <folded>\n\n", "A: 1\n Return-Path: <folded>\n\n"},
      {"Return-Path: <a>\n", ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.message);
    CHECK(joined(mail::without_return_path(c.message)) == c.expected);
  }
}

TEST_CASE("deliver-maildir: the fields of a delivery stand in front, in the line end of the rest") {
  CHECK(mail::delivery_fields("a@b", "c@d") == "Return-Path: <a@b>\nDelivered-To: c@d\n");
  CHECK(mail::delivery_fields("", "c@d") == "Return-Path: <>\nDelivered-To: c@d\n");
  CHECK(mail::delivery_fields(std::nullopt, "") == "");
  CHECK(write("Return-Path: <>\n", {"A: 1\r\n\r\n"}, LineEnd::CrLf).octets == "Return-Path: <>\r\nA: 1\r\n\r\n");
}

TEST_CASE("stored form: lines that would begin a message of an mbox are quoted, and can be unquoted") {
  struct Case {
    std::string_view line, quoted;
  };
  for (const auto& c : std::initializer_list<Case>{{"From me", ">From me"},
                                                   {">From me", ">>From me"},
                                                   {">>>From ", ">>>>From "},
                                                   {"From: me", "From: me"},
                                                   {"from me", "from me"},
                                                   {" From me", " From me"},
                                                   {">", ">"},
                                                   {">from", ">from"}}) {
    CAPTURE(c.line);
    base::UniqueFd file(std::move(*base::memory_file("test")));
    const std::string message = "A: 1\r\n\r\nb\r\n" + std::string(c.line) + "\r\nend\r\n";
    const auto size = mail::write_stored(file.get(), "From x\n", {message}, LineEnd::Lf, mail::FromLines::Quoted);
    REQUIRE(size);
    CHECK(*base::pread_text(file.get(), size->octets, 0) == "From x\nA: 1\n\nb\n" + std::string(c.quoted) + "\nend\n");
  }
}

TEST_CASE("stored form: the line that begins a message of an mbox") {
  const base::WallTime now{std::chrono::seconds(1'700'000'000)};
  const auto line = mail::mbox_from_line("me@example.org", now);
  CHECK(line.starts_with("From me@example.org "));
  CHECK(line.ends_with(" 2023\n"));
  CHECK(line.size() == std::string_view("From me@example.org Tue Nov 14 22:13:20 2023\n").size());
  CHECK(mail::mbox_from_line("", now).starts_with("From MAILER-DAEMON "));
  CHECK(mail::mbox_from_line("\"a b\"@x", now).starts_with("From \"a-b\"@x "));
}
