// What the sessions of a server share.
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

// The first one that the client has too. mbedTLS itself would begin with the largest, which cost three times as much and protect no better
// than the cipher does.
#if MBEDTLS_VERSION_MAJOR >= 3
constexpr auto kCurves = std::to_array<std::uint16_t>({MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
                                                       MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE});
void set_curves(mbedtls_ssl_config* config) { ::mbedtls_ssl_conf_groups(config, kCurves.data()); }
#else
constexpr auto kCurves = std::to_array<mbedtls_ecp_group_id>({MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_SECP521R1, MBEDTLS_ECP_DP_NONE});
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

constexpr std::size_t kMaxNameOctets = 255;  // RFC 1035 section 2.3.4

bool is_of_host_name(char octet) { return base::text::is_digit(octet) || base::text::is_alpha(octet) || octet == '.' || octet == '-' || octet == '_'; }

int choose_by_name(void* context, mbedtls_ssl_context* ssl, const unsigned char* octets, std::size_t length) {
  const std::string_view name(reinterpret_cast<const char*>(octets), length);
  if (name.size() > kMaxNameOctets || !std::ranges::all_of(name, is_of_host_name)) return 0;  // nobody's; and it goes to logs
  asker_of(ssl).server_name = name;
  const auto* found = static_cast<const Context*>(context)->find(name);
  if (found == nullptr) return 0;
  asker_of(ssl).virtual_domain = found->domain;
  for (const auto& credentials : found->list)
    if (const int wrong = ::mbedtls_ssl_set_hs_own_cert(ssl, credentials->certificates.get(), credentials->key.get()); wrong != 0) return wrong;
  return 0;
}

base::Result<Context::CredentialList> load_all(const std::vector<CredentialFiles>& files) {
  Context::CredentialList list;
  for (const auto& each : files) {
    auto credentials = Credentials::load(each);
    if (!credentials) return std::unexpected(credentials.error());
    list.push_back(std::move(*credentials));
  }
  return list;
}

base::Result<void> load_virtuals(Context& context, const std::vector<ServerOptions::Virtual>& virtuals) {
  for (const auto& [domain, files] : virtuals) {
    auto list = load_all(files);
    if (!list) return base::fail_within("[virtual \"" + domain + "\"]", list.error());
    if (list->empty()) continue;
    context.by_name[base::text::to_lower(domain)] = {domain, *list};
    // A name of a section of its own wins over one in another section's certificate.
    for (const auto& credentials : *list)
      for (const auto& name : credentials->names) context.by_name.try_emplace(name, Context::Named{domain, *list});
  }
  return {};
}

void set_versions(mbedtls_ssl_config* config) {
#if MBEDTLS_VERSION_MAJOR >= 3
  ::mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
  ::mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

int verify_mode(ClientCertificate wanted) {
  switch (wanted) {
    case ClientCertificate::NotAsked: break;
    case ClientCertificate::Asked: return MBEDTLS_SSL_VERIFY_OPTIONAL;
    case ClientCertificate::Required: return MBEDTLS_SSL_VERIFY_REQUIRED;
  }
  return MBEDTLS_SSL_VERIFY_NONE;
}

base::Result<void> ask_for_certificates(Context& context, const ServerOptions& options) {
  ::mbedtls_ssl_conf_authmode(context.config.get(), verify_mode(options.client_certificate));
  if (options.client_certificate == ClientCertificate::NotAsked) return {};
  if (options.client_authorities.empty()) return base::fail(base::Fault::Config, "tls.client_certificate needs tls.client_authorities, a file with the certificates of who signs them");
  const int wrong = ::mbedtls_x509_crt_parse_file(context.authorities.get(), options.client_authorities.c_str());
  if (wrong != 0) return fail_tls(base::Fault::Config, options.client_authorities + ": not all certificates in it can be read", wrong);
  ::mbedtls_ssl_conf_ca_chain(context.config.get(), context.authorities.get(), nullptr);
  return {};
}

}  // namespace

std::string iana_name(std::string_view suite) {
  constexpr std::string_view kOfTls13 = "TLS1-3-";
  std::string name = suite.starts_with(kOfTls13) ? "TLS-" + std::string(suite.substr(kOfTls13.size())) : std::string(suite);
  std::ranges::replace(name, '-', '_');
  return name;
}

// "mail.example.org", then "*.example.org" (RFC 6125 section 6.4.3: a wildcard stands for one label).
const Context::Named* Context::find(std::string_view name) const {
  const std::string wanted = base::text::to_lower(name);
  if (const auto found = by_name.find(wanted); found != by_name.end()) return &found->second;
  const auto dot = wanted.find('.');
  if (dot == std::string::npos) return nullptr;
  const auto found = by_name.find("*" + wanted.substr(dot));
  return found != by_name.end() ? &found->second : nullptr;
}

std::vector<std::string> known_cipher_suites() {
  std::vector<std::string> names;
  std::ranges::transform(kSuites, std::back_inserter(names), name_of);
  return names;
}

base::Result<std::shared_ptr<const Context>> server(const ServerOptions& options) {
#if MBEDTLS_VERSION_MAJOR >= 3
  if (::psa_crypto_init() != PSA_SUCCESS) return base::fail(base::Fault::Temporary, "psa_crypto_init failed");
#endif
  auto context = std::make_shared<Context>();
  auto* const config = context->config.get();
  if (const int wrong = ::mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT); wrong != 0)
    return fail_tls(base::Fault::Temporary, "TLS", wrong);
  ::mbedtls_ssl_conf_rng(config, random_octets, nullptr);
  set_versions(config);
  set_curves(config);

  auto suites = suites_of(options.cipher_suites);
  if (!suites) return std::unexpected(suites.error());
  context->suites = std::move(*suites);
  ::mbedtls_ssl_conf_ciphersuites(config, context->suites.data());

  auto standard = load_all(options.standard);
  if (!standard) return std::unexpected(standard.error());
  context->standard = std::move(*standard);
  for (const auto& credentials : context->standard)
    if (const int wrong = ::mbedtls_ssl_conf_own_cert(config, credentials->certificates.get(), credentials->key.get()); wrong != 0) return fail_tls(base::Fault::Temporary, "TLS", wrong);
  if (auto loaded = load_virtuals(*context, options.virtuals); !loaded) return std::unexpected(loaded.error());
  ::mbedtls_ssl_conf_sni(config, choose_by_name, context.get());
  if (auto asked = ask_for_certificates(*context, options); !asked) return std::unexpected(asked.error());
  context->ticket_keys = options.ticket_keys;
  if (context->ticket_keys) context->ticket_keys->use_in(*config);
  return context;
}

}  // namespace net::tls
