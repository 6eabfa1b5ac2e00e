#include "vsl-filter/services/service_options.h"

#include <algorithm>
#include <cassert>

#include "lib/base/text.h"
#include "vsl-filter/lang/heap.h"
#include "vsl-filter/lang/nearest.h"
#include "vsl-filter/lang/text.h"
#include "vsl-filter/services/duration.h"

namespace rules {
namespace {

constexpr std::int64_t kMostCount = 1'000'000'000;

std::string_view expected_of(OptionType type) {
  switch (type) {
    case OptionType::Text: return "a text";
    case OptionType::Character: return "one character";
    case OptionType::Count: return "a whole number that is not negative";
    case OptionType::Duration: return "a duration, such as \"15s\" or \"1h 30m\"";
    case OptionType::Flag: return "true or false";
    case OptionType::Words: return "an array of strings";
    case OptionType::Map: return "a map #{ ... }";
  }
  return "";
}

const OptionRow* find_row(std::span<const OptionRow> rows, std::string_view name) {
  const auto row = std::ranges::find_if(rows, [name](const OptionRow& r) { return r.name == name || (!r.alias.empty() && r.alias == name); });
  return row == rows.end() ? nullptr : &*row;
}

std::unexpected<vsl::Failure> unknown(std::string_view label, std::span<const OptionRow> rows, std::string_view name) {
  vsl::Nearest nearest(name);
  std::string known;
  for (const OptionRow& row : rows) {
    nearest.see(row.name);
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  const std::string suggestion = nearest.suggestion();
  return vsl::fail_api(std::string(label) + " has no option '" + std::string(name) + "': " + (suggestion.empty() ? "it knows " + known : suggestion));
}

}  // namespace

bool ServiceOptions::take(OptionType type, const vsl::Value& value, Given& given) {
  switch (type) {
    case OptionType::Text:
    case OptionType::Character:
      if (!value.is_string() && !value.is_char()) return false;
      given.text = vsl::text_of(value);
      return type == OptionType::Text || value.is_char() || vsl::code_points(value) == 1;
    case OptionType::Count:
      if (!value.is_int()) return false;
      given.number = value.as_int();
      return given.number >= 0 && given.number <= kMostCount;
    case OptionType::Duration: {
      if (!value.is_string()) return false;
      const auto duration = parse_duration(value.as_text());
      given.number = duration ? duration->count() : 0;
      return duration.has_value();
    }
    case OptionType::Flag:
      if (!value.is_bool()) return false;
      given.number = value.as_bool() ? 1 : 0;
      return true;
    case OptionType::Map:
      if (!value.is_map()) return false;
      given.map = &value.as_map();
      return true;
    case OptionType::Words:
      if (!value.is_array()) return false;
      for (const vsl::Value& word : value.as_array()) {
        if (!word.is_string()) return false;
        given.words.emplace_back(word.as_text());
      }
      return true;
  }
  return false;
}

vsl::Expected<ServiceOptions> ServiceOptions::read(std::string_view label, std::span<const OptionRow> rows, const vsl::Map& map) {
  ServiceOptions options;
  for (const OptionRow& row : rows) {
    Given& given = options.given_[row.name];
    if (row.standard.empty()) continue;
    given.text = row.standard;
    if (row.type == OptionType::Duration) given.number = parse_duration(row.standard).value().count();
    if (row.type == OptionType::Count) given.number = base::text::parse_number<std::int64_t>(row.standard).value();
    if (row.type == OptionType::Flag) given.number = row.standard == "true" ? 1 : 0;
  }
  for (const auto& [key, value] : map.entries()) {
    const OptionRow* row = find_row(rows, key.as_text());
    if (row == nullptr) return unknown(label, rows, key.as_text());
    Given& given = options.given_[row->name];
    given.is_given = true;
    if (!take(row->type, value, given))
      return vsl::fail_api("the option '" + std::string(key.as_text()) + "' of " + std::string(label) + " must be " + std::string(expected_of(row->type)) +
                           ", not " + vsl::debug_of(value));
  }
  for (const OptionRow& row : rows)
    if (row.is_required && !options.is_given(row.name))
      return vsl::fail_api(std::string(label) + " is missing the '" + std::string(row.name) + "' option.");
  return options;
}

const ServiceOptions::Given& ServiceOptions::at(std::string_view name) const {
  const auto found = given_.find(name);
  assert(found != given_.end());
  return found->second;
}

}  // namespace rules
