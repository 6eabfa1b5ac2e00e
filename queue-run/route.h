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

namespace run {

enum class Transport : std::uint8_t { Local, Remote };
inline constexpr std::size_t kTransports = 2;

struct Route {
  Transport transport = Transport::Remote;
  std::string host;  // the delivery call's HOST: lower case
};

// One recipient that does not go by the routes of the configuration.
struct RuledRoute {
  enum class What {
    Nothing,  // its delivery is switched off
    Local,    // to its mailbox here, whatever its domain
    Forward,  // to `host`
    Waits,    // a transport that nothing here can be: its mail is kept, for `reason`
  };
  What what = What::Nothing;
  std::string host;    // HOST of the delivery call
  std::string reason;  // a reply
};

using RuledRoutes = std::unordered_map<std::string, RuledRoute>;  // by address

// One delivery call: recipients by their index in the envelope.
struct Batch {
  Route route;
  std::vector<std::uint32_t> recipients;
};

class Router {
 public:
  struct Table {
    mail::DomainList local_domains;
    std::string relay_host;  // HOST of all that is not local; "" is the recipient's own domain
    std::size_t recipients_per_call = 100;
  };
  explicit Router(Table table);

  // An address without a domain is local.
  [[nodiscard]] Route route(std::string_view recipient) const;
  // Those of `pending`, in the order of the envelope and of first appearance, none with more than recipients_per_call.
  // `ruled`: Local and Forward of the rules win.
  [[nodiscard]] std::vector<Batch> batches(std::span<const std::string> recipients, std::span<const std::uint32_t> pending, const RuledRoutes& ruled = {}) const;

 private:
  [[nodiscard]] Route route(const std::string& recipient, const RuledRoutes& ruled) const;

  Table table_;
};

}  // namespace run
