#include "smtpd/offered_extensions.h"

#include "lib/base/text.h"

namespace smtpd {
namespace {

std::unexpected<base::Error> wrong(const base::Settings& settings, const std::string& name, const std::string& value, const std::string& expected) {
  return base::fail(base::Fault::Config, settings.place_of(name) + "bad value '" + base::text::printable(value) + "' for " + name + "; expected: " + expected);
}

// The bits of the keywords in a list.
base::Result<unsigned> extensions_of(const base::Settings& settings, const std::string& name) {
  unsigned extensions = 0;
  for (const auto& word : settings.words(name)) {
    const unsigned extension = smtp::extension_named(word);
    if (extension == 0) return wrong(settings, name, word, "some of:" + smtp::extension_names());
    extensions |= extension;
  }
  return extensions;
}

// Without BDAT nothing binary can be sent (RFC 3030 section 3), and BODY= is a parameter of 8BITMIME.
unsigned with_dependants(unsigned disabled) {
  if ((disabled & (smtp::kChunking | smtp::k8BitMime)) != 0) disabled |= smtp::kBinaryMime;
  return disabled;
}

bool is_served(const base::Settings& settings, Service service) {
  const std::string_view name = kServiceNames[index(service)];
  if (settings.text("smtp.service") == name) return true;
  return service == Service::Submission && !settings.words("smtp.listen_submission").empty();
}

}  // namespace

base::Result<void> choose_extensions(const base::Settings& settings, SessionOptions& sessions) {
  const bool has_ehlo = !settings.flag("smtp.disable_ehlo");
  if (!has_ehlo && settings.flag("smtp.lmtp")) return wrong(settings, "smtp.disable_ehlo", "yes", "no with smtp.lmtp = yes, since LMTP has no HELO");
  auto disabled = extensions_of(settings, "smtp.disable_extensions");
  if (!disabled) return std::unexpected(disabled.error());
  const auto required = extensions_of(settings, "smtp.required_extension");
  if (!required) return std::unexpected(required.error());
  for (const auto service : {Service::Smtp, Service::Submission, Service::Submissions}) {
    auto& session = sessions[index(service)];
    session.extensions &= has_ehlo ? ~with_dependants(*disabled) : 0U;
    session.has_ehlo = has_ehlo;
    if (!is_served(settings, service)) continue;
    const bool has_tls_anyway = service == Service::Submissions;
    if (session.requires_tls && !has_tls_anyway && (session.extensions & smtp::kStartTls) == 0)
      return wrong(settings, has_ehlo ? "smtp.disable_extensions" : "smtp.disable_ehlo", has_ehlo ? "STARTTLS" : "yes", "something else where tls asks for encryption");
    const unsigned missing = *required & ~(session.extensions | (has_tls_anyway ? smtp::kStartTls : 0U));
    if (missing != 0)
      return base::fail(base::Fault::Config, settings.place_of("smtp.required_extension") + "smtp.required_extension: the service " + std::string(kServiceNames[index(service)]) +
                                                 " cannot offer" + smtp::extension_names(missing) + "; expected: what it can, or a certificate for STARTTLS and REQUIRETLS, somebody who checks passwords for AUTH");
  }
  return {};
}

}  // namespace smtpd
