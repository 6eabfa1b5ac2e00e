// A message to be sent, in one piece and looked at once.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "lib/base/blob.h"
#include "lib/smtp/message_needs.h"

namespace remote {

struct Letter {
  base::Blob blob;
  base::Blob::View view;
  smtp::MessageNeeds needs;

  [[nodiscard]] static base::Result<std::shared_ptr<const Letter>> open(base::Blob blob);
  // Its header has TLS-Required: No: it would rather arrive than be protected, as what tells of broken TLS (RFC 8689 section 5).
  [[nodiscard]] bool waives_tls() const;
  // The same for hosts without 8BITMIME; the error says why there is none.
  [[nodiscard]] std::expected<std::shared_ptr<const Letter>, std::string> seven_bit() const;

 private:
  [[nodiscard]] static base::Result<std::shared_ptr<Letter>> make(base::Blob blob);
};

}  // namespace remote
