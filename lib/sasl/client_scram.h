// SCRAM-SHA-256 and -PLUS from the client's side (RFC 5802, RFC 7677).
#pragma once

#include <memory>
#include <string>

#include "lib/sasl/client.h"

namespace sasl {

struct ScramBinding {
  char flag = 'n';  // of gs2-cbind-flag: 'n', 'y' or 'p' with `channel`
  ChannelBinding channel = {};
};

// `login` is prepared. `nonce`: for tests with the RFC's examples; "" is a random one.
[[nodiscard]] std::unique_ptr<ClientExchange> begin_scram_sha_256(Login login, ScramBinding binding, std::string nonce = {});

}  // namespace sasl
