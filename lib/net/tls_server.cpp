// What the sessions of a server share, and clients do not have.
#include <algorithm>

#include "lib/base/text.h"
#include "lib/net/tls_internal.h"

namespace net::tls {
namespace {

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
  context.has_authorities = true;
  return {};
}

}  // namespace

// "mail.example.org", then "*.example.org" (RFC 6125 section 6.4.3: a wildcard stands for one label).
const Context::Named* Context::find(std::string_view name) const {
  const std::string wanted = base::text::to_lower(name);
  if (const auto found = by_name.find(wanted); found != by_name.end()) return &found->second;
  const auto dot = wanted.find('.');
  if (dot == std::string::npos) return nullptr;
  const auto found = by_name.find("*" + wanted.substr(dot));
  return found != by_name.end() ? &found->second : nullptr;
}

base::Result<std::shared_ptr<const Context>> server(const ServerOptions& options) {
  auto made = make_context(MBEDTLS_SSL_IS_SERVER, options.cipher_suites);
  if (!made) return std::unexpected(made.error());
  auto context = std::move(*made);
  auto* const config = context->config.get();
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
