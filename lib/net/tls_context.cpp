// What the sessions of a server or a client share.
#include <algorithm>

#include "lib/base/text.h"
#include "lib/net/tls_internal.h"

namespace net::tls {
namespace {

// ECDHE and AEAD, and of TLS 1.3 whatever it has (RFC 9325 section 4.2). The first one is fastest with the instructions of a processor for AES.
constexpr auto kSuites = std::to_array<int>({
#if MBEDTLS_VERSION_MAJOR >= 3
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
});

// The first one that the client has too: mbedTLS takes two thirds of the time for X25519 that it takes for P-256 (it computes the table
// of the base point anew for each key). It would begin with the largest itself, which cost three times as much and protect no better than
// the cipher does.
#if MBEDTLS_VERSION_MAJOR >= 3
constexpr auto kCurves = std::to_array<std::uint16_t>({MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
                                                       MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE});
void set_curves(mbedtls_ssl_config* config) { ::mbedtls_ssl_conf_groups(config, kCurves.data()); }
#else
constexpr auto kCurves = std::to_array<mbedtls_ecp_group_id>({MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_SECP521R1, MBEDTLS_ECP_DP_NONE});
void set_curves(mbedtls_ssl_config* config) { ::mbedtls_ssl_conf_curves(config, kCurves.data()); }
#endif

std::string name_of(int suite) { return iana_name(::mbedtls_ssl_get_ciphersuite_name(suite)); }

std::string all_suites() {
  std::string text;
  for (const auto& name : known_cipher_suites()) text += (text.empty() ? "" : " ") + name;
  return text;
}

base::Result<std::vector<int>> suites_of(const std::vector<std::string>& names) {
  std::vector<int> suites;
  for (const auto& name : names) {
    const auto known = std::ranges::find_if(kSuites, [&](int suite) { return name_of(suite) == name; });
    if (known == kSuites.end()) return base::fail(base::Fault::Config, "unknown cipher suite '" + base::text::printable(name) + "'; expected some of: " + all_suites());
    suites.push_back(*known);
  }
  if (names.empty()) suites.assign(kSuites.begin(), kSuites.end());
  suites.push_back(0);
  return suites;
}

void set_versions(mbedtls_ssl_config* config) {
#if MBEDTLS_VERSION_MAJOR >= 3
  ::mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
  ::mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

}  // namespace

std::string iana_name(std::string_view suite) {
  constexpr std::string_view kOfTls13 = "TLS1-3-";
  std::string name = suite.starts_with(kOfTls13) ? "TLS-" + std::string(suite.substr(kOfTls13.size())) : std::string(suite);
  std::ranges::replace(name, '-', '_');
  return name;
}

std::vector<std::string> known_cipher_suites() {
  std::vector<std::string> names;
  std::ranges::transform(kSuites, std::back_inserter(names), name_of);
  return names;
}

namespace {

// A client that would rather speak in clear than with these has gained nothing (RFC 7435 section 3); those that protect from nobody are
// left out.
void append_old_suites(std::vector<int>& suites) {
  constexpr auto kUseless = std::to_array<std::string_view>({"NULL", "RC4", "DES", "anon", "EXPORT", "PSK", "CAMELLIA", "ARIA"});
  suites.pop_back();
  for (const int* suite = ::mbedtls_ssl_list_ciphersuites(); *suite != 0; ++suite) {
    const std::string_view name = ::mbedtls_ssl_get_ciphersuite_name(*suite);
    const bool is_useless = std::ranges::any_of(kUseless, [&](std::string_view word) { return name.contains(word); });
    if (!is_useless && std::ranges::find(suites, *suite) == suites.end()) suites.push_back(*suite);
  }
  suites.push_back(0);
}

}  // namespace

base::Result<std::shared_ptr<Context>> make_context(int end, const std::vector<std::string>& cipher_suites) {
#if MBEDTLS_VERSION_MAJOR >= 3
  if (::psa_crypto_init() != PSA_SUCCESS) return base::fail(base::Fault::Temporary, "psa_crypto_init failed");
#endif
  auto context = std::make_shared<Context>();
  auto* const config = context->config.get();
  if (const int wrong = ::mbedtls_ssl_config_defaults(config, end, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT); wrong != 0)
    return fail_tls(base::Fault::Temporary, "TLS", wrong);
  context->is_client = end == MBEDTLS_SSL_IS_CLIENT;
  ::mbedtls_ssl_conf_rng(config, random_octets, nullptr);
  set_versions(config);
  set_curves(config);

  auto suites = suites_of(cipher_suites);
  if (!suites) return std::unexpected(suites.error());
  context->suites = std::move(*suites);
  if (context->is_client && cipher_suites.empty()) append_old_suites(context->suites);
  ::mbedtls_ssl_conf_ciphersuites(config, context->suites.data());
  return context;
}

}  // namespace net::tls
