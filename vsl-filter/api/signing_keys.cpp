#include "vsl-filter/api/signing_keys.h"

#include "lib/base/text.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/transaction/mime_parts.h"

namespace rules {

namespace {

// Of the first mailbox; "" : there is none.
std::string author_domain(const Message& message) {
  const auto addresses = named_addresses(message.header().bodies("From"));
  return addresses.empty() ? std::string() : domain_key(trusted_address(addresses.front().address).domain());
}

}  // namespace

vsl::Expected<authn::Signer> configured_signer(vsl::Run& run, const Message& message, const std::string& domain) {
  const Site& site = scene_of(run).site;
  const std::string wanted = domain.empty() ? author_domain(message) : domain_key(domain);
  auto signer = authn::signer_for(site.settings, wanted);
  if (!signer) return fail_with(signer.error());
  authn::Signer chosen;
  chosen.options = authn::sign_options_of(site.settings);
  if (*signer) chosen = std::move(**signer);
  if (!domain.empty()) chosen.options.domain = wanted;
  if (chosen.options.domain.empty()) chosen.options.domain = site.settings.text("dkim.domain").empty() ? site.domain : site.settings.text("dkim.domain");
  return chosen;
}

std::unexpected<vsl::Failure> no_keys(const std::string& domain) {
  return vsl::fail_api("dkim params are empty for this `" + base::text::printable(domain, 255) + "`");
}

}  // namespace rules
