#include "lib/authn/spf_record.h"

#include <array>
#include <optional>

#include "lib/authn/spf_macro.h"
#include "lib/base/text.h"

namespace authn::spf {

namespace text = base::text;

namespace {

constexpr std::string_view kVersion = "v=spf1";
constexpr std::array<std::string_view, 7> kWords = {"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"};

enum class Needs : std::uint8_t { Nothing, Domain, Network4, Network6 };
struct KindRow {
  std::string_view name;
  Mechanism::Kind kind;
  Needs needs;
  bool takes_domain;
  bool takes_prefix;
};
using Kind = Mechanism::Kind;
constexpr auto kKinds = std::to_array<KindRow>({
    // name      kind            needs             domain  prefix      RFC 7208
    {"all",     Kind::All,     Needs::Nothing,   false, false},     // 5.1
    {"include", Kind::Include, Needs::Domain,    true,  false},     // 5.2
    {"a",       Kind::A,       Needs::Nothing,   true,  true},      // 5.3
    {"mx",      Kind::Mx,      Needs::Nothing,   true,  true},      // 5.4
    {"ptr",     Kind::Ptr,     Needs::Nothing,   true,  false},     // 5.5
    {"ip4",     Kind::Ip4,     Needs::Network4,  false, false},     // 5.6
    {"ip6",     Kind::Ip6,     Needs::Network6,  false, false},     // 5.6
    {"exists",  Kind::Exists,  Needs::Domain,    true,  false},     // 5.7
});

std::optional<Result> qualifier_of(char c) {
  switch (c) {
    case '+': return Result::Pass;
    case '-': return Result::Fail;
    case '?': return Result::Neutral;
    case '~': return Result::SoftFail;
    default: return std::nullopt;
  }
}

// name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
std::string_view name_in_front(std::string_view term) {
  if (term.empty() || !text::is_alpha(term.front())) return {};
  std::size_t end = 1;
  while (end < term.size() && (text::is_alpha(term[end]) || text::is_digit(term[end]) || term[end] == '-' || term[end] == '_' || term[end] == '.')) ++end;
  return term.substr(0, end);
}

// "0" / %x31-39 *DIGIT, at most `most`. "" is an error.
std::optional<unsigned> prefix_length(std::string_view digits, unsigned most) {
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0') || digits.size() > 3) return std::nullopt;
  const auto bits = text::parse_number<unsigned>(digits);
  return bits && *bits <= most ? bits : std::nullopt;
}

// dual-cidr-length = [ "/" ip4-cidr-length ] [ "//" ip6-cidr-length ], off the end of `rest`.
bool take_prefixes(std::string_view& rest, Mechanism& mechanism) {
  const auto take = [&](std::string_view mark, unsigned most, unsigned& bits) {
    const auto slash = rest.find_last_not_of("0123456789");
    if (slash == std::string_view::npos || slash + 1 < mark.size() || rest.substr(slash + 1 - mark.size(), mark.size()) != mark) return true;
    const auto number = prefix_length(rest.substr(slash + 1), most);
    if (!number) return false;
    bits = *number;
    rest.remove_suffix(rest.size() - (slash + 1 - mark.size()));
    return true;
  };
  return take("//", 128, mechanism.ipv6_bits) && take("/", 32, mechanism.ipv4_bits);
}

// ip4-network [ ip4-cidr-length ] / ip6-network [ ip6-cidr-length ]
std::optional<net::Network> network_of(std::string_view value, bool is_ipv4) {
  const auto [host, bits] = text::split_once(value, '/');
  if (host.find_first_not_of(is_ipv4 ? "0123456789." : "0123456789abcdefABCDEF:.") != std::string_view::npos) return std::nullopt;
  if (is_ipv4 == (host.find(':') != std::string_view::npos)) return std::nullopt;
  if (value.find('/') != std::string_view::npos && !prefix_length(bits, is_ipv4 ? 32 : 128)) return std::nullopt;
  const auto network = net::Network::parse(value);
  return network ? std::optional(*network) : std::nullopt;
}

// directive = [ qualifier ] mechanism
std::optional<Mechanism> parse_mechanism(std::string_view term) {
  Mechanism mechanism;
  mechanism.text = term;
  if (const auto qualifier = qualifier_of(term.empty() ? ' ' : term.front())) {
    mechanism.qualifier = *qualifier;
    term.remove_prefix(1);
  }
  const std::string_view name = name_in_front(term);
  const KindRow* row = nullptr;
  for (const auto& each : kKinds)
    if (text::equal_ignoring_case(name, each.name)) row = &each;
  if (row == nullptr) return std::nullopt;
  mechanism.kind = row->kind;
  std::string_view rest = term.substr(name.size());

  if (row->takes_prefix && !take_prefixes(rest, mechanism)) return std::nullopt;
  const bool has_value = text::consume(rest, ":");
  if (!has_value && !rest.empty()) return std::nullopt;
  if (row->needs == Needs::Network4 || row->needs == Needs::Network6) {
    const auto network = network_of(rest, row->needs == Needs::Network4);
    if (!network) return std::nullopt;
    mechanism.network = *network;
    return mechanism;
  }
  if (!has_value) return row->needs == Needs::Nothing ? std::optional(mechanism) : std::nullopt;
  if (!row->takes_domain || !is_domain_spec(rest)) return std::nullopt;
  mechanism.domain = rest;
  return mechanism;
}

// modifier = redirect / explanation / unknown-modifier. The error is what is wrong.
std::optional<std::string> take_modifier(std::string_view name, std::string_view value, Record& record) {
  std::string* known = text::equal_ignoring_case(name, "redirect") ? &record.redirect : text::equal_ignoring_case(name, "exp") ? &record.explanation : nullptr;
  if (known == nullptr) return is_macro_string(value) ? std::nullopt : std::optional<std::string>("is no macro-string");
  if (!known->empty()) return "stands there twice";
  if (!is_domain_spec(value)) return "is no domain-spec";
  *known = value;
  return std::nullopt;
}

}  // namespace

std::string_view word(Result result) { return kWords[static_cast<std::size_t>(result)]; }

bool is_record(std::string_view text) {
  return text::starts_with_ignoring_case(text, kVersion) && (text.size() == kVersion.size() || text[kVersion.size()] == ' ');
}

std::expected<Record, std::string> parse(std::string_view text) {
  Record record;
  if (!is_record(text)) return std::unexpected("no 'v=spf1'");
  for (const auto term : text::split(text.substr(kVersion.size()), ' ')) {
    if (term.empty()) continue;
    const std::string_view name = name_in_front(term);
    if (!name.empty() && name.size() < term.size() && term[name.size()] == '=') {
      const auto wrong = take_modifier(name, term.substr(name.size() + 1), record);
      if (wrong) return std::unexpected("'" + text::printable(term) + "' " + *wrong);
      continue;
    }
    auto mechanism = parse_mechanism(term);
    if (!mechanism) return std::unexpected("'" + text::printable(term) + "' is no mechanism of SPF");
    record.mechanisms.push_back(std::move(*mechanism));
  }
  return record;
}

}  // namespace authn::spf
