#include "queue-run/addresses.h"

#include <algorithm>

#include "lib/mail/address.h"

namespace run {

std::optional<Addresses::Return> Addresses::return_of(std::string_view recipient, base::WallTime now) const {
  if (!table_.srs || !table_.srs->is_ours(recipient)) return std::nullopt;
  auto sender = table_.srs->reverse(recipient, now);
  if (sender) return Return{std::move(*sender), {}};
  return Return{{}, "550 5.1.1 no way back to a sender: " + std::string(mail::describe(sender.error()))};
}

std::string Addresses::sender_for(std::string_view reverse_path, std::span<const std::string_view> recipients, base::WallTime now) const {
  const auto is_own = [this](std::string_view address) {
    const auto domain = mail::split_address(address).second;
    return domain.empty() || table_.own_domains.contains(domain);
  };
  if (!table_.srs || is_own(reverse_path) || std::ranges::all_of(recipients, is_own)) return std::string(reverse_path);
  return table_.srs->forward(reverse_path, now);
}

}  // namespace run
