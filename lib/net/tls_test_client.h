// A client of lib/net/tls.h for tests, fuzzers and benchmarks: mbedTLS itself, between two strings.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "lib/net/tls_internal.h"

namespace net::tls::test {

struct Client {
  Owned<mbedtls_ssl_config, mbedtls_ssl_config_init, mbedtls_ssl_config_free> config;
  Owned<mbedtls_ssl_context, mbedtls_ssl_init, mbedtls_ssl_free> ssl;
  std::string input, output;  // from and to the server

  // Of TLS 1.2, which all versions of mbedTLS have, if not told otherwise.
  explicit Client(const char* server_name = nullptr, [[maybe_unused]] bool newest = false) {
    ::mbedtls_ssl_config_defaults(config.get(), MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    ::mbedtls_ssl_conf_authmode(config.get(), MBEDTLS_SSL_VERIFY_NONE);
    ::mbedtls_ssl_conf_rng(config.get(), random_octets, nullptr);
#if MBEDTLS_VERSION_MAJOR >= 3
    if (!newest) ::mbedtls_ssl_conf_max_tls_version(config.get(), MBEDTLS_SSL_VERSION_TLS1_2);
#endif
    name = server_name;
  }
  // After what is to be changed in `config`.
  void begin() {
    ::mbedtls_ssl_setup(ssl.get(), config.get());
    if (name != nullptr) ::mbedtls_ssl_set_hostname(ssl.get(), name);
    ::mbedtls_ssl_set_bio(ssl.get(), this, put, take, nullptr);
  }
  int shake_hands() { return ::mbedtls_ssl_handshake(ssl.get()); }
  void say(std::string_view text) {
    while (!text.empty()) {
      const int taken = ::mbedtls_ssl_write(ssl.get(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
      if (taken <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(taken));
    }
  }
  std::string hear() {
    std::string heard;
    std::vector<unsigned char> piece(16384);
    for (int got; (got = ::mbedtls_ssl_read(ssl.get(), piece.data(), piece.size())) > 0;) heard.append(reinterpret_cast<const char*>(piece.data()), static_cast<std::size_t>(got));
    return heard;
  }
  [[nodiscard]] std::string server_fingerprint() { return fingerprint_of(*::mbedtls_ssl_get_peer_cert(ssl.get())); }

 private:
  const char* name;

  static int take(void* self, unsigned char* out, std::size_t wanted) {
    auto& input = static_cast<Client*>(self)->input;
    if (input.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
    const auto octets = std::min(wanted, input.size());
    std::memcpy(out, input.data(), octets);
    input.erase(0, octets);
    return static_cast<int>(octets);
  }
  static int put(void* self, const unsigned char* octets, std::size_t count) {
    static_cast<Client*>(self)->output.append(reinterpret_cast<const char*>(octets), count);
    return static_cast<int>(count);
  }
};

}  // namespace net::tls::test
