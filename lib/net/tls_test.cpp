#include "lib/net/tls.h"

#include <doctest/doctest.h>

#include "lib/net/tls_test_client.h"
#include "lib/net/tls_test_folder.h"

namespace tls = net::tls;
using tls::test::Client;
using tls::test::Files;
using tls::test::Folder;

namespace {

// What the server heard and what it cost of round trips; `piece`: octets that are handed over at once.
struct Shaken {
  bool is_done = false;
  std::string error;
};
Shaken shake(Client& client, tls::Session& server, std::size_t piece = 1 << 20) {
  std::string plaintext;
  for (int turns = 0; turns < 20; ++turns) {
    const int result = client.shake_hands();
    std::string to_server = std::exchange(client.output, {});
    if (to_server.empty() && result == 0) return {server.is_open(), ""};
    for (std::size_t at = 0; at < to_server.size(); at += piece) {
      const auto received = server.receive(std::string_view(to_server).substr(at, piece), plaintext, client.input);
      if (!received) return {false, received.error().cause};
    }
  }
  return {false, "no end"};
}

std::string fingerprint(const tls::CredentialFiles& files) {
  const auto loaded = tls::Credentials::load(files);
  REQUIRE(loaded);
  return tls::fingerprint_of(*(*loaded)->certificates.get());
}

std::shared_ptr<const tls::Context> context_of(const tls::ServerOptions& options) {
  auto context = tls::server(options);
  REQUIRE_MESSAGE(context.has_value(), (context ? "" : context.error().cause));
  return *context;
}

}  // namespace

TEST_CASE("tls: a handshake, and octets in both directions, in pieces of every size") {
  Files files;
  tls::ServerOptions options;
  options.standard = {files.ec};
  const auto context = context_of(options);
  for (const std::size_t piece : {1, 3, 100, 100000}) {
    Client client("mail.example.org");
    client.begin();
    tls::Session server(context);
    const auto shaken = shake(client, server, piece);
    INFO(shaken.error);
    REQUIRE(shaken.is_done);
    const auto facts = server.facts();
    CHECK(facts.protocol == "TLSv1.2");
    CHECK(facts.cipher == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    CHECK(facts.key_bits == 128);
    CHECK(facts.server_name == "mail.example.org");
    CHECK(facts.peer == nullptr);

    const std::string long_text(50000, 'x');
    client.say("EHLO x\r\n");
    client.say(long_text);
    std::string plaintext;
    for (std::size_t at = 0; at < client.output.size(); at += piece) REQUIRE(server.receive(std::string_view(client.output).substr(at, piece), plaintext, client.input));
    CHECK(plaintext == "EHLO x\r\n" + long_text);
    server.send("250 " + long_text, client.input);
    CHECK(client.hear() == "250 " + long_text);
    server.close(client.input);
    unsigned char octet;
    CHECK(::mbedtls_ssl_read(client.ssl.get(), &octet, 1) == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
  }
}

#if MBEDTLS_VERSION_MAJOR >= 3
TEST_CASE("tls: TLS 1.3 where mbedTLS has it") {
  Files files;
  tls::ServerOptions options;
  options.standard = {files.rsa, files.ec};
  options.ticket_keys = tls::make_ticket_keys(3600 * 1000);
  const auto context = context_of(options);
  Client client("mail.example.org", true);
  client.begin();
  tls::Session server(context);
  const auto shaken = shake(client, server);
  INFO(shaken.error);
  REQUIRE(shaken.is_done);
  CHECK(server.facts().protocol == "TLSv1.3");
  CHECK(server.facts().cipher.starts_with("TLS_"));
  CHECK_FALSE(server.facts().cipher.contains("ECDHE"));
  CHECK(server.facts().server_name == "mail.example.org");
  client.say("EHLO x\r\n");
  std::string plaintext;
  REQUIRE(server.receive(std::exchange(client.output, {}), plaintext, client.input));
  CHECK(plaintext == "EHLO x\r\n");
  server.send("250 x\r\n", client.input);
  std::string heard;
  for (int i = 0; i < 5; ++i) heard += client.hear();  // each ticket ends one
  CHECK(heard == "250 x\r\n");
}
#endif

TEST_CASE("tls: which certificate a client gets") {
  Files files;
  tls::ServerOptions options;
  options.standard = {files.ec, files.rsa};
  options.virtuals = {{"Example.NET", {files.net}}};
  const auto context = context_of(options);
  const auto given_to = [&](const char* name, std::vector<int> suites = {}) {
    Client client(name);
    suites.push_back(0);
    if (suites.size() > 1) ::mbedtls_ssl_conf_ciphersuites(client.config.get(), suites.data());
    client.begin();
    tls::Session server(context);
    const auto shaken = shake(client, server);
    INFO(shaken.error);
    REQUIRE(shaken.is_done);
    return client.server_fingerprint();
  };
  CHECK(given_to(nullptr) == fingerprint(files.ec));
  CHECK(given_to(nullptr, {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}) == fingerprint(files.rsa));
  CHECK(given_to("example.net") == fingerprint(files.net));       // the section's name
  CHECK(given_to("MAIL.example.net") == fingerprint(files.net));  // its certificate is for *.example.net
  CHECK(given_to("a.b.example.net") == fingerprint(files.ec));    // a wildcard is one label
  CHECK(given_to("example.com") == fingerprint(files.ec));
  CHECK(given_to("bad\nname") == fingerprint(files.ec));
}

TEST_CASE("tls: old protocols and weak suites are refused, with an alert") {
  Files files;
  tls::ServerOptions options;
  options.standard = {files.ec, files.rsa};
  const auto context = context_of(options);
  SUBCASE("TLS 1.1") {
#if MBEDTLS_VERSION_MAJOR < 3
    Client client;
    ::mbedtls_ssl_conf_min_version(client.config.get(), 3, 2);
    ::mbedtls_ssl_conf_max_version(client.config.get(), 3, 2);
    client.begin();
    tls::Session server(context);
    CHECK_FALSE(shake(client, server).is_done);
    CHECK(client.input.starts_with("\x15\x03"));  // alert
#endif
  }
  SUBCASE("RSA key exchange, CBC") {
    for (const int suite : {MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256, MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256}) {
      Client client;
      const int suites[] = {suite, 0};
      ::mbedtls_ssl_conf_ciphersuites(client.config.get(), suites);
      client.begin();
      tls::Session server(context);
      CHECK_FALSE(shake(client, server).is_done);
      CHECK(client.input.starts_with("\x15\x03"));
    }
  }
  SUBCASE("no TLS at all") {
    tls::Session server(context);
    std::string plaintext, output;
    const auto received = server.receive("EHLO client.example\r\nMAIL FROM:<a@b.example>\r\n", plaintext, output);
    CHECK_FALSE(received);
    CHECK(plaintext.empty());
    CHECK_FALSE(server.receive("more", plaintext, output));
    CHECK_FALSE(server.is_open());
  }
}

TEST_CASE("tls: a session is resumed by its ticket, for two periods of the keys, by every server with the same keys") {
  Files files;
  tls::ServerOptions options;
  options.standard = {files.ec};
  options.ticket_keys = tls::make_ticket_keys(3600 * 1000);
  const auto first = context_of(options), second = context_of(options);
  tls::Owned<mbedtls_ssl_session, mbedtls_ssl_session_init, mbedtls_ssl_session_free> session;
  {
    Client client;
    client.begin();
    tls::Session server(first);
    REQUIRE(shake(client, server).is_done);
    REQUIRE(::mbedtls_ssl_get_session(client.ssl.get(), session.get()) == 0);
  }
  const auto certificates_sent = [&](const std::shared_ptr<const tls::Context>& context) {
    Client client;
    client.begin();
    REQUIRE(::mbedtls_ssl_set_session(client.ssl.get(), session.get()) == 0);
    tls::Session server(context);
    std::string sent, plaintext;
    for (int turns = 0; turns < 10; ++turns) {
      const int result = client.shake_hands();
      if (result == 0 && client.output.empty()) break;
      REQUIRE(server.receive(std::exchange(client.output, {}), plaintext, client.input));
      sent += client.input;
    }
    CHECK(server.is_open());
    return sent.contains("mail.example.org");  // in clear only within a certificate, which a resumed session does not need
  };
  CHECK_FALSE(certificates_sent(first));
  CHECK_FALSE(certificates_sent(second));
  options.ticket_keys = tls::make_ticket_keys(3600 * 1000);
  CHECK(certificates_sent(context_of(options)));
  options.ticket_keys = nullptr;
  CHECK(certificates_sent(context_of(options)));
}

TEST_CASE("tls: certificates of clients") {
  Files files;
  tls::ServerOptions options;
  options.standard = {files.ec};
  options.client_authorities = files.net.certificate;
  const auto with = [&](tls::ClientCertificate wanted, const tls::CredentialFiles* own, tls::Facts* facts = nullptr) {
    options.client_certificate = wanted;
    const auto context = context_of(options);
    Client client;
    std::shared_ptr<const tls::Credentials> credentials;
    if (own != nullptr) {
      credentials = *tls::Credentials::load(*own);
      ::mbedtls_ssl_conf_own_cert(client.config.get(), credentials->certificates.get(), credentials->key.get());
    }
    client.begin();
    tls::Session server(context);
    const bool is_done = shake(client, server).is_done;
    if (is_done && facts != nullptr) *facts = server.facts();
    return is_done;
  };
  tls::Facts facts;
  CHECK(with(tls::ClientCertificate::NotAsked, &files.net, &facts));
  CHECK(facts.peer == nullptr);
  CHECK(with(tls::ClientCertificate::Asked, nullptr, &facts));
  CHECK(facts.peer == nullptr);
  CHECK(with(tls::ClientCertificate::Asked, &files.net, &facts));
  REQUIRE(facts.peer != nullptr);
  CHECK(facts.peer->is_verified);
  CHECK(facts.peer->subject == "CN=example.net");
  CHECK(facts.peer->issuer == "CN=example.net");
  CHECK(facts.peer->fingerprint == fingerprint(files.net));
  CHECK(facts.peer->names == std::vector<std::string>{"*.example.net", "me@example.net"});
  CHECK(with(tls::ClientCertificate::Asked, &files.rsa, &facts));  // nobody known has signed it
  REQUIRE(facts.peer != nullptr);
  CHECK_FALSE(facts.peer->is_verified);
  CHECK_FALSE(with(tls::ClientCertificate::Required, nullptr));
  CHECK_FALSE(with(tls::ClientCertificate::Required, &files.rsa));
  CHECK(with(tls::ClientCertificate::Required, &files.net));
}

TEST_CASE("tls: files that are wrong are named") {
  Files files;
  const auto cause_of = [](const tls::ServerOptions& options) {
    const auto context = tls::server(options);
    return context ? std::string() : context.error().cause;
  };
  const auto with = [&](const tls::CredentialFiles& pair) {
    tls::ServerOptions options;
    options.standard = {pair};
    return cause_of(options);
  };
  CHECK(with(files.ec).empty());
  CHECK(with({files.put("both.pem", std::string(tls::test::kEcCertificate) + std::string(tls::test::kEcKey)), ""}).empty());
  CHECK(with({"/nowhere/x.crt", files.ec.key}) == "open /nowhere/x.crt: No such file or directory");
  CHECK(with({files.ec.certificate, "/nowhere/x.key"}) == "open /nowhere/x.key: No such file or directory");
  CHECK(with({files.put("empty.crt", ""), files.ec.key}).contains("empty.crt: no certificate in PEM form"));
  CHECK(with({files.ec.certificate, files.rsa.certificate}).contains("rsa.crt: no private key in PEM form"));
  const auto mixed = with({files.ec.certificate, files.net.key});
  CHECK(mixed.contains(files.ec.certificate));
  CHECK(mixed.contains(files.net.key));
  CHECK(mixed.contains("do not belong together"));

  tls::ServerOptions options;
  options.standard = {files.ec};
  options.cipher_suites = {"TLS_RSA_WITH_NULL_MD5"};
  CHECK(cause_of(options).starts_with("unknown cipher suite 'TLS_RSA_WITH_NULL_MD5'; expected some of: TLS_"));
  options.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"};
  CHECK(cause_of(options).empty());
  options.virtuals = {{"example.net", {{files.net.certificate, files.ec.key}}}};
  CHECK(cause_of(options).starts_with("[virtual \"example.net\"]: the certificate of "));
  options.virtuals.clear();
  options.client_certificate = tls::ClientCertificate::Asked;
  CHECK(cause_of(options).contains("tls.client_authorities"));
}
