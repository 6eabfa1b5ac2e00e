// The context of a message call, descriptor 3: one JSON object (vsmtp-chain(7)). For those who need some of its fields;
// who only hands it on leaves it as it is.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace chain {

class Context {
 public:
  Context();  // {}
  // No octets at all are an absent context: {}. What is not one object is Fault::Temporary: the caller is broken.
  [[nodiscard]] static base::Result<Context> parse(std::string_view json);

  // `path` goes from member to member: "connection.client_addr". Nothing when it is missing or of another type.
  [[nodiscard]] std::optional<std::string> text(std::string_view path) const;
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view path) const;
  [[nodiscard]] std::optional<bool> flag(std::string_view path) const;
  // The names of the members of the object at `path`, sorted; "" is the whole.
  [[nodiscard]] std::vector<std::string> members(std::string_view path = "") const;

  struct Recipient {
    std::string address;
    std::string transfer_method;  // "Deliver", "Maildir", "Mbox", "None", or "Forward" whatever its target
    std::string target;           // of a Forward, as ForwardTarget::parse() reads it (transfer.h)
  };
  [[nodiscard]] std::vector<Recipient> recipients() const;  // envelop.rcpt

 private:
  struct Internal;
  std::shared_ptr<const Internal> internal_;
};

}  // namespace chain
