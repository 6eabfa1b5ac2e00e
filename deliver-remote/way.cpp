#include "deliver-remote/way.h"

#include <utility>

#include "lib/base/text.h"
#include "lib/chain/context.h"
#include "lib/chain/transfer.h"

namespace remote {
namespace {

using Tls = chain::ForwardTarget::Tls;

bool is_url(std::string_view host) { return base::text::starts_with_ignoring_case(host, "smtp://") || base::text::starts_with_ignoring_case(host, "smtps://"); }

constexpr std::uint16_t kSubmissionsPort = 465;  // RFC 8314 section 3.3

base::Result<Way> way_of_url(const Options& options, std::string_view url, std::string_view context) {
  auto forward = chain::ForwardTarget::parse(url);
  if (!forward) return base::fail(base::Fault::Permanent, "the URL to forward to cannot be read");
  auto target = Target::parse(forward->delivery_host(), forward->tls == Tls::Tunnel ? kSubmissionsPort : options.port);
  if (!target) return std::unexpected(std::move(target.error()));
  auto profile = std::make_shared<Profile>(*options.profile_without_login);
  Way way{std::move(*target), nullptr, {}};
  switch (forward->tls) {
    case Tls::None: profile->tls_level = TlsLevel::None; break;
    case Tls::Opportunistic: break;
    case Tls::Required: way.demands.push_back({TlsLevel::Verify, {}, "forward"}); break;
    case Tls::Tunnel:
      profile->tls_wrapper = true;
      way.demands.push_back({TlsLevel::Verify, {}, "forward"});
      break;
  }
  if (!forward->user.empty()) {
    if (forward->password.empty()) {
      const auto said = chain::Context::parse(context);
      forward->password = said ? said->text("transfer.password").value_or("") : std::string();
    }
    if (forward->password.empty()) return base::fail(base::Fault::Config, "no password came with the log-in to forward with");
    profile->login.emplace(std::move(forward->user), std::move(forward->password));
  }
  profile->set_identity();
  way.profile = std::move(profile);
  return way;
}

}  // namespace

namespace {

base::Result<Way> way_of_host(const Deliverer& deliverer, std::string_view host, std::string_view domain, std::string_view context) {
  if (is_url(host)) return way_of_url(deliverer.options(), host, context);
  auto target = deliverer.target_of(host, domain);
  if (!target) return std::unexpected(std::move(target.error()));
  auto profile = deliverer.profile_of(host, domain, *target);
  return Way{std::move(*target), std::move(profile), {}};
}

}  // namespace

base::Result<Way> way_of(const Deliverer& deliverer, std::string_view host, std::string_view domain, std::string_view context) {
  auto way = way_of_host(deliverer, host, domain, context);
  if (!way || !context.contains("\"timeout\"")) return way;
  const auto said = chain::Context::parse(context);
  const auto seconds = said ? said->number("transfer.timeout").value_or(0) : 0;
  if (seconds <= 0) return way;
  auto profile = std::make_shared<Profile>(*way->profile);
  profile->command_milliseconds = static_cast<std::uint64_t>(seconds) * 1000;
  profile->set_identity();
  way->profile = std::move(profile);
  return way;
}

}  // namespace remote
