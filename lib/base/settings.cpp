#include "lib/base/settings.h"

#include <ini.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdio>
#include <memory>
#include <set>

#include "lib/base/text.h"

namespace base {
namespace {

std::string full_name(std::string_view section, std::string_view key) {
  return std::string(section) + "." + std::string(key);
}

// Sections with a name behind theirs.
constexpr auto kNamedSections = std::to_array<std::string_view>({"virtual", "transport", "relay"});

// `virtual "example.org"` -> {`virtual`, `example.org`}; a section without a name: {`smtp`, ``}.
std::pair<std::string_view, std::string_view> split_section(std::string_view section) {
  const auto [kind, quoted] = text::split_once(section, ' ');
  if (quoted.size() < 3 || !quoted.starts_with('"') || !quoted.ends_with('"')) return {section, {}};
  return {kind, quoted.substr(1, quoted.size() - 2)};
}

std::string expected_of(const Setting& setting) {
  switch (setting.kind) {
    case Kind::Flag: return "yes or no";
    case Kind::Count: return "a whole number";
    case Kind::Octets: return "a number of octets, such as 20m (k, m and g are factors of 1024)";
    case Kind::Duration: return "a duration, such as 5m (ms, s, m, h, d, w)";
    case Kind::Choice: {
      std::string words(setting.choices);
      std::ranges::replace(words, '|', ' ');
      return "one of: " + words;
    }
    case Kind::Text:
    case Kind::Path:
    case Kind::List:
    case Kind::Lines:
    case Kind::Program: break;
  }
  return "text";
}

bool is_of_kind(const Setting& setting, std::string_view value) {
  switch (setting.kind) {
    case Kind::Flag: return value == "yes" || value == "no";
    case Kind::Count: return text::parse_number<std::uint64_t>(value).has_value();
    case Kind::Octets: return text::parse_octets(value).has_value();
    case Kind::Duration: return text::parse_duration_milliseconds(value).has_value();
    case Kind::Choice: {
      const auto choices = text::split(setting.choices, '|');
      return std::ranges::find(choices, value) != choices.end();
    }
    case Kind::Text:
    case Kind::Path:
    case Kind::List:
    case Kind::Lines:
    case Kind::Program: break;
  }
  return value.find('\0') == std::string_view::npos;
}

std::string keys_of(std::string_view section) {
  std::string keys;
  for (const auto& setting : all_settings())
    if (setting.section == section) keys += " " + std::string(setting.key);
  return keys;
}

std::string known_sections() {
  std::set<std::string> sections;
  for (const auto& setting : all_settings()) sections.insert("[" + std::string(setting.section) + (is_named_section(setting.section) ? " \"NAME\"]" : "]"));
  std::string text;
  for (const auto& section : sections) text += " " + section;
  return text;
}

// What inih's callbacks share while a file is read. inih gives no line numbers to its handler, so the reader counts.
struct Reading {
  std::FILE* file;
  std::string path;
  Settings* settings;
  int line = 0;
  std::string section;  // inih cuts long ones
  std::string mistakes;

  void mistake(const std::string& what) {
    if (!mistakes.empty()) mistakes += '\n';
    mistakes += path + ":" + std::to_string(line) + ": " + what;
  }
};

char* read_line(char* buffer, int size, void* stream) {
  auto& reading = *static_cast<Reading*>(stream);
  if (std::fgets(buffer, size, reading.file) == nullptr) return nullptr;
  ++reading.line;
  const std::string_view line(buffer);
  if (line.size() + 1 == static_cast<std::size_t>(size) && !line.ends_with('\n')) {
    reading.mistake("line of more than " + std::to_string(size - 2) + " octets; expected: go on in a new line that begins with a blank");
    for (int c = std::fgetc(reading.file); c != EOF && c != '\n';) c = std::fgetc(reading.file);
  }
  if (const auto trimmed = text::trim(line); trimmed.starts_with('[')) {
    reading.section = trimmed.substr(1, trimmed.find(']') - 1);
    const auto [kind, name] = split_section(reading.section);
    if (is_named_section(kind) && !name.empty()) reading.settings->open_named(reading.section);
  }
  return buffer;
}

int on_value(void* user, const char*, const char* key, const char* value) {
  auto& reading = *static_cast<Reading*>(user);
  const std::string& section = reading.section;
  if (Settings::kFreeSection == section) {
    reading.settings->set_free(key, value);
    return 1;
  }
  const Setting* setting = find_setting(full_name(section, key));
  if (setting == nullptr) {
    const auto [kind, name] = split_section(section);
    const std::string keys = is_named_section(kind) == !name.empty() ? keys_of(kind) : std::string();
    if (keys.empty()) {
      reading.mistake("unknown section [" + section + "]; expected:" + known_sections());
    } else {
      reading.mistake("unknown key '" + std::string(key) + "' in [" + section + "]; expected:" + keys);
    }
    return 1;
  }
  const auto set = reading.settings->set(*setting, value, section);
  if (!set) reading.mistake(set.error().cause);
  reading.settings->note_place(full_name(section, key), reading.path + ":" + std::to_string(reading.line) + ": ");
  return 1;
}

}  // namespace

bool is_named_section(std::string_view section) { return std::ranges::find(kNamedSections, section) != kNamedSections.end(); }

const Setting* find_setting(std::string_view full) {
  const auto dot = full.rfind('.');
  if (dot == std::string_view::npos) return nullptr;
  const auto [section, name] = split_section(full.substr(0, dot));
  const auto key = full.substr(dot + 1);
  if (is_named_section(section) == name.empty()) return nullptr;
  for (const auto& setting : all_settings())
    if (setting.section == section && setting.key == key) return &setting;
  return nullptr;
}

Result<void> check_value(const Setting& setting, std::string_view value) {
  if (is_of_kind(setting, value)) return {};
  return fail(Fault::Config, "bad value '" + text::printable(value) + "' for " + full_name(setting.section, setting.key) + "; expected: " + expected_of(setting));
}

Result<void> Settings::read(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (!file) return fail_errno("open " + path, Fault::Config);
  Reading reading{file.get(), path, this, 0, {}, {}};
  const int bad_line = ::ini_parse_stream(read_line, &reading, on_value, &reading);
  if (std::ferror(file.get()) != 0) return fail_errno("read " + path, Fault::Config);  // a folder can be opened
  if (bad_line != 0 && reading.mistakes.empty()) {
    reading.line = bad_line;
    reading.mistake("neither [section] nor key = value");
  }
  if (!reading.mistakes.empty()) return fail(Fault::Config, reading.mistakes);
  return {};
}

Result<void> Settings::set(const Setting& setting, std::string_view value) {
  places_.erase(full_name(setting.section, setting.key));  // no file is to blame
  return set(setting, value, setting.section);
}

Result<void> Settings::set(const Setting& setting, std::string_view value, std::string_view section) {
  const auto checked = check_value(setting, value);
  if (!checked) return checked;
  const std::string name = full_name(section, setting.key);
  auto& slot = given_[name];
  // inih calls once for each continuation line, and a List may be given by several options. A key of Lines that stands in the file
  // twice is like one that goes on.
  const bool adds = (setting.kind == Kind::List || setting.kind == Kind::Program) && !slot.empty();
  if (setting.kind == Kind::Lines && !slot.empty() && places_.contains(name)) {
    slot.append("\n").append(value);
  } else {
    slot = adds ? slot + " " + std::string(value) : std::string(value);
  }
  return {};
}

void Settings::set_free(std::string_view key, std::string_view value) { given_[full_name(kFreeSection, key)] = value; }

std::vector<std::pair<std::string, std::string>> Settings::free_values() const {
  std::vector<std::pair<std::string, std::string>> values;
  const std::string front = full_name(kFreeSection, "");
  for (auto row = given_.lower_bound(front); row != given_.end() && row->first.starts_with(front); ++row)
    values.emplace_back(row->first.substr(front.size()), row->second);
  return values;
}

std::string Settings::named(std::string_view section, std::string_view name, std::string_view key) {
  return full_name(std::string(section) + " \"" + std::string(name) + "\"", key);
}

std::vector<std::string> Settings::names(std::string_view section) const {
  std::vector<std::string> names;
  const std::string front = std::string(section) + " \"";
  for (auto row = given_.lower_bound(front); row != given_.end() && row->first.starts_with(front); ++row) {
    const auto [kind, name] = split_section(std::string_view(row->first).substr(0, row->first.rfind('.')));
    if (names.empty() || names.back() != name) names.emplace_back(name);
  }
  return names;
}

// A key without a name, which no file can give.
void Settings::open_named(std::string_view section) { given_.try_emplace(full_name(section, "")); }

std::string Settings::place_of(std::string_view name) const {
  const auto place = places_.find(name);
  return place == places_.end() ? std::string() : place->second;
}

// Of several lines the first.
void Settings::note_place(std::string_view name, std::string place) { places_.try_emplace(std::string(name), std::move(place)); }

void Settings::forget(const Setting& setting) { given_.erase(full_name(setting.section, setting.key)); }

const std::string& Settings::text(std::string_view name) const {
  static const auto standards = [] {
    std::vector<std::string> all(all_settings().size());
    std::ranges::transform(all_settings(), all.begin(), [](const Setting& setting) { return std::string(setting.standard); });
    return all;
  }();
  if (const auto given = given_.find(name); given != given_.end()) return given->second;
  const Setting* setting = find_setting(name);
  assert(setting != nullptr);
  return standards[static_cast<std::size_t>(setting - all_settings().data())];
}

bool Settings::flag(std::string_view name) const { return text(name) == "yes"; }

std::uint64_t Settings::count(std::string_view name) const {
  const auto value = text::parse_number<std::uint64_t>(text(name));
  assert(value);
  return *value;
}

std::uint64_t Settings::octets(std::string_view name) const {
  const auto value = text::parse_octets(text(name));
  assert(value);
  return *value;
}

std::uint64_t Settings::milliseconds(std::string_view name) const {
  const auto value = text::parse_duration_milliseconds(text(name));
  assert(value);
  return *value;
}

std::vector<std::string> Settings::words(std::string_view name) const {
  std::vector<std::string> words;
  for (const auto line : text::split(text(name), '\n'))
    for (const auto word : text::split(line, ' '))
      if (!text::trim(word).empty()) words.emplace_back(text::trim(word));
  return words;
}

bool Settings::is_given(std::string_view name) const { return given_.find(name) != given_.end(); }

}  // namespace base
