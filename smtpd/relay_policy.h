// Which recipients are taken from whom, and whose word counts about who a client is: the decisions that smtpd makes itself. Everything
// finer is for rules.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/settings.h"
#include "lib/mail/domain_list.h"
#include "lib/mail/srs.h"
#include "lib/net/socket.h"

namespace smtpd {

class RelayPolicy {
 public:
  // Of delivery.local_domains, smtp.relay_domains, the relay_domains of [virtual] sections without an address, smtp.relay_clients, smtp.proxy_clients and smtp.xclient_clients, delivery.srs_*.
  [[nodiscard]] static base::Result<RelayPolicy> from(const base::Settings& settings);

  // Whether this client may send to any domain.
  [[nodiscard]] bool is_relay_client(const net::Address& client) const;
  // Whether its connections begin with a header of the PROXY protocol.
  [[nodiscard]] bool is_proxy(const net::Address& client) const;
  // Whether it may say by XCLIENT that it is somebody else.
  [[nodiscard]] bool may_speak_for_others(const net::Address& client) const;
  // Whether mail for this recipient goes on to another server: its domain is relayed for, and not ours.
  [[nodiscard]] bool relays_to(std::string_view recipient) const;
  // Of an address that only we can have made (lib/mail/srs.h), why it is no way back to a sender; nothing: it is one, or it is another
  // address.
  [[nodiscard]] std::optional<mail::Srs::Fault> fault_of_return(std::string_view recipient) const;
  // `recipient` is an address as RCPT took it; <Postmaster> without a domain is always ours (RFC 5321 section 4.5.1).
  [[nodiscard]] bool takes(std::string_view recipient, bool is_relay_client) const;

 private:
  mail::DomainList local_domains_, relay_domains_;
  std::optional<mail::Srs> srs_;
  std::vector<net::Network> relay_clients_, proxies_, speakers_;
};

}  // namespace smtpd
