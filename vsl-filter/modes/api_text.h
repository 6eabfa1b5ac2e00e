// --api: the functions of rules, from their tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/api/api.h"
#include "vsl-filter/options.h"

namespace rules {

// A function with everything that its rows say.
struct ApiEntry {
  std::string_view space, name;       // "spf", "check"
  std::vector<std::string> forms;     // "(string, i64)", one for each number and kind of arguments
  std::vector<std::string> aliases;   // other spellings, with their namespaces
  std::string_view doc;
  Stages stages = kEvery;
  bool is_property = false;           // also x.name
  bool is_constant = false;

  [[nodiscard]] std::string full_name() const { return space.empty() ? std::string(name) : std::string(space) + "::" + std::string(name); }
};

// Sorted by namespace and name. Spellings of older versions are aliases of theirs.
std::vector<ApiEntry> api_entries(const Api& api);
// "all stages", "from mail on", "rcpt"
std::string stages_text(Stages stages);

// All, or those of the names that are given; of a name that no function has, those that have it within theirs. Exit code 0; 1: one of them is in no name.
int print_api(const base::Settings& settings, const Options& options);

}  // namespace rules
