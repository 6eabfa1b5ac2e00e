#include "lib/mail/verp.h"

#include "lib/base/text.h"
#include "lib/mail/address.h"

namespace mail {

namespace text = base::text;

// Those that a local part can have without quotes (RFC 5321 section 4.1.2), and that are used so: as in Postfix.
bool are_verp_delimiters(std::string_view delimiters) {
  constexpr std::string_view kAllowed = "-=+";
  return delimiters.size() == 2 && kAllowed.contains(delimiters[0]) && (delimiters[1] == '=' || delimiters[1] == '+') && delimiters[0] != delimiters[1];
}

std::optional<VerpSender> VerpSender::of(std::string_view sender, std::string_view delimiters) {
  const auto [local_part, host] = split_address(sender);
  if (host.empty() || local_part.empty() || !are_verp_delimiters(delimiters)) return std::nullopt;
  return VerpSender{unquote_local_part(local_part) + delimiters[0], std::string(host), delimiters[1]};
}

std::optional<VerpSender> VerpSender::of_qmail(std::string_view sender) {
  constexpr std::string_view kEnd = "-@[]";
  if (!sender.ends_with(kEnd)) return std::nullopt;
  sender.remove_suffix(kEnd.size());
  const auto [local_part, host] = split_address(sender);
  if (host.empty() || local_part.empty()) return std::nullopt;
  return VerpSender{unquote_local_part(local_part), std::string(host), '='};
}

std::string VerpSender::address_for(std::string_view recipient) const {
  const auto [local_part, domain] = split_address(recipient);
  std::string made = prefix + unquote_local_part(local_part);
  if (!domain.empty()) made.append(1, at).append(domain);
  return quote_local_part(made) + "@" + host;
}

// A domain holds none of the delimiters but '-', so the last one is that of the recipient.
std::optional<std::string> VerpSender::recipient_of(std::string_view address) const {
  const auto [local_part, domain] = split_address(address);
  const std::string made = unquote_local_part(local_part);
  if (!text::equal_ignoring_case(domain, host) || !text::starts_with_ignoring_case(made, prefix)) return std::nullopt;
  const auto rest = std::string_view(made).substr(prefix.size());
  const auto end = rest.rfind(at);
  if (end == std::string_view::npos || end == 0 || !(check_domain(rest.substr(end + 1), {.smtputf8 = true}) || check_address_literal(rest.substr(end + 1)))) return std::nullopt;
  return quote_local_part(rest.substr(0, end)) + "@" + std::string(rest.substr(end + 1));
}

}  // namespace mail
