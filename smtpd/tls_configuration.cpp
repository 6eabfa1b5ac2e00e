#include "smtpd/tls_configuration.h"

#include <string>
#include <vector>

namespace smtpd {
namespace {

using net::tls::ClientCertificate;
using net::tls::CredentialFiles;

// `section`: "tls", or `virtual "example.org"`.
base::Result<std::vector<CredentialFiles>> credentials(const base::Settings& settings, const std::string& section) {
  const auto certificates = settings.words(section + ".certificate");
  const auto keys = settings.words(section + ".private_key");
  if (!keys.empty() && keys.size() != certificates.size())
    return base::fail(base::Fault::Config, "[" + section + "] private_key has " + std::to_string(keys.size()) + " files, certificate has " + std::to_string(certificates.size()) +
                                               "; expected: one for each certificate, in their order, or none when the keys stand in the files of the certificates");
  std::vector<CredentialFiles> files;
  for (std::size_t i = 0; i < certificates.size(); ++i) files.push_back({certificates[i], keys.empty() ? std::string() : keys[i]});
  return files;
}

ClientCertificate client_certificate(const std::string& choice) {
  return choice == "require" ? ClientCertificate::Required : choice == "ask" ? ClientCertificate::Asked : ClientCertificate::NotAsked;
}

std::string section_of(const std::string& domain) { return "virtual \"" + domain + "\""; }

using ContextPointer = std::shared_ptr<const net::tls::Context>;

// `standard_section`: whose certificates are for clients that name nobody.
base::Result<ContextPointer> context_with(const std::string& standard_section, const base::Settings& settings, const std::shared_ptr<net::tls::TicketKeys>& ticket_keys) {
  auto standard = credentials(settings, standard_section);
  if (!standard) return std::unexpected(standard.error());
  net::tls::ServerOptions options;
  for (const auto& domain : settings.names("virtual")) {
    auto files = credentials(settings, section_of(domain));
    if (!files) return std::unexpected(files.error());
    if (standard->empty() && !files->empty() && standard_section == "tls") return base::fail(base::Fault::Config, "[virtual \"" + domain + "\"] has a certificate and [tls] has none; expected: one in [tls] for clients that ask for no name");
    options.virtuals.push_back({domain, std::move(*files)});
  }
  if (standard->empty()) return nullptr;
  options.standard = std::move(*standard);
  options.cipher_suites = settings.words("tls.cipher_suite");
  options.client_certificate = client_certificate(settings.text("tls.client_certificate"));
  options.client_authorities = settings.text("tls.client_authorities");
  const auto lifetime = settings.milliseconds("tls.ticket_lifetime");
  if (lifetime > 0) options.ticket_keys = ticket_keys ? ticket_keys : net::tls::make_ticket_keys(lifetime);
  auto context = net::tls::server(options);
  if (!context) return base::fail_within("tls", context.error());
  return context;
}

}  // namespace

base::Result<ContextPointer> tls_context(const base::Settings& settings, const std::shared_ptr<net::tls::TicketKeys>& ticket_keys) {
  return context_with("tls", settings, ticket_keys);
}

base::Result<ContextPointer> tls_context_of(const std::string& domain, const base::Settings& settings, const std::shared_ptr<net::tls::TicketKeys>& ticket_keys) {
  return context_with(section_of(domain), settings, ticket_keys);
}

}  // namespace smtpd
