#include "lib/mail/address.h"

#include <array>

#include "lib/base/text.h"
#include "lib/base/utf8.h"

namespace mail {
namespace {

using base::text::is_alpha;
using base::text::is_digit;

constexpr std::size_t kMaxLabelOctets = 63;  // RFC 1035 section 2.3.4

constexpr bool is_8bit(char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; }
constexpr bool is_let_dig(char c) { return is_alpha(c) || is_digit(c); }
constexpr bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
// atext  RFC 5322 section 3.2.3, with UTF8-non-ascii of RFC 6531 section 3.3
constexpr auto kAtext = [] {
  std::array<bool, 256> table{};
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    table[static_cast<std::size_t>(octet)] = is_let_dig(c) || is_8bit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").contains(c);
  }
  return table;
}();
constexpr bool is_atext(char c) { return kAtext[static_cast<unsigned char>(c)]; }

// Local-part = Dot-string / Quoted-string. Eats it from the front.
bool consume_dot_string(std::string_view& text) {
  for (;;) {
    std::size_t atom = 0;
    while (atom < text.size() && is_atext(text[atom])) ++atom;
    if (atom == 0) return false;
    text.remove_prefix(atom);
    if (!text.starts_with('.')) return true;
    text.remove_prefix(1);
  }
}

// Quoted-string = DQUOTE *QcontentSMTP DQUOTE
// qtextSMTP = %d32-33 / %d35-91 / %d93-126 / UTF8-non-ascii; quoted-pairSMTP = %d92 %d32-126
bool consume_quoted_string(std::string_view& text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (text[i] == '\\') {
      ++i;
      if (i == text.size() || is_8bit(text[i])) return false;
    }
    const auto octet = static_cast<unsigned char>(text[i]);
    if (octet < 32 || octet == 127) return false;
  }
  return false;
}

// Length of the sub-domain at the front; it may end in a hyphen, which the caller refuses.
std::size_t label_octets(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && (is_let_dig(text[length]) || text[length] == '-' || is_8bit(text[length]))) ++length;
  return length;
}

// Snum 3("." Snum)
bool is_ipv4(std::string_view text) {
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && !base::text::consume(text, ".")) return false;
    std::size_t digits = 0;
    int value = 0;
    while (digits < text.size() && digits < 3 && is_digit(text[digits])) value = value * 10 + (text[digits++] - '0');
    if (digits == 0 || value > 255) return false;
    text.remove_prefix(digits);
  }
  return text.empty();
}

// IPv6-addr  RFC 5321 section 4.1.3: "::" once, standing for two groups or more.
bool is_ipv6(std::string_view text) {
  int groups = 0;
  bool compressed = base::text::consume(text, "::");
  while (!text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() && is_hex(text[digits])) ++digits;
    if (digits < text.size() && text[digits] == '.') {
      if (!is_ipv4(text)) return false;
      groups += 2;
      break;
    }
    if (digits == 0 || digits > 4) return false;
    ++groups;
    text.remove_prefix(digits);
    if (text.empty()) break;
    if (!compressed && base::text::consume(text, "::")) {
      compressed = true;
      continue;
    }
    if (!base::text::consume(text, ":") || text.empty()) return false;
  }
  return compressed ? groups <= 6 : groups == 8;
}

// General-address-literal = Standardized-tag ":" 1*dcontent
bool is_general(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  for (const char c : text.substr(0, colon))
    if (!is_let_dig(c) && c != '-') return false;
  if (text[colon - 1] == '-') return false;
  for (const char c : text.substr(colon + 1))
    if (c < 33 || c > 126 || c == '[' || c == '\\' || c == ']') return false;
  return true;
}

// At-domain *("," At-domain) ":"  RFC 5321 section 4.1.2 and appendix C; nothing when there is no route.
std::expected<void, AddressFault> consume_source_route(std::string_view& text, const AddressRules& rules) {
  if (!text.starts_with('@')) return {};
  for (;;) {
    if (!base::text::consume(text, "@")) return std::unexpected(AddressFault::Syntax);
    const auto end = text.find_first_of(",:");
    if (end == std::string_view::npos) return std::unexpected(AddressFault::Syntax);
    const auto domain = check_domain(text.substr(0, end), rules);
    if (!domain) return domain;
    const char separator = text[end];
    text.remove_prefix(end + 1);
    if (separator == ':') return {};
  }
}

// The place of the ">" that ends a path: outside of quotes and brackets, since a local-part may hold one.
std::size_t find_path_end(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == '>' && !quoted) {
      return i;
    }
  }
  return std::string_view::npos;
}

std::expected<Mailbox, AddressFault> consume_path(std::string_view& text, const AddressRules& rules, bool is_forward) {
  if (!text.starts_with('<')) return std::unexpected(AddressFault::Syntax);
  const auto end = find_path_end(text);
  if (end == std::string_view::npos) return std::unexpected(AddressFault::Syntax);
  if (end + 1 > rules.max_path_octets) return std::unexpected(AddressFault::PathTooLong);
  auto inside = text.substr(1, end - 1);
  Mailbox mailbox;
  if (is_forward && base::text::equal_ignoring_case(inside, "postmaster")) {
    mailbox.address = mailbox.local_part = inside;
  } else if (is_forward || !inside.empty()) {
    const auto route = consume_source_route(inside, rules);
    if (!route) return std::unexpected(route.error());
    const auto parsed = parse_mailbox(inside, rules);
    if (!parsed) return parsed;
    mailbox = *parsed;
  }
  text.remove_prefix(end + 1);
  return mailbox;
}

constexpr auto kFaultTexts = std::to_array<std::pair<AddressFault, std::string_view>>({
    {AddressFault::Syntax, "not an address"},
    {AddressFault::NonAscii, "address is not ASCII and SMTPUTF8 is not in use"},
    {AddressFault::InvalidUtf8, "address is not UTF-8"},
    {AddressFault::LocalPartTooLong, "local-part too long"},
    {AddressFault::DomainTooLong, "domain too long"},
    {AddressFault::LabelTooLong, "label of the domain too long"},
    {AddressFault::PathTooLong, "path too long"},
    {AddressFault::BadLiteral, "bad address literal"},
});

// Octets over 127 are let through by the grammar above; whether they may stand there is judged last, so that a reply says
// SMTPUTF8 only where that is what is missing.
std::expected<void, AddressFault> check_8bit(std::string_view text, const AddressRules& rules) {
  if (!base::utf8::has_8bit(text)) return {};
  if (!base::utf8::is_valid(text)) return std::unexpected(AddressFault::InvalidUtf8);
  if (!rules.smtputf8) return std::unexpected(AddressFault::NonAscii);
  return {};
}

}  // namespace

std::string_view describe(AddressFault fault) {
  for (const auto& [known, text] : kFaultTexts)
    if (known == fault) return text;
  return kFaultTexts.front().second;
}

std::expected<void, AddressFault> check_domain(std::string_view text, const AddressRules& rules) {
  if (text.size() > rules.max_domain_octets) return std::unexpected(AddressFault::DomainTooLong);
  for (auto rest = text;;) {
    const auto length = label_octets(rest);
    if (length == 0 || rest[0] == '-' || rest[length - 1] == '-') return std::unexpected(AddressFault::Syntax);
    // The limit is one of A-labels: how long a U-label may be shows when it is turned into one (RFC 5890 section 2.3.2.1).
    if (length > kMaxLabelOctets && !base::utf8::has_8bit(rest.substr(0, length))) return std::unexpected(AddressFault::LabelTooLong);
    rest.remove_prefix(length);
    if (rest.empty()) return check_8bit(text, rules);
    if (!base::text::consume(rest, ".")) return std::unexpected(AddressFault::Syntax);
  }
}

std::expected<DomainKind, AddressFault> check_address_literal(std::string_view text, const AddressRules& rules) {
  if (!text.starts_with('[') || !text.ends_with(']') || text.size() < 2) return std::unexpected(AddressFault::Syntax);
  if (text.size() > rules.max_domain_octets) return std::unexpected(AddressFault::DomainTooLong);
  const auto inside = text.substr(1, text.size() - 2);
  constexpr std::string_view kIpv6Tag = "IPv6:";
  if (base::text::starts_with_ignoring_case(inside, kIpv6Tag)) {
    if (is_ipv6(inside.substr(kIpv6Tag.size()))) return DomainKind::Ipv6;
  } else if (is_ipv4(inside)) {
    return DomainKind::Ipv4;
  } else if (rules.general_literals && is_general(inside)) {
    return DomainKind::General;
  }
  return std::unexpected(AddressFault::BadLiteral);
}

std::expected<Mailbox, AddressFault> parse_mailbox(std::string_view text, const AddressRules& rules) {
  auto rest = text;
  const bool is_local_part = rest.starts_with('"') ? consume_quoted_string(rest) : consume_dot_string(rest);
  if (!is_local_part || !rest.starts_with('@')) return std::unexpected(AddressFault::Syntax);
  Mailbox mailbox{text, text.substr(0, text.size() - rest.size()), rest.substr(1), DomainKind::Name};
  if (mailbox.local_part.size() > rules.max_local_part_octets) return std::unexpected(AddressFault::LocalPartTooLong);
  if (mailbox.domain.starts_with('[')) {
    const auto kind = check_address_literal(mailbox.domain, rules);
    if (!kind) return std::unexpected(kind.error());
    mailbox.kind = *kind;
  } else if (const auto domain = check_domain(mailbox.domain, rules); !domain) {
    return std::unexpected(domain.error());
  }
  const auto judged = check_8bit(mailbox.local_part, rules);
  if (!judged) return std::unexpected(judged.error());
  return mailbox;
}

std::expected<Mailbox, AddressFault> consume_reverse_path(std::string_view& text, const AddressRules& rules) {
  return consume_path(text, rules, false);
}
std::expected<Mailbox, AddressFault> consume_forward_path(std::string_view& text, const AddressRules& rules) {
  return consume_path(text, rules, true);
}

std::pair<std::string_view, std::string_view> split_address(std::string_view address) {
  auto after_quotes = address;
  if (!address.starts_with('"') || !consume_quoted_string(after_quotes)) after_quotes = address;
  // A general address literal may have an "@" of its own.
  const auto at = address.ends_with(']') && after_quotes.contains("@[") ? after_quotes.find("@[") : after_quotes.rfind('@');
  if (at == std::string_view::npos) return {address, {}};
  const auto local_part_octets = address.size() - after_quotes.size() + at;
  return {address.substr(0, local_part_octets), address.substr(local_part_octets + 1)};
}

std::string unquote_local_part(std::string_view local_part) {
  if (local_part.size() < 2 || !local_part.starts_with('"') || !local_part.ends_with('"')) return std::string(local_part);
  std::string octets;
  const auto inside = local_part.substr(1, local_part.size() - 2);
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '\\' && i + 1 < inside.size()) ++i;
    octets += inside[i];
  }
  return octets;
}

std::string quote_local_part(std::string_view octets) {
  auto rest = octets;
  if (consume_dot_string(rest) && rest.empty()) return std::string(octets);
  std::string quoted = "\"";
  for (const char c : octets) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string canonical_address(std::string_view address) {
  const auto [local_part, domain] = split_address(address);
  std::string canonical = quote_local_part(unquote_local_part(local_part));
  if (domain.empty()) return canonical;
  return canonical + "@" + base::text::to_lower(domain);
}

}  // namespace mail
