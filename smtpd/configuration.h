// What vsmtp.ini and the command line say, in the form that sessions use. Never changes; a reload makes a new one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lib/base/blob.h"
#include "lib/base/command_line.h"
#include "lib/base/result.h"
#include "lib/chain/caller.h"
#include "lib/net/dns.h"
#include "lib/net/tls.h"
#include "lib/smtp/server_options.h"
#include "smtpd/authentication.h"
#include "smtpd/dns_lists.h"
#include "smtpd/policy_rounds.h"
#include "smtpd/relay_policy.h"
#include "smtpd/resources.h"
#include "smtpd/service.h"
#include "smtpd/shield.h"
#include "smtpd/virtual_hosts.h"

namespace smtpd {

struct TimeLimits {  // milliseconds
  std::uint64_t connect, helo, mail_from, rcpt_to;  // for the command that follows
  std::uint64_t data;                               // silence within a message
  std::uint64_t data_total;
  std::uint64_t error_delay;
  std::uint64_t stop;
  std::uint64_t drain;
  std::uint64_t handshake;  // of TLS
  std::uint64_t line = 60'000;           // from the first octet of a command to its end
  std::uint64_t data_rate = 0;           // octets a second that a message has at least; 0: no limit
  std::uint64_t data_rate_time = 60'000;  // in which it may fall short of them
};

struct Configuration {
  SessionOptions sessions;
  std::shared_ptr<const net::tls::Context> tls;  // nullptr: there is no certificate
  VirtualHosts hosts;
  TimeLimits time;
  RelayPolicy relay;
  PolicyConfiguration policy;
  std::shared_ptr<const AuthenticationConfiguration> authentication;  // nullptr: nobody can authenticate
  base::BlobWriter::Limits message;
  std::array<bool, kServiceNames.size()> completes = {};  // messages without Date or Message-ID; one a service
  bool refuses_non_ascii_header = false;                  // of a message that came without SMTPUTF8
  chain::Words chain;
  chain::Words etrn;  // called with a domain behind it; empty: ETRN is not offered
  chain::Caller::Limits caller;
  std::shared_ptr<Shield> shield;  // nullptr: nothing is counted
  std::shared_ptr<const DnsLists> lists;  // nullptr: nobody is looked up
  net::dns::Settings dns;                 // for the lists
  ResourceLimits resources;
  std::size_t clients_max;
  std::size_t clients_per_address_max;  // 0: no limit
  std::size_t sleeping_clients_max;     // whose replies are delayed

  [[nodiscard]] const smtp::ServerOptions& session(Service service) const { return sessions[index(service)]; }
  // What outlives a reload.
  struct Kept {
    std::shared_ptr<net::tls::TicketKeys> ticket_keys;  // clients go on resuming their sessions; nullptr: new ones
    std::optional<net::Ledger> ledger;                  // who is banned stays so; nullopt: nothing is counted
    [[nodiscard]] static base::Result<Kept> make(const base::Settings& settings);
  };
  [[nodiscard]] static base::Result<std::shared_ptr<const Configuration>> from(const base::CommandLine& command_line, const Kept& kept = {});
};

}  // namespace smtpd
