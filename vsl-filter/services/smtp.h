// Services of kind `smtp`: content filters that messages are delegated to (vsl.md 2.6, 2.7). They only say where those are; queue-run
// sends the messages, and smtpd has the listener where they come back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/chain/delegation.h"
#include "lib/net/socket.h"
#include "vsl-filter/services/service.h"

namespace rules {

class SmtpService : public Service {
 public:
  // `delegation`: what a message that is delegated to it says of that, but stage and directive.
  SmtpService(std::string name, chain::Delegation delegation, std::vector<std::string> clients, std::vector<net::Network> networks);

  [[nodiscard]] const chain::Delegation& delegation() const { return delegation_; }
  [[nodiscard]] const std::string& receiver() const { return delegation_.receiver; }
  // Who may bring messages back, as addresses and networks.
  [[nodiscard]] const std::vector<std::string>& clients() const { return clients_; }
  [[nodiscard]] bool takes_from(std::string_view client_ip) const;

 private:
  chain::Delegation delegation_;
  std::vector<std::string> clients_;
  std::vector<net::Network> networks_;  // the same
};

extern const ServiceKind kSmtpKind;
// The service behind a value, or null.
const SmtpService* smtp_service_of(const vsl::Value& value);

}  // namespace rules
