#include <doctest/doctest.h>

#include "lib/net/certificate_names.h"
#include "lib/net/tls_internal.h"
#include "lib/net/tls_test_folder.h"

namespace tls = net::tls;
using Status = tls::Session::Status;

namespace {

template <class Options>
std::shared_ptr<const tls::Context> made(base::Result<std::shared_ptr<const tls::Context>> (*make)(const Options&), const Options& options) {
  auto context = make(options);
  REQUIRE_MESSAGE(context.has_value(), (context ? "" : context.error().cause));
  return *context;
}

struct Pair {
  tls::Session server, client;
  std::string at_server, at_client;  // what they have heard
  std::string error;

  Pair(std::shared_ptr<const tls::Context> of_server, std::shared_ptr<const tls::Context> of_client, const tls::Called& called = {})
      : server(std::move(of_server)), client(std::move(of_client), called) {
    std::string to_server, to_client;
    (void)client.receive({}, at_client, to_server);
    for (int turns = 0; turns < 10 && !(to_server.empty() && to_client.empty()); ++turns) {
      if (auto got = server.receive(std::exchange(to_server, {}), at_server, to_client); !got) error += "server: " + got.error().cause;
      if (auto got = client.receive(std::exchange(to_client, {}), at_client, to_server); !got) error += "client: " + got.error().cause;
    }
  }
  [[nodiscard]] bool is_open() const { return server.is_open() && client.is_open(); }
};

}  // namespace

TEST_CASE("tls: a client and a server of ours, in both directions") {
  tls::test::Files files;
  tls::ServerOptions options;
  options.standard = {files.ec};
  Pair pair(made(tls::server, options), made(tls::client, {}), {"mail.example.org", ""});
  INFO(pair.error);
  REQUIRE(pair.is_open());
  CHECK(pair.server.facts().server_name == "mail.example.org");
  std::string to_server, to_client;
  pair.client.send("EHLO x\r\n", to_server);
  REQUIRE(pair.server.receive(to_server, pair.at_server, to_client));
  CHECK(pair.at_server == "EHLO x\r\n");
  pair.server.send("250 x\r\n", to_client);
  REQUIRE(pair.client.receive(to_client, pair.at_client, to_server));
  CHECK(pair.at_client == "250 x\r\n");
  // Both ends have the same channel bindings.
  const auto of_client = pair.client.facts(), of_server = pair.server.facts();
  CHECK_FALSE(of_client.server_end_point.empty());
  CHECK(of_client.server_end_point == of_server.server_end_point);
  CHECK(of_client.unique == of_server.unique);
  to_client.clear();
  pair.server.close(to_client);
  const auto ended = pair.client.receive(to_client, pair.at_client, to_server);
  REQUIRE(ended);
  CHECK(*ended == Status::Ended);
}

TEST_CASE("tls: what a client knows of the server's certificate") {
  tls::test::Files files;
  tls::ServerOptions options;
  options.standard = {files.ec};
  const auto server = made(tls::server, options);
  const auto peer_of = [&](const std::string& authorities) {
    tls::ClientOptions of_client;
    of_client.authorities = authorities;
    Pair pair(server, made(tls::client, of_client), {"mail.example.org", ""});
    INFO(pair.error);
    REQUIRE(pair.is_open());
    auto facts = pair.client.facts();
    REQUIRE(facts.peer != nullptr);
    return std::move(*facts.peer);
  };
  const std::vector<std::string> right{"mail.example.org"}, wrong{"mail.example.net"};
  const auto trusted = peer_of(files.ec.certificate);
  CHECK(trusted.is_verified);
  CHECK(trusted.problem.empty());
  CHECK(trusted.common_name == "mail.example.org");
  CHECK(trusted.fingerprint.size() == 64);
  CHECK(trusted.key_fingerprint.size() == 64);
  CHECK(tls::names_one_of(trusted, right));
  CHECK_FALSE(tls::names_one_of(trusted, wrong));
  const auto of_others = peer_of(files.rsa.certificate);
  CHECK_FALSE(of_others.is_verified);
  CHECK(of_others.problem.contains("not correctly signed"));
  // Without authorities nobody is believed.
  const auto of_nobody = peer_of("");
  CHECK_FALSE(of_nobody.is_verified);
  CHECK_FALSE(of_nobody.problem.empty());
}

TEST_CASE("tls: authorities from a folder; what is none is an error that names it") {
  tls::test::Files files;
  tls::ClientOptions options;
  options.authorities = std::filesystem::path(files.ec.certificate).parent_path();
  tls::ServerOptions of_server;
  of_server.standard = {files.rsa};
  Pair pair(made(tls::server, of_server), made(tls::client, options));
  REQUIRE(pair.is_open());
  CHECK(pair.client.facts().peer->is_verified);
  options.authorities = files.put("none.pem", "nothing\n");
  auto bad = tls::client(options);
  REQUIRE_FALSE(bad);
  CHECK(bad.error().cause.contains("none.pem"));
  options.authorities = "/nowhere/at/all";
  CHECK_FALSE(tls::client(options));
}

TEST_CASE("tls: a client resumes a session, and an old or broken one does no harm") {
  tls::test::Files files;
  tls::ServerOptions options;
  options.standard = {files.ec};
  options.ticket_keys = tls::make_ticket_keys(3600 * 1000);
  const auto server = made(tls::server, options);
  tls::ClientOptions of_client;
  of_client.authorities = files.ec.certificate;
  const auto client = made(tls::client, of_client);
  Pair first(server, client, {"mail.example.org", ""});
  REQUIRE(first.is_open());
  CHECK_FALSE(first.client.facts().is_resumed);
  const auto saved = first.client.resumption();
  REQUIRE_FALSE(saved.empty());
  Pair second(server, client, {"mail.example.org", saved});
  REQUIRE(second.is_open());
  CHECK(second.client.facts().is_resumed);
  CHECK(second.client.facts().unique.empty());
  CHECK(second.server.facts().is_resumed);
  Pair broken(server, client, {"mail.example.org", saved.substr(0, saved.size() / 2)});
  REQUIRE(broken.is_open());
  CHECK_FALSE(broken.client.facts().is_resumed);
  options.ticket_keys = tls::make_ticket_keys(3600 * 1000);
  Pair other(made(tls::server, options), client, {"mail.example.org", saved});
  REQUIRE(other.is_open());
  CHECK_FALSE(other.client.facts().is_resumed);
}

TEST_CASE("tls: a client shows its certificate to a server that asks") {
  tls::test::Files files;
  tls::ServerOptions options;
  options.standard = {files.ec};
  options.client_certificate = tls::ClientCertificate::Required;
  options.client_authorities = files.net.certificate;
  const auto server = made(tls::server, options);
  tls::ClientOptions of_client;
  CHECK_FALSE(Pair(server, made(tls::client, of_client)).is_open());
  of_client.credentials = files.net;
  Pair pair(server, made(tls::client, of_client));
  INFO(pair.error);
  REQUIRE(pair.is_open());
  REQUIRE(pair.server.facts().peer != nullptr);
  CHECK(pair.server.facts().peer->common_name == "example.net");
  CHECK(pair.server.facts().peer->is_verified);
}
