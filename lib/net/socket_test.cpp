#include "lib/net/socket.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

using net::Address;
using net::Network;

namespace {
struct WorkFolder {
  std::string path = "/tmp/vsmtp-net-XXXXXX";
  WorkFolder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~WorkFolder() { std::filesystem::remove_all(path); }
};
}  // namespace

TEST_CASE("net: an address is read and written the same way") {
  for (const auto* text : {"192.0.2.1:25", "0.0.0.0:0", "[2001:db8::1]:65535", "[::]:25", "unix:/run/x.sock"}) {
    const auto address = Address::parse(text);
    REQUIRE(address);
    CHECK(address->text() == text);
  }
  CHECK(Address::parse("[::ffff:192.0.2.1]:25")->ip() == "192.0.2.1");
  CHECK(Address::parse("192.0.2.1:25")->port() == 25);
  CHECK(Address::parse("unix:/x")->ip().empty());
  CHECK(Address().text().empty());
}

TEST_CASE("net: what is not an address is refused") {
  for (const auto* text : {"", "25", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.256:25", "localhost:25", "2001:db8::1:25",
                           "[2001:db8::1]", "[192.0.2.1]:25", "[]:25", "192.0.2.1:-1", "192.0.2.1:+1", "unix:"}) {
    CAPTURE(text);
    CHECK_FALSE(Address::parse(text));
  }
  CHECK(Address::parse("unix:/" + std::string(106, 'x')));
  CHECK_FALSE(Address::parse("unix:/" + std::string(107, 'x')));
}

TEST_CASE("net: a network contains its addresses and no others") {
  struct Case {
    const char *network, *address;
    bool contains;
  };
  for (const auto& c : std::initializer_list<Case>{
           {"192.0.2.0/24", "192.0.2.255", true},
           {"192.0.2.0/24", "192.0.3.0", false},
           {"192.0.2.128/25", "192.0.2.127", false},
           {"192.0.2.1", "192.0.2.1", true},
           {"192.0.2.1", "192.0.2.2", false},
           {"0.0.0.0/0", "203.0.113.9", true},
           {"0.0.0.0/0", "2001:db8::1", false},
           {"192.0.2.0/24", "::ffff:192.0.2.7", true},
           {"2001:db8::/33", "2001:db8:7fff::", true},
           {"2001:db8::/33", "2001:db8:8000::", false},
           {"::/0", "::1", true},
       }) {
    CAPTURE(c.network);
    CAPTURE(c.address);
    CHECK(Network::parse(c.network)->contains(*Address::from_ip(c.address, 0)) == c.contains);
  }
  CHECK_FALSE(Network::parse("0.0.0.0/0")->contains(*Address::parse("unix:/x")));
  for (const auto* bad : {"", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "example.org/8", "2001:db8::/129"}) CHECK_FALSE(Network::parse(bad));
}

TEST_CASE("net: a Unix socket that nobody serves is replaced, one that is served is not") {
  const WorkFolder folder;
  const auto address = *Address::parse("unix:" + folder.path + "/s");
  {
    const auto first = net::listen_on(address);
    REQUIRE(first);
    struct stat status;
    REQUIRE(::stat((folder.path + "/s").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK_FALSE(net::listen_on(address));
    CHECK(net::connect_to(address));
  }
  CHECK_FALSE(net::connect_to(address));
  CHECK(net::listen_on(address, 16, 0666));
  const auto file = *Address::parse("unix:" + folder.path + "/file");
  { const base::UniqueFd fd(::open((folder.path + "/file").c_str(), O_CREAT | O_WRONLY, 0600)); }
  CHECK_FALSE(net::listen_on(file));
}

TEST_CASE("net: both sides of a connection know each other") {
  const auto listening = net::listen_on(*Address::parse("127.0.0.1:0"));
  REQUIRE(listening);
  const auto address = Address::of_local(listening->get());
  CHECK(address.port() != 0);
  const auto client = net::connect_to(address);
  REQUIRE(client);
  const base::UniqueFd server(::accept(listening->get(), nullptr, nullptr));
  CHECK(Address::of_peer(server.get()).text() == Address::of_local(client->get()).text());
  CHECK(Address::of_peer(-1).is_empty());
}

TEST_CASE("address: an IPv6 address of a link has a scope") {
  using namespace std::string_view_literals;
  const auto address = net::Address::from_ip("fe80::1%lo", 25);
  REQUIRE(address);
  CHECK(reinterpret_cast<const sockaddr_in6*>(address->system())->sin6_scope_id == 1);
  CHECK(net::Address::from_ip("fe80::1%7", 25));
  for (const auto bad : {"fe80::1%"sv, "fe80::1%no-such-link"sv, "fe80::1%0"sv, "192.0.2.1%lo"sv, "192.0.2.1\0x"sv, "::1\0"sv}) {
    CAPTURE(bad);
    CHECK_FALSE(net::Address::from_ip(bad, 25));
  }
}
