#include "lib/chain/environment.h"

#include <unistd.h>

#include <algorithm>

#include "lib/base/text.h"

namespace chain {
namespace {

std::string_view name_of(std::string_view variable) { return base::text::split_once(variable, '=').first; }

}  // namespace

Words interface_environment() {
  Words variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (std::ranges::find(kVariables, name_of(*variable)) != kVariables.end()) variables.emplace_back(*variable);
  return variables;
}

std::vector<char*> environment_for_exec(const Words& over) {
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const auto name = name_of(*variable);
    const bool is_named = std::ranges::find(over, name, [](const std::string& given) { return name_of(given); }) != over.end();
    if (!is_named && std::ranges::find(kVariables, name) == kVariables.end()) variables.push_back(*variable);
  }
  for (const auto& variable : over) variables.push_back(const_cast<char*>(variable.c_str()));  // execve(2) takes char*
  variables.push_back(nullptr);
  return variables;
}

}  // namespace chain
