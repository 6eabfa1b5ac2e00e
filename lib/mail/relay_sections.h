// The sections [relay "DOMAIN"] of vsmtp.ini, where they say which way mail goes: keys host, transport and error. Who has other
// keys there reads them into a DomainMap of its own, by Settings::names("relay").
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/base/settings.h"
#include "lib/mail/domain_map.h"

namespace mail {

struct RelaySection {
  std::string name;       // "example.org", ".example.org", "*"
  std::string host;       // HOST of the delivery call; "" when it is not said
  std::string transport;  // a name; "" when it is not said: the remote one
  std::string refusal;    // a reply such as "550 5.7.1 not taken": its mail goes nowhere

  [[nodiscard]] bool is_way() const { return !host.empty() || !transport.empty() || !refusal.empty(); }
};
using RelaySections = DomainMap<RelaySection>;

// All of them, also those that say no way. Fault::Config names the place.
[[nodiscard]] base::Result<RelaySections> relay_sections(const base::Settings& settings);

// "5.7.1 not taken" and "550 5.7.1 not taken" are the reply "550 5.7.1 not taken"; "4.3.2 later" is "450 4.3.2 later"; "" is
// what is neither.
[[nodiscard]] std::string refusal_of(std::string_view error);

}  // namespace mail
