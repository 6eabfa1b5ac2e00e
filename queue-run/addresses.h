// The addresses that a transport is given where they are not those of the envelope: the way back to the sender of what was
// forwarded (lib/mail/srs.h), and a reverse-path for each recipient of a mailing (lib/mail/verp.h). No I/O.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/mail/domain_list.h"
#include "lib/mail/srs.h"

namespace run {

class Addresses {
 public:
  struct Table {
    std::optional<mail::Srs> srs;
    mail::DomainList own_domains;  // their senders, and mail to them, keep the reverse-path: local and relayed ones
  };
  explicit Addresses(Table table) : table_(std::move(table)) {}

  // Where a bounce of forwarded mail goes on to. Nothing: it is another address.
  struct Return {
    std::string address;
    std::string refusal;  // a reply: it is no such address, though it looks like one
  };
  [[nodiscard]] std::optional<Return> return_of(std::string_view recipient, base::WallTime now) const;

  // The reverse-path for a delivery to these, by a transport that is not the local one.
  [[nodiscard]] std::string sender_for(std::string_view reverse_path, std::span<const std::string_view> recipients, base::WallTime now) const;

 private:
  Table table_;
};

}  // namespace run
