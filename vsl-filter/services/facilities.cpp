#include "vsl-filter/services/facilities.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include "lib/authn/signing.h"
#include "lib/base/durable.h"
#include "lib/mail/srs.h"
#include "lib/net/dns_sections.h"
#include "lib/net/dns_shared.h"
#include "vsl-filter/services/rate_table.h"

namespace rules {

struct Facilities::Internal {
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<net::dns::SharedResolver>> resolvers;  // by section; "": [dns]
  std::unique_ptr<RateTable> rates;
  std::optional<mail::Srs> srs;
  authn::KeyRing keys;
};

Facilities::Facilities() : internal_(std::make_unique<Internal>()) {}
Facilities::~Facilities() = default;

net::dns::SharedResolver& Facilities::resolver(const base::Settings& settings, const std::string& virtual_domain) {
  const std::scoped_lock lock(internal_->mutex);
  auto& resolver = internal_->resolvers[virtual_domain];
  if (!resolver) resolver = std::make_unique<net::dns::SharedResolver>(virtual_domain.empty() ? net::dns::settings_of(settings) : net::dns::settings_of_virtual(settings, virtual_domain));
  return *resolver;
}

authn::KeyRing& Facilities::keys() { return internal_->keys; }

base::Result<RateTable*> Facilities::rates(const std::string& state_directory, std::uint64_t keys_max) {
  const std::scoped_lock lock(internal_->mutex);
  if (!internal_->rates) {
    if (const auto made = base::make_directories(state_directory, 0700); !made) return std::unexpected(made.error());
    auto opened = RateTable::open(state_directory + "/rates", static_cast<std::uint32_t>(std::min<std::uint64_t>(keys_max, 1U << 24)));
    if (!opened) return std::unexpected(opened.error());
    internal_->rates = std::move(*opened);
  }
  return internal_->rates.get();
}

base::Result<const mail::Srs*> Facilities::srs(const base::Settings& settings) {
  const std::scoped_lock lock(internal_->mutex);
  if (!internal_->srs) {
    auto made = mail::Srs::of_no_domain(settings);
    if (!made) return std::unexpected(made.error());
    internal_->srs = std::move(*made);
  }
  return &*internal_->srs;
}

}  // namespace rules
