// What the settings of [remote], [dns] and [server] say, read once.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deliver-remote/own_places.h"
#include "deliver-remote/profile.h"
#include "deliver-remote/route.h"
#include "deliver-remote/target.h"
#include "lib/base/settings.h"
#include "lib/mail/domain_map.h"
#include "lib/net/dns.h"
#include "lib/smtp/client_session.h"

namespace remote {

struct Options {
  smtp::ClientSession::Settings session;
  std::optional<Target> relay;  // all mail goes there
  mail::DomainMap<std::string> hosts;  // HOST of [relay "DOMAIN"], which wins over that; "": the domain itself
  std::uint16_t port = 25;
  AddressFamily family = AddressFamily::Any;
  std::size_t max_addresses = 5;
  std::size_t recipients_max = 100;
  std::size_t connections_max = 500;
  std::vector<net::Network> xforward_hosts;
  OwnPlaces own_places;
  std::vector<std::string> own_names;  // a mail exchanger of this name is this host
  std::uint64_t timeout_connect_milliseconds = 30'000;
  std::shared_ptr<const Profile> profile;
  std::shared_ptr<const Profile> profile_without_login;  // for hosts that nobody but DNS has named
  mail::DomainMap<std::shared_ptr<const Profile>> profiles;  // of [relay "DOMAIN"]
  std::string relay_host;  // as it is written
  std::size_t tls_sessions_max = 1000;
  bool converts_eight_bit = true;
  std::uint64_t dead_host_milliseconds = 60'000;
  bool reuse = true;
  std::uint64_t reuse_idle_milliseconds = 2'000;
  std::uint64_t reuse_time_milliseconds = 300'000;
  std::size_t reuse_max = 100;
  net::dns::Settings dns;
  std::string tls_journal;  // folder; "": there is none
  std::uint64_t tls_journal_size_max = 0;
  std::vector<std::string> mta_sts;  // the program that knows policies; none: nobody is asked
};

// Fault::Config names the setting.
[[nodiscard]] base::Result<Options> read_options(const base::Settings& settings);

// Of vsmtp.ini, for Manual::settings.
extern const std::span<const std::string_view> kSettingNames;

}  // namespace remote
