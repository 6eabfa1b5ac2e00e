#include "vsl-filter/modes/api_text.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "vsl-filter/lang/nearest.h"
#include "vsl-filter/loading.h"

namespace rules {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kExitUnknown = 1;

std::string form_of(const vsl::NativeRow& row) {
  std::string form = "(";
  for (const auto& parameter : row.parameters.span()) {
    if (form.size() > 1) form += ", ";
    form += parameter.host_class != nullptr ? parameter.host_class->name : vsl::type_text(parameter.type);
  }
  return form + ")";
}

bool has_handle(const vsl::NativeRow& row) { return row.parameters.count > 0 && row.parameters.all[0].host_class == &kHandleClass; }

void add_once(std::vector<std::string>& list, std::string text) {
  if (std::ranges::find(list, text) == list.end()) list.push_back(std::move(text));
}

void add_aliases(ApiEntry& entry, const vsl::NativeRow& row) {
  std::string_view rest = row.aliases;
  while (!rest.empty()) {
    const auto alias = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), alias.size() + 1));
    if (!alias.empty()) add_once(entry.aliases, row.space.empty() ? std::string(alias) : std::string(row.space) + "::" + std::string(alias));
  }
}

bool is_named(const ApiEntry& entry, std::string_view name) {
  return entry.full_name() == name || entry.name == name || std::ranges::find(entry.aliases, name) != entry.aliases.end();
}

// Those of this name; if there are none, all that have it within theirs, and so those of a namespace.
std::vector<const ApiEntry*> named(const std::vector<ApiEntry>& entries, std::string_view name) {
  std::vector<const ApiEntry*> found;
  for (const auto& entry : entries)
    if (is_named(entry, name)) found.push_back(&entry);
  if (!found.empty()) return found;
  for (const auto& entry : entries)
    if (entry.full_name().find(name) != std::string::npos) found.push_back(&entry);
  return found;
}

std::string nearest_to(const std::vector<ApiEntry>& entries, std::string_view name) {
  std::vector<std::string> names;
  for (const auto& entry : entries) names.push_back(entry.full_name());
  vsl::Nearest nearest(name);
  for (const auto& known : names) nearest.see(known);
  for (const auto& entry : entries) nearest.see(entry.name);
  return nearest.suggestion();
}

void append_text(std::string& out, const ApiEntry& entry, bool has_colour) {
  const std::string bold = has_colour ? "\x1b[1m" : "", plain = has_colour ? "\x1b[0m" : "";
  if (entry.is_constant) {
    out += bold + entry.full_name() + plain + "\n";
  } else {
    for (const auto& form : entry.forms) out += bold + entry.full_name() + plain + form + "\n";
  }
  out += "    " + std::string(entry.doc) + "\n";
  if (entry.stages != kEvery) out += "    stages: " + stages_text(entry.stages) + "\n";
  if (entry.is_property) out += "    also without (): x." + std::string(entry.name) + "\n";
  if (entry.aliases.empty()) return;
  out += "    also:";
  for (const auto& alias : entry.aliases) out += " " + alias;
  out += "\n";
}

void append_json(std::string& out, const ApiEntry& entry) {
  Json stages = Json::array();
  for (const auto& row : kStages)
    if (has(entry.stages, row.stage)) stages.push_back(row.name);
  const Json json = {{"name", entry.full_name()}, {"forms", entry.forms}, {"aliases", entry.aliases}, {"stages", std::move(stages)},
                     {"property", entry.is_property}, {"constant", entry.is_constant}, {"doc", entry.doc}};
  out += json.dump() + "\n";
}

}  // namespace

std::vector<ApiEntry> api_entries(const Api& api) {
  std::map<std::string, ApiEntry> entries;
  std::map<vsl::Native, std::string> by_function;
  for (const auto* row : api.natives().rows()) {
    if ((row->flags & kSpelling) != 0) continue;
    ApiEntry fresh;
    fresh.space = row->space;
    fresh.name = row->name;
    auto& entry = entries.try_emplace(fresh.full_name(), fresh).first->second;
    if (entry.doc.empty()) {
      entry.doc = row->doc;
      entry.stages = stages_of(*row);
    }
    entry.is_property |= (row->flags & vsl::kProperty) != 0;
    entry.is_constant |= (row->flags & vsl::kConstant) != 0;
    add_once(entry.forms, form_of(*row));
    add_aliases(entry, *row);
    by_function.emplace(row->run, entry.full_name());
  }
  for (const auto* row : api.natives().rows()) {
    const bool is_plain = (row->flags & kSpelling) != 0 && row->space != "vsl" && row->space != "sys" && !has_handle(*row);
    if (!is_plain) continue;
    const auto known = by_function.find(row->run);
    if (known == by_function.end()) continue;
    auto& entry = entries.at(known->second);
    auto alias = row->space.empty() ? std::string(row->name) : std::string(row->space) + "::" + std::string(row->name);
    if (alias != entry.full_name()) add_once(entry.aliases, std::move(alias));
  }
  std::vector<ApiEntry> list;
  for (auto& [name, entry] : entries) list.push_back(std::move(entry));
  std::ranges::stable_sort(list, {}, [](const ApiEntry& entry) { return entry.space; });
  return list;
}

std::string stages_text(Stages stages) {
  if (stages == kEvery) return "all stages";
  if (stages != 0 && stages == from(first_of(stages))) return "from " + std::string(name_of(first_of(stages))) + " on";
  std::string text;
  for (const auto& row : kStages)
    if (has(stages, row.stage)) text += (text.empty() ? "" : " ") + std::string(row.name);
  return text;
}

int print_api(const base::Settings& settings, const Options& options) {
  const Site site = site_of(settings);
  const Api api(site);
  const auto entries = api_entries(api);
  std::string out;
  int code = 0;
  const auto append = [&](const ApiEntry& entry) {
    if (options.as_json) return append_json(out, entry);
    if (!out.empty()) out += "\n";
    append_text(out, entry, options.has_colour);
  };
  std::set<const ApiEntry*> printed;
  for (const auto& name : options.files) {
    const auto found = named(entries, name);
    for (const auto* entry : found)
      if (printed.insert(entry).second) append(*entry);
    if (!found.empty()) continue;
    const auto suggestion = nearest_to(entries, name);
    (void)base::report(kManual.program, {base::Fault::Usage, "no function is named '" + name + "'" + (suggestion.empty() ? "" : "; " + suggestion)});
    code = kExitUnknown;
  }
  if (options.files.empty())
    for (const auto& entry : entries) append(entry);
  const auto written = base::write_all(STDOUT_FILENO, out);
  return written ? code : base::report(kManual.program, written.error());
}

}  // namespace rules
