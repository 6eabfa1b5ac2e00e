#include "lib/chain/transfer.h"

#include <doctest/doctest.h>

using chain::ForwardTarget;
using Kind = ForwardTarget::Kind;
using Tls = ForwardTarget::Tls;

namespace {

struct Row {
  std::string_view given;
  Kind kind;
  std::string_view host;
  std::uint16_t port;
  std::string_view delivery_host;
  std::string_view text;  // "" when it is what was given
};

}  // namespace

TEST_CASE("transfer: the forms of a forward's target") {
  for (const Row& row : std::initializer_list<Row>{
           {"example.org", Kind::Domain, "example.org", 0, "[example.org]", ""},
           {"mx.example.org.", Kind::Domain, "mx.example.org", 0, "[mx.example.org]", "mx.example.org"},
           {"localhost", Kind::Domain, "localhost", 0, "[localhost]", ""},
           {"example.org:2525", Kind::Socket, "example.org", 2525, "[example.org]:2525", ""},
           {"bücher.example", Kind::Domain, "bücher.example", 0, "[bücher.example]", ""},
           {"192.0.2.1", Kind::Ip, "192.0.2.1", 0, "[192.0.2.1]", ""},
           {"[192.0.2.1]", Kind::Ip, "192.0.2.1", 0, "[192.0.2.1]", "192.0.2.1"},
           {"2001:db8::5", Kind::Ip, "2001:db8::5", 0, "[IPv6:2001:db8::5]", ""},
           {"[2001:db8::5]", Kind::Ip, "2001:db8::5", 0, "[IPv6:2001:db8::5]", "2001:db8::5"},
           {"::1", Kind::Ip, "::1", 0, "[IPv6:::1]", ""},
           {"fe80::5%eth0", Kind::Ip, "fe80::5%eth0", 0, "[IPv6:fe80::5%eth0]", ""},
           {"192.0.2.1:2525", Kind::Socket, "192.0.2.1", 2525, "[192.0.2.1]:2525", ""},
           {"[192.0.2.1]:65535", Kind::Socket, "192.0.2.1", 65535, "[192.0.2.1]:65535", "192.0.2.1:65535"},
           {"[2001:db8::5]:2525", Kind::Socket, "2001:db8::5", 2525, "[IPv6:2001:db8::5]:2525", ""},
           {"[fe80::5%2]:25", Kind::Socket, "fe80::5%2", 25, "[IPv6:fe80::5%2]:25", ""},
           {"smtp://example.org", Kind::Url, "example.org", 0, "[example.org]", ""},
           {"SMTP://example.org:587/", Kind::Url, "example.org", 587, "[example.org]:587", "smtp://example.org:587"},
           {"smtp://[2001:db8::5]:25?tls=none", Kind::Url, "2001:db8::5", 25, "[IPv6:2001:db8::5]:25", ""},
           {"smtp://192.0.2.1?tls=opportunistic", Kind::Url, "192.0.2.1", 0, "[192.0.2.1]", "smtp://192.0.2.1"},
       }) {
    CAPTURE(row.given);
    const auto target = ForwardTarget::parse(row.given);
    REQUIRE(target);
    CHECK(target->kind == row.kind);
    CHECK(target->host == row.host);
    CHECK(target->port == row.port);
    CHECK(target->delivery_host() == row.delivery_host);
    CHECK(target->text() == (row.text.empty() ? row.given : row.text));
    CHECK(target->is_plain());
    CHECK(ForwardTarget::parse(target->text()) == target);
  }
}

TEST_CASE("transfer: a URL may ask for TLS and a log-in") {
  const auto target = ForwardTarget::parse("smtp://user%40site:p%3Aw%2F@mail.example.org:587?tls=required");
  REQUIRE(target);
  CHECK(target->user == "user@site");
  CHECK(target->password == "p:w/");
  CHECK(target->tls == Tls::Required);
  CHECK_FALSE(target->is_plain());
  CHECK(target->text() == "smtp://user%40site:p%3Aw%2F@mail.example.org:587?tls=required");
  CHECK(target->public_text() == "smtp://user%40site@mail.example.org:587?tls=required");
  CHECK(ForwardTarget::parse("smtps://example.org")->tls == Tls::Tunnel);
  CHECK_FALSE(ForwardTarget::parse("smtps://example.org")->is_plain());
  CHECK(ForwardTarget::parse("smtp://example.org?tls=tunnel")->text() == "smtps://example.org");
  CHECK(ForwardTarget::parse("smtp://u:a:b@example.org")->password == "a:b");
  CHECK_FALSE(ForwardTarget::parse("smtp://u@example.org")->is_plain());
}

TEST_CASE("transfer: what is no target of a forward") {
  using namespace std::string_view_literals;
  for (const auto bad : {
           "not a host"sv, ""sv, "."sv, "example..org"sv, "-x.example"sv, "192.0.2.256"sv, "192.0.2"sv, "1.2.3.4.5"sv, "192.0.2.1:0"sv,
           "192.0.2.1:"sv, "192.0.2.1:65536"sv, "192.0.2.1:25x"sv, "192.0.2.1:+25"sv, "[2001:db8::5"sv, "[2001:db8::5]25"sv, "[2001:db8::5]:"sv, "[example.org]"sv,
           "[]"sv, "[]:25"sv, "2001:db8::5:99999"sv, "fe80::5%"sv, "fe80::5%a b"sv, "fe80::5%interfacename12345"sv, "192.0.2.1%eth0"sv, "192.0.2.1\0"sv,
           "192.0.2.1\0x:25"sv, "example.org\0"sv, "example.org\r\n"sv, "user@example.org"sv, "unix:/run/x"sv, "http://example.org"sv, "smtp://"sv, "smtp:///"sv,
           "smtp://example.org/path"sv, "smtp://example.org?tls=maybe"sv, "smtp://example.org?tls=none&x=1"sv, "smtp://example.org?"sv, "smtp://@example.org"sv,
           "smtp://:p@example.org"sv, "smtp://u%4@example.org"sv, "smtp://u%0a@example.org"sv, "smtp://u:p%00@example.org"sv, "smtps://example.org?tls=none"sv,
           "smtp://example.org:70000"sv, "smtp://2001:db8::5"sv, "smtp://exa mple.org"sv, "example.org#x"sv, "example.org/"sv,
       }) {
    CAPTURE(bad);
    CHECK_FALSE(ForwardTarget::parse(bad));
  }
}

TEST_CASE("transfer: methods by name") {
  for (const auto name : {"Deliver", "Mbox", "Maildir", "None", "Forward"}) CHECK(chain::name_of(*chain::transfer_method_of(name)) == name);
  CHECK_FALSE(chain::transfer_method_of("deliver"));
  CHECK_FALSE(chain::transfer_method_of(""));
}
