// What the sessions of a client share.
#include <sys/stat.h>

#include "lib/net/tls_internal.h"

namespace net::tls {
namespace {

bool is_folder(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// A bundle of a distribution may have a certificate that mbedTLS cannot read: who needs just that one is not verified.
base::Result<void> load_authorities(Context& context, const std::string& path) {
  auto* const chain = context.authorities.get();
  const int result = is_folder(path) ? ::mbedtls_x509_crt_parse_path(chain, path.c_str()) : ::mbedtls_x509_crt_parse_file(chain, path.c_str());
  if (result < 0) return fail_tls(base::Fault::Config, path + ": no certificates of authorities", result);
  if (chain->raw.p == nullptr) return base::fail(base::Fault::Config, path + ": no certificate of an authority; expected: a PEM file, or a folder of such");
  ::mbedtls_ssl_conf_ca_chain(context.config.get(), chain, nullptr);
  context.has_authorities = true;
  return {};
}

}  // namespace

base::Result<std::shared_ptr<const Context>> client(const ClientOptions& options) {
  auto made = make_context(MBEDTLS_SSL_IS_CLIENT, options.cipher_suites);
  if (!made) return std::unexpected(made.error());
  auto context = std::move(*made);
  auto* const config = context->config.get();
  // The handshake goes on whatever the certificate is: which one will do is decided by who knows what for, from the facts.
  ::mbedtls_ssl_conf_authmode(config, options.authorities.empty() ? MBEDTLS_SSL_VERIFY_NONE : MBEDTLS_SSL_VERIFY_OPTIONAL);
  if (!options.authorities.empty())
    if (auto loaded = load_authorities(*context, options.authorities); !loaded) return std::unexpected(loaded.error());
  if (!options.credentials.certificate.empty()) {
    auto own = Credentials::load(options.credentials);
    if (!own) return std::unexpected(own.error());
    context->own = std::move(*own);
    if (const int wrong = ::mbedtls_ssl_conf_own_cert(config, context->own->certificates.get(), context->own->key.get()); wrong != 0) return fail_tls(base::Fault::Temporary, "TLS", wrong);
  }
  if (options.newest_only) {
#if MBEDTLS_VERSION_MAJOR >= 3
    ::mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_3);
#else
    return base::fail(base::Fault::Config, "TLS 1.3 needs a newer mbedTLS than this program was built with");
#endif
  }
  ::mbedtls_ssl_conf_session_tickets(config, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
#if MBEDTLS_VERSION_NUMBER >= 0x03060100
  ::mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
  return context;
}

}  // namespace net::tls
