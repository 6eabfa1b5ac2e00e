// Octets of a client that is no client: nothing but an error, or more to wait for, may come of them.
#include <array>
#include <cstdint>
#include <fstream>

#include "lib/net/tls_internal.h"
#include "lib/net/tls_test_files.h"

namespace {

namespace tls = net::tls;

std::string write_file(const char* name, std::string_view text) {
  std::ofstream(name) << text;
  return name;
}

std::shared_ptr<const tls::Context> make_context() {
  std::string pattern = "/tmp/tls-fuzz.XXXXXX";
  const std::string folder = ::mkdtemp(pattern.data());
  const auto certificate = write_file((folder + "/crt").c_str(), tls::test::kEcCertificate), key = write_file((folder + "/key").c_str(), tls::test::kEcKey);
  tls::ServerOptions options;
  options.standard = {{certificate, key}};
  options.virtuals = {{"example.org", {{certificate, key}}}};
  options.client_certificate = tls::ClientCertificate::Asked;
  options.client_authorities = certificate;
  options.ticket_keys = tls::make_ticket_keys(3600 * 1000);
  auto context = tls::server(options);
  for (const auto& path : {certificate, key}) ::unlink(path.c_str());
  ::rmdir(folder.c_str());
  if (!context) __builtin_trap();
  return *context;
}

}  // namespace

// The first octet says in what pieces the rest comes; records are also fed with a right front, so that their bodies are read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto context = make_context();
  if (size < 2) return 0;
  const std::size_t piece = (data[0] & 0x7F) + 1U;
  std::string octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 0x80) != 0 && octets.size() <= 16384)
    octets.insert(0, std::string{'\x16', '\x03', '\x03', static_cast<char>(octets.size() >> 8), static_cast<char>(octets.size() & 0xFF)});
  tls::Session session(context);
  std::string plaintext, output;
  for (std::size_t at = 0; at < octets.size(); at += piece) {
    const auto received = session.receive(std::string_view(octets).substr(at, piece), plaintext, output);
    if (!received) break;
    if (session.is_open()) __builtin_trap();  // no handshake ends without the client's part of the key
  }
  if (!plaintext.empty()) __builtin_trap();
  return 0;
}
