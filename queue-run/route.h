// Recipient -> transport and destination, and which recipients of a message go in one call. No I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/mail/domain_list.h"
#include "lib/mail/domain_map.h"

namespace run {

// An index into the table of transports. These two are always there; behind them stand those of [transport] sections.
enum class Transport : std::uint16_t { Local, Remote };
[[nodiscard]] constexpr std::size_t index_of(Transport transport) { return static_cast<std::size_t>(transport); }

struct Route {
  Transport transport = Transport::Remote;
  std::string host;          // the delivery call's HOST; a domain is in lower case
  std::string section = {};  // of the [relay] sections the one for this domain: other recipients may be another's, with another log-in
  std::string refusal = {};  // a reply: it goes nowhere
  std::string password = {};  // of the user in `host`; for the context of the call
};

// One recipient that does not go by the routes of the configuration.
struct RuledRoute {
  enum class What {
    Nothing,  // its delivery is switched off
    Alias,    // it goes on to others
    List,     // ... who are subscribers of it: that is all that its sender is told
    Local,    // to its mailbox here, whatever its domain
    Forward,  // to `host`
    Named,    // to the transport `transport`, with `host` if there is one
    Waits,    // a transport that nothing here can be: its mail is kept, for `reason`
  };
  What what = What::Nothing;
  std::string host;    // HOST of the delivery call
  std::string reason;  // a reply
  std::string password = {};  // of Forward: of the user in `host`
  std::string transport = {};
};

using RuledRoutes = std::unordered_map<std::string, RuledRoute>;  // by address

// One delivery call: recipients by their index in the envelope.
struct Batch {
  Route route;
  std::vector<std::uint32_t> recipients;
};

class Router {
 public:
  // A section [relay "DOMAIN"].
  struct Way {
    std::string section;
    bool is_way = true;  // false: it says other things of the domain
    Transport transport = Transport::Remote;
    std::string host;  // "": that of the transport, or else the recipient's own domain
    std::string refusal;
  };
  struct Table {
    mail::DomainList local_domains;
    std::string relay_host;  // HOST of all that is not local; "" is the recipient's own domain
    std::size_t recipients_per_call = 100;
    mail::DomainMap<Way> ways = {};
    // By transport; one that is not there says nothing.
    struct OfTransport {
      std::string name = {};
      std::string host = {};                // HOST where no way says one
      std::size_t recipients_per_call = 0;  // 0: as above
      bool takes_urls = true;               // as HOST: of forwards with a log-in, or TLS that must be
    };
    std::vector<OfTransport> transports = {};
  };
  explicit Router(Table table);

  // An address without a domain is local. Else, the first that says something of its domain: ways but that for all, local
  // domains, the way for all, the relay host.
  [[nodiscard]] Route route(std::string_view recipient) const;
  // With what rules said of it.
  [[nodiscard]] Route route(const std::string& recipient, const RuledRoutes& ruled) const;
  // Those of `pending`, in the order of the envelope and of first appearance, none with more than recipients_per_call.
  // `ruled`: Local and Forward of the rules win.
  [[nodiscard]] std::vector<Batch> batches(std::span<const std::string> recipients, std::span<const std::uint32_t> pending, const RuledRoutes& ruled = {}) const;

 private:
  [[nodiscard]] Route route_to(const RuledRoute& ruled, std::string_view recipient) const;
  [[nodiscard]] Route route_by(const Way& way, std::string domain) const;
  [[nodiscard]] std::size_t recipients_per_call(Transport transport) const;
  [[nodiscard]] bool takes_urls(Transport transport) const;

  Table table_;
};

}  // namespace run
