#include "smtpd/tls_configuration.h"

#include <string>
#include <vector>

namespace smtpd {
namespace {

using net::tls::ClientCertificate;
using net::tls::CredentialFiles;

base::Result<std::vector<CredentialFiles>> credentials(const base::Settings& settings) {
  const auto certificates = settings.words("tls.certificate");
  const auto keys = settings.words("tls.private_key");
  if (!keys.empty() && keys.size() != certificates.size())
    return base::fail(base::Fault::Config, "tls.private_key has " + std::to_string(keys.size()) + " files, tls.certificate has " + std::to_string(certificates.size()) +
                                               "; expected: one for each certificate, in their order, or none when the keys stand in the files of the certificates");
  std::vector<CredentialFiles> files;
  for (std::size_t i = 0; i < certificates.size(); ++i) files.push_back({certificates[i], keys.empty() ? std::string() : keys[i]});
  return files;
}

ClientCertificate client_certificate(const std::string& choice) {
  return choice == "require" ? ClientCertificate::Required : choice == "ask" ? ClientCertificate::Asked : ClientCertificate::NotAsked;
}

}  // namespace

base::Result<std::shared_ptr<const net::tls::Context>> tls_context(const base::Settings& settings, std::shared_ptr<net::tls::TicketKeys> ticket_keys) {
  auto standard = credentials(settings);
  if (!standard) return std::unexpected(standard.error());
  if (standard->empty()) return nullptr;
  net::tls::ServerOptions options;
  options.standard = std::move(*standard);
  options.cipher_suites = settings.words("tls.cipher_suite");
  options.client_certificate = client_certificate(settings.text("tls.client_certificate"));
  options.client_authorities = settings.text("tls.client_authorities");
  const auto lifetime = settings.milliseconds("tls.ticket_lifetime");
  if (lifetime > 0) options.ticket_keys = ticket_keys ? std::move(ticket_keys) : net::tls::make_ticket_keys(lifetime);
  auto context = net::tls::server(options);
  if (!context) return base::fail_within("tls", context.error());
  return context;
}

}  // namespace smtpd
