// What the rules of a process share and the API opens when it is first asked for: the resolver, the rate counters. By any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lib/base/result.h"
#include "lib/base/settings.h"

namespace mail {
class Srs;
}
namespace net::dns {
class SharedResolver;
}

namespace authn {
class KeyRing;
}

namespace rules {

class RateTable;

class Facilities {
 public:
  Facilities();
  ~Facilities();

  // By section [dns] of the first settings that it is asked with; of a section [virtual "DOMAIN"] as that says (lib/net/dns_sections.h).
  net::dns::SharedResolver& resolver(const base::Settings& settings, const std::string& virtual_domain = {});
  // Private keys that sign mail.
  authn::KeyRing& keys();
  // The file "rates" of the directory, which is made if it does not exist.
  base::Result<RateTable*> rates(const std::string& state_directory, std::uint64_t keys_max);

  // What signs the addresses of forwarded mail, by section [delivery]; of no domain.
  base::Result<const mail::Srs*> srs(const base::Settings& settings);

 private:
  struct Internal;
  std::unique_ptr<Internal> internal_;
};

}  // namespace rules
