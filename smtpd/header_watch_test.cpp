#include "smtpd/header_watch.h"

#include <doctest/doctest.h>

using smtpd::HeaderWatch;

namespace {

// What becomes of a message that comes in pieces of so many octets.
std::string through(std::string_view message, std::size_t piece, HeaderWatch& watch) {
  std::string out;
  const auto put = [&](std::string_view octets) { out += octets; };
  const auto complete = [&] { return std::string(watch.has_date() ? "" : "Date: now\r\n") + (watch.has_message_id() ? "" : "Message-ID: <1@x>\r\n"); };
  for (std::size_t at = 0; at < message.size(); at += piece) watch.feed(message.substr(at, piece), put, complete);
  watch.finish(put, complete);
  return out;
}

}  // namespace

TEST_CASE("header watch: fields that are missing are put where the header ends, however the message is cut") {
  struct Row {
    std::string_view message, expected;
  };
  const std::string long_name(HeaderWatch::kMaxNameOctets, 'x');
  const std::string longest = long_name + ": y\r\n\r\nbody\r\n", longer = long_name + "x: y\r\n\r\nbody\r\n";
  const std::string longest_done = long_name + ": y\r\nDate: now\r\nMessage-ID: <1@x>\r\n\r\nbody\r\n";
  const std::string longer_done = "Date: now\r\nMessage-ID: <1@x>\r\n\r\n" + longer;
  for (const auto& [message, expected] : std::initializer_list<Row>{
           {"Date: d\r\nMessage-ID: <m>\r\n\r\nbody\r\n", "Date: d\r\nMessage-ID: <m>\r\n\r\nbody\r\n"},
           {"DATE : d\r\nmessage-id:\r\n <m>\r\n\r\nDate: no\r\n", "DATE : d\r\nmessage-id:\r\n <m>\r\n\r\nDate: no\r\n"},
           {"Subject: x\r\n\r\nDate: body\r\n", "Subject: x\r\nDate: now\r\nMessage-ID: <1@x>\r\n\r\nDate: body\r\n"},
           {"Subject: x\r\n Date: folded\r\n\r\n", "Subject: x\r\n Date: folded\r\nDate: now\r\nMessage-ID: <1@x>\r\n\r\n"},
           {"Date: d\r\nX-Date: e\r\n\r\n", "Date: d\r\nX-Date: e\r\nMessage-ID: <1@x>\r\n\r\n"},
           {"Resent-Message-ID: <r>\r\nDate: d\r\n\r\n", "Resent-Message-ID: <r>\r\nDate: d\r\nMessage-ID: <1@x>\r\n\r\n"},
           {"Subject: only\r\n", "Subject: only\r\nDate: now\r\nMessage-ID: <1@x>\r\n"},
           {"Subject: cut", "Subject: cut\r\nDate: now\r\nMessage-ID: <1@x>\r\n"},
           {"Subject", "Date: now\r\nMessage-ID: <1@x>\r\n\r\nSubject"},
           {"\r\nbody\r\n", "Date: now\r\nMessage-ID: <1@x>\r\n\r\nbody\r\n"},
           {"", "Date: now\r\nMessage-ID: <1@x>\r\n"},
           {"no header at all\r\n", "Date: now\r\nMessage-ID: <1@x>\r\n\r\nno header at all\r\n"},
           {" begins with a blank\r\n", "Date: now\r\nMessage-ID: <1@x>\r\n\r\n begins with a blank\r\n"},
           {"Date: d\r\n: no name\r\n", "Date: d\r\nMessage-ID: <1@x>\r\n\r\n: no name\r\n"},
           {"Date: d\r\nMessage-ID: <m>\r\nno field\r\n", "Date: d\r\nMessage-ID: <m>\r\nno field\r\n"},
           {"Subject: x\n\nunix\n", "Subject: x\nDate: now\r\nMessage-ID: <1@x>\r\n\nunix\n"},
           {longest, longest_done},
           {longer, longer_done},
       }) {
    CAPTURE(message);
    for (const std::size_t piece : {1UL, 2UL, 3UL, 7UL, 100UL, 10'000UL}) {
      CAPTURE(piece);
      HeaderWatch watch;
      CHECK(through(message, piece, watch) == expected);
    }
  }
}

TEST_CASE("header watch: octets over 127 count in the header only") {
  for (const std::size_t piece : {1UL, 5UL, 1000UL}) {
    HeaderWatch header, body, unfinished;
    through("Subject: \xc3\xbc\r\n\r\nbody\r\n", piece, header);
    CHECK(header.has_8bit());
    through("Subject: u\r\n\r\n\xc3\xbc\r\n", piece, body);
    CHECK_FALSE(body.has_8bit());
    through("Subject: \xc3\xbc", piece, unfinished);
    CHECK(unfinished.has_8bit());
  }
}
