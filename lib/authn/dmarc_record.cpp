#include "lib/authn/dmarc_record.h"

#include <algorithm>
#include <array>
#include <map>

#include "lib/authn/tag_list.h"
#include "lib/base/text.h"

namespace authn::dmarc {

namespace text = base::text;

namespace {

constexpr std::array<std::string_view, 3> kPolicies = {"none", "quarantine", "reject"};
constexpr std::size_t kMaxUris = 100;

using Tags = std::map<std::string_view, std::string_view>;

bool is_value(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
}

// A tag that is not as section 4.8 has it is left out; of two with one name the first counts.
Tags tags_of(std::string_view text) {
  Tags tags;
  for (const auto part : split_folded(text, ';')) {
    const auto [name, value] = text::split_once(part, '=');
    const auto trimmed_name = trim_folding(name);
    const auto trimmed_value = trim_folding(value);
    if (trimmed_name.empty() || !std::ranges::all_of(trimmed_name, text::is_alpha) || !is_value(trimmed_value)) continue;
    tags.emplace(trimmed_name, trimmed_value);
  }
  return tags;
}

std::optional<std::string_view> get(const Tags& tags, std::string_view name) {
  const auto found = tags.find(name);
  return found == tags.end() ? std::nullopt : std::optional(found->second);
}

// Takes the tag into `policy`. False: it is there and is none.
bool take_policy(const Tags& tags, std::string_view name, Policy& policy) {
  const auto value = get(tags, name);
  if (!value) return true;
  for (std::size_t i = 0; i < kPolicies.size(); ++i)
    if (text::equal_ignoring_case(*value, kPolicies[i])) {
      policy = static_cast<Policy>(i);
      return true;
    }
  return false;
}

bool says(const Tags& tags, std::string_view name, std::string_view value) {
  const auto found = get(tags, name);
  return found && text::equal_ignoring_case(*found, value);
}

// dmarc-uri = URI [ "!" 1*DIGIT [ "k" / "m" / "g" / "t" ] ]; a comma or "!" in it is percent-encoded.
std::vector<std::string> uris_of(std::string_view list) {
  std::vector<std::string> uris;
  for (const auto each : split_folded(list, ',')) {
    const std::string_view uri = trim_folding(text::split_once(each, '!').first);
    const auto colon = uri.find(':');
    const bool has_scheme = colon != std::string_view::npos && colon > 0 && colon + 1 < uri.size() && text::is_alpha(uri.front()) &&
                            std::ranges::all_of(uri.substr(0, colon), [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '+' || c == '-' || c == '.'; });
    const bool is_plain = std::ranges::all_of(uri, [](char c) { return c > ' ' && c <= '~'; });
    if (has_scheme && is_plain && uris.size() < kMaxUris) uris.emplace_back(uri);
  }
  return uris;
}

// "0" or "1", "d" and "s", each once at most, in any order.
bool is_failure_options(std::string_view value) {
  std::string seen;
  for (const auto each : split_folded(value, ':')) {
    if (each.size() != 1) return false;
    const char option = text::lower(each.front());
    if (std::string_view("01ds").find(option) == std::string_view::npos || seen.find(option) != std::string::npos) return false;
    seen += option;
  }
  return seen.find('0') == std::string::npos || seen.find('1') == std::string::npos;
}

}  // namespace

std::string_view word(Policy policy) { return kPolicies[static_cast<std::size_t>(policy)]; }

std::optional<Record> parse(std::string_view text) {
  const auto first = text::split_once(text, ';').first;
  const auto [version, value] = text::split_once(first, '=');
  if (trim_folding(version) != "v" || trim_folding(value) != "DMARC1") return std::nullopt;

  const Tags tags = tags_of(text);
  Record record;
  if (const auto uris = get(tags, "rua")) record.aggregate = uris_of(*uris);
  if (const auto uris = get(tags, "ruf")) record.failure = uris_of(*uris);
  if (const auto options = get(tags, "fo"); options && !record.failure.empty() && is_failure_options(*options)) record.failure_options = text::to_lower(*options);
  record.is_strict_dkim = says(tags, "adkim", "s");
  record.is_strict_spf = says(tags, "aspf", "s");
  record.is_testing = says(tags, "t", "y");
  record.suffix = says(tags, "psd", "y") ? SuffixDomain::Yes : says(tags, "psd", "n") ? SuffixDomain::No : SuffixDomain::Unknown;

  bool is_usable = tags.contains("p") && take_policy(tags, "p", record.policy);
  record.subdomain_policy = record.policy;
  is_usable = take_policy(tags, "sp", record.subdomain_policy) && is_usable;
  record.missing_policy = record.subdomain_policy;
  is_usable = take_policy(tags, "np", record.missing_policy) && is_usable;
  if (!is_usable) {  // section 4.10.1
    record.policy = record.subdomain_policy = record.missing_policy = Policy::None;
    record.applies = !record.aggregate.empty();
  }
  return record;
}

}  // namespace authn::dmarc
