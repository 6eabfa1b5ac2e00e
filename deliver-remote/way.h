// Where a call's mail goes, and how: HOST and who the recipients are, or a URL such as a rule forwards to.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "deliver-remote/deliverer.h"

namespace remote {

struct Way {
  Target target;
  std::shared_ptr<const Profile> profile;
  std::vector<TlsDemand> demands;
};

// `host` may be "smtp://user@host:port?tls=required" and the like (vsmtp-chain(7)); the password of that user stands in the context, where
// no list of processes shows it. Fault::Permanent: no host. Fault::Config: there is no password.
[[nodiscard]] base::Result<Way> way_of(const Deliverer& deliverer, std::string_view host, std::string_view domain, std::string_view context);

}  // namespace remote
