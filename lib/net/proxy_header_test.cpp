#include "lib/net/proxy_header.h"

#include <doctest/doctest.h>

#include <string>

using net::ProxyHeader;
using Status = net::ProxyHeader::Status;
using namespace std::string_literals;

namespace {

struct Got {
  Status status;
  std::string client, server, rest;
};
Got read(std::string_view text) {
  ProxyHeader header;
  const auto status = header.read(text);
  return {status, header.client.is_empty() ? "" : header.client.text(), header.server.is_empty() ? "" : header.server.text(), std::string(text)};
}

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string kV4 = kSignature + "\x21\x11\0\x0c"s + "\xc0\0\2\1\xc0\0\2\2\x9c\x40\0\x19"s;
const std::string kV6 = kSignature + "\x21\x21\0\x24"s + "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\1"s + "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\2\x9c\x40\0\x19"s;

}  // namespace

TEST_CASE("PROXY: both versions, and what comes behind") {
  auto got = read("PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\nEHLO x\r\n");
  CHECK(got.status == Status::Read);
  CHECK(got.client == "192.0.2.1:40000");
  CHECK(got.server == "192.0.2.2:25");
  CHECK(got.rest == "EHLO x\r\n");
  got = read("PROXY TCP6 2001:db8::1 2001:db8::2 40000 25\r\n");
  CHECK(got.client == "[2001:db8::1]:40000");
  CHECK(read("PROXY UNKNOWN ffff:f...f 25\r\nx").rest == "x");
  CHECK(read("PROXY UNKNOWN\r\n").client.empty());
  got = read(kV4 + "x");
  CHECK(got.status == Status::Read);
  CHECK(got.client == "192.0.2.1:40000");
  CHECK(got.server == "192.0.2.2:25");
  CHECK(got.rest == "x");
  got = read(kV6);
  CHECK(got.client == "[2001:db8::1]:40000");
  CHECK(got.server == "[2001:db8::2]:25");
  CHECK(read(kSignature + "\x20\0\0\0"s).status == Status::Read);                                          // LOCAL
  CHECK(read(kSignature + "\x21\x31\0\xd8"s + std::string(216, 'x')).client.empty());                      // Unix sockets
  CHECK(read(kSignature + "\x21\x11\0\x0f"s + kV4.substr(16) + "\4\0\0x"s).rest == "x");                   // with a TLV
}

TEST_CASE("PROXY: cut anywhere it wants more, and never eats") {
  for (const auto& whole : {"PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\n"s, kV4, kV6})
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const auto got = read(whole.substr(0, i));
      CHECK(got.status == Status::NeedMore);
      CHECK(got.rest.size() == i);
    }
}

TEST_CASE("PROXY: what is none") {
  for (const auto& text : {"EHLO x\r\n"s, "PROXY\r\n"s, "PROXY TCP4\r\n"s, "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"s, "PROXY TCP4 192.0.2.1 192.0.2.2 40000 65536\r\n"s,
                           "PROXY TCP4 192.0.2.1 192.0.2.2 40000\r\n"s, "PROXY TCP4 192.0.2.1 192.0.2.2  40000 25\r\n"s, "PROXY TCP4 a b 1 2\r\n"s, "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"s,
                           "PROXY TCP4 " + std::string(200, ' '), kSignature + "\x31\x11\0\x0c"s + kV4.substr(16), kSignature + "\x22\x11\0\x0c"s + kV4.substr(16),
                           kSignature + "\x21\x11\0\x0b"s + kV4.substr(16), kSignature + "\x21\x11\xff\xff"s, kSignature + "\x21\x21\0\x0c"s + kV4.substr(16)})
    CHECK_MESSAGE(read(text).status == Status::Malformed, text);
}
