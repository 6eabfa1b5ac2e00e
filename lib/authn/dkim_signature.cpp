#include "lib/authn/dkim_signature.h"

#include <algorithm>
#include <array>

#include "lib/authn/tag_list.h"
#include "lib/base/text.h"
#include "lib/mail/header.h"
#include "lib/net/domain_name.h"

namespace authn::dkim {

namespace text = base::text;

namespace {

constexpr std::size_t kMaxHeaders = 1000;  // names of h=
constexpr std::size_t kMaxDigits = 12;     // of t= and x=, section 3.5

using Wrong = std::optional<std::string>;

// 1*12DIGIT, without blanks.
std::optional<std::uint64_t> number(std::string_view value, std::size_t digits) {
  if (value.empty() || value.size() > digits || !std::ranges::all_of(value, text::is_digit)) return std::nullopt;
  return text::parse_number<std::uint64_t>(value);
}

std::optional<Canonicalization> form(std::string_view word) {
  if (text::equal_ignoring_case(word, "simple")) return Canonicalization::Simple;
  if (text::equal_ignoring_case(word, "relaxed")) return Canonicalization::Relaxed;
  return std::nullopt;
}

Wrong read_version(std::string_view value, Signature&) { return value == "1" ? Wrong() : "v= is not 1"; }

Wrong read_algorithm(std::string_view value, Signature& signature) {
  if (text::equal_ignoring_case(value, "rsa-sha256")) {
    signature.key_type = KeyType::Rsa;
  } else if (text::equal_ignoring_case(value, "ed25519-sha256")) {
    signature.key_type = KeyType::Ed25519;
  } else if (text::equal_ignoring_case(value, "rsa-sha1")) {
    return "a=rsa-sha1 must not be used any more (RFC 8301)";
  } else {
    return "a= is unknown: '" + text::printable(value, 40) + "'";
  }
  return std::nullopt;
}

Wrong read_signature(std::string_view value, Signature& signature) {
  const auto octets = from_folded_base64(value);
  if (!octets || octets->empty()) return "b= is no base64";
  signature.signature = *octets;
  return std::nullopt;
}

Wrong read_body_hash(std::string_view value, Signature& signature) {
  const auto octets = from_folded_base64(value);
  if (!octets || octets->size() != Sha256().size()) return "bh= is no SHA-256 in base64";
  signature.body_hash = *octets;
  return std::nullopt;
}

// A form alone is that of the header.
Wrong read_forms(std::string_view value, Signature& signature) {
  const auto [header, body] = text::split_once(value, '/');
  const auto header_form = form(header);
  const auto body_form = value.find('/') == std::string_view::npos ? Canonicalization::Simple : form(body);
  if (!header_form || !body_form) return "c= is unknown: '" + text::printable(value, 40) + "'";
  signature.header_form = *header_form;
  signature.body_form = *body_form;
  return std::nullopt;
}

// U-labels are allowed by RFC 8616, and stand for their A-labels.
std::optional<std::string> domain_of(std::string_view value) {
  const auto name = net::to_a_labels(value);
  return name && is_domain(*name) ? std::optional(text::to_lower(*name)) : std::nullopt;
}

Wrong read_domain(std::string_view value, Signature& signature) {
  const auto domain = domain_of(value);
  if (!domain || domain->find('.') == std::string::npos) return "d= is no domain: '" + text::printable(value, 80) + "'";
  signature.domain = *domain;
  return std::nullopt;
}

Wrong read_selector(std::string_view value, Signature& signature) {
  const auto selector = domain_of(value);
  if (!selector) return "s= is no selector: '" + text::printable(value, 80) + "'";
  signature.selector = *selector;
  return std::nullopt;
}

// What other sealers write has holes: nothing is signed by them.
Wrong read_names(std::string_view value, Signature& signature, bool is_arc) {
  for (const auto name : split_folded(value, ':')) {
    if (name.empty() && is_arc) continue;
    if (!mail::is_field_name(name)) return "h= has no field name: '" + text::printable(name, 40) + "'";
    if (signature.headers.size() == kMaxHeaders) return "h= has more than " + std::to_string(kMaxHeaders) + " names";
    signature.headers.emplace_back(name);
  }
  return std::nullopt;
}

Wrong read_headers(std::string_view value, Signature& signature) { return read_names(value, signature, false); }
Wrong read_arc_headers(std::string_view value, Signature& signature) { return read_names(value, signature, true); }

// Section 3.5: the domain of i= is d= or below.
Wrong read_identity(std::string_view value, Signature& signature) {
  signature.identity = without_folding(value);
  signature.has_identity = true;
  return std::nullopt;
}

Wrong read_length(std::string_view value, Signature& signature) {
  signature.body_length = number(value, 76) ? number(value, 19) : std::nullopt;
  return signature.body_length ? Wrong() : "l= is no number";
}

Wrong read_query(std::string_view value, Signature&) {
  const auto methods = split_folded(value, ':');
  const bool has_known = std::ranges::any_of(methods, [](std::string_view each) { return text::equal_ignoring_case(each, "dns/txt") || text::equal_ignoring_case(each, "dns"); });
  return has_known ? Wrong() : "q= has no dns/txt";
}

Wrong read_made_at(std::string_view value, Signature& signature) {
  signature.made_at = number(value, kMaxDigits);
  return signature.made_at ? Wrong() : "t= is no number of seconds";
}

Wrong read_expires_at(std::string_view value, Signature& signature) {
  signature.expires_at = number(value, kMaxDigits);
  return signature.expires_at ? Wrong() : "x= is no number of seconds";
}

struct TagRow {
  std::string_view name;
  bool is_required;
  bool is_of_arc;  // RFC 8617 section 4.1.2: without v=, and i= is another thing there
  Wrong (*read)(std::string_view value, Signature& signature);
};
constexpr auto kTags = std::to_array<TagRow>({
    {"v",  true,  false, read_version},
    {"a",  true,  true,  read_algorithm},
    {"b",  true,  true,  read_signature},
    {"bh", true,  true,  read_body_hash},
    {"c",  false, true,  read_forms},
    {"d",  true,  true,  read_domain},
    {"h",  true,  true,  read_headers},
    {"i",  false, false, read_identity},
    {"l",  false, true,  read_length},
    {"q",  false, false, read_query},
    {"s",  true,  true,  read_selector},
    {"t",  false, true,  read_made_at},
    {"x",  false, true,  read_expires_at},
});

// What no tag can say for itself.
Wrong check_whole(Signature& signature, Kind kind) {
  const bool has_from = std::ranges::any_of(signature.headers, [](const std::string& name) { return text::equal_ignoring_case(name, "from"); });
  if (!has_from && kind == Kind::Dkim) return "h= lacks From";
  if (kind == Kind::ArcMessage && std::ranges::any_of(signature.headers, [](const std::string& name) { return text::equal_ignoring_case(name, "arc-seal"); })) return "h= has ARC-Seal";
  if (signature.expires_at && signature.made_at && *signature.expires_at <= *signature.made_at) return "x= is not after t=";
  if (!signature.has_identity) {
    signature.identity = "@" + signature.domain;
    return std::nullopt;
  }
  const auto at = signature.identity.rfind('@');
  const auto domain = at == std::string::npos ? std::nullopt : domain_of(std::string_view(signature.identity).substr(at + 1));
  if (!domain || (*domain != signature.domain && !domain->ends_with("." + signature.domain))) return "the domain of i= is not that of d= or below it";
  signature.identity = signature.identity.substr(0, at + 1) + *domain;
  return std::nullopt;
}

}  // namespace

bool is_domain(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  return std::ranges::all_of(text::split(text, '.'), [](std::string_view label) {
    return !label.empty() && label.size() <= 63 && std::ranges::all_of(label, [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '-' || c == '_'; });
  });
}

std::expected<Signature, std::string> parse(std::string_view body, Kind kind) {
  const auto tags = TagList::parse(body);
  if (!tags) return std::unexpected(tags.error());
  Signature signature;
  // RFC 8617 says nothing of c= being missing; its suite and other implementations take the relaxed forms.
  if (kind == Kind::ArcMessage) signature.header_form = signature.body_form = Canonicalization::Relaxed;
  for (const auto& row : kTags) {
    if (kind == Kind::ArcMessage && !row.is_of_arc) continue;
    const auto value = tags->get(row.name);
    if (!value && row.is_required) return std::unexpected(std::string(row.name) + "= is missing");
    if (!value) continue;
    const auto read = kind == Kind::ArcMessage && row.name == "h" ? read_arc_headers : row.read;
    if (auto wrong = read(*value, signature)) return std::unexpected(std::move(*wrong));
  }
  if (auto wrong = check_whole(signature, kind)) return std::unexpected(std::move(*wrong));
  return signature;
}

std::string without_signature(std::string_view field) {
  std::string kept;
  bool is_first = true;
  for (std::string_view rest = field; !rest.empty() || is_first; is_first = false) {
    const auto end = rest.find(';');
    const std::string_view spec = rest.substr(0, end);
    // The name of the field stands before the first tag.
    const auto colon = is_first ? spec.find(':') : std::string_view::npos;
    const std::size_t start = colon == std::string_view::npos ? 0 : colon + 1;
    const auto equals = spec.find('=', start);
    const bool is_signature = equals != std::string_view::npos && trim_folding(spec.substr(start, equals - start)) == "b";
    kept += is_signature ? spec.substr(0, equals + 1) : spec;
    if (end == std::string_view::npos) break;
    kept += ';';
    rest.remove_prefix(end + 1);
  }
  return kept;
}

}  // namespace authn::dkim
