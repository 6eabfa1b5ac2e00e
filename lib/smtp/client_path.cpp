#include "lib/smtp/client_path.h"

#include <algorithm>

#include "lib/base/utf8.h"
#include "lib/mail/address.h"

namespace smtp {
namespace {

// How long an address may be is the server's to say: it knows what it accepts.
constexpr mail::AddressRules kRules{
    .smtputf8 = true, .general_literals = true, .max_local_part_octets = 65536, .max_domain_octets = 65536, .max_path_octets = 65536};

bool is_control(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet < 32 || octet == 127;
}

// Names in use break the rules of host names (underscores), but nothing that separates words in a command.
bool is_harmless_domain(std::string_view domain) {
  constexpr std::string_view kSpecials = " <>()@,;:\\\"[]";
  return !domain.empty() && domain.find_first_of(kSpecials) == std::string_view::npos;
}

}  // namespace

std::optional<std::string> path_for_command(std::string_view address) {
  if (address.empty() || mail::parse_mailbox(address, kRules)) return std::string(address);
  if (std::ranges::any_of(address, is_control) || !base::utf8::is_valid(address)) return std::nullopt;
  const auto [local_part, domain] = mail::split_address(address);
  const bool has_domain = local_part.size() < address.size();
  if (local_part.empty()) return std::nullopt;
  if (has_domain && !is_harmless_domain(domain) && !mail::check_address_literal(domain, kRules)) return std::nullopt;
  auto path = mail::quote_local_part(mail::unquote_local_part(local_part));
  if (has_domain) path.append("@").append(domain);
  return path;
}

}  // namespace smtp
