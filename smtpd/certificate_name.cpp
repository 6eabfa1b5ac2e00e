#include "smtpd/certificate_name.h"

#include <algorithm>

#include "lib/base/text.h"

namespace smtpd {

std::string_view common_name(std::string_view subject) {
  for (const auto part : base::text::split(subject, ','))
    if (base::text::trim(part).starts_with("CN=")) return base::text::trim(part).substr(3);
  return {};
}

std::string identity_of(const net::tls::Facts& tls) {
  if (tls.peer == nullptr || !tls.peer->is_verified) return {};
  const auto& names = tls.peer->names;
  const auto address = std::ranges::find_if(names, [](const std::string& name) { return name.find('@') != std::string::npos; });
  if (address != names.end()) return *address;
  const std::string_view subject = tls.peer->subject;
  const bool is_only = subject.find("CN=") == subject.rfind("CN=");  // a second one may be part of some other field
  return is_only ? std::string(common_name(subject)) : std::string();
}

}  // namespace smtpd
