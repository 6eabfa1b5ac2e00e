// The checking pass: what can be known to be wrong before a script runs.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "vsl-filter/lang/diagnostic.h"
#include "vsl-filter/lang/module.h"

namespace vsl {

// A name that people bring along from elsewhere, and what they find here: {"reject", "a rule refuses with `deny()`"}.
struct NameHint {
  std::string_view name, help;
};

// What the host knows by name. The table of native functions implements it.
class HostNames {
 public:
  virtual ~HostNames() = default;

  // `path` is "spf" of spf::check and "" for names without a namespace; "toml::server" for deeper ones.
  [[nodiscard]] virtual bool has_namespace(std::string_view path) const = 0;
  // Some function of this name takes so many arguments; a method call counts its receiver as the first one.
  [[nodiscard]] virtual bool has_function(std::string_view path, std::string_view name, std::size_t arguments) const = 0;
  // A constant: net_10, toml::server.
  [[nodiscard]] virtual bool has_value(std::string_view path, std::string_view name) const = 0;
  // Whether dropping the result of this function is certainly a mistake.
  [[nodiscard]] virtual bool is_result_needed(std::string_view path, std::string_view name) const { return (void)path, (void)name, false; }
  // What to write for a name that other languages and programs have and this one has not; "" if nothing is known of it.
  [[nodiscard]] virtual std::string_view hint(std::string_view name) const { return (void)name, std::string_view(); }
  // For suggestions and "takes 1 or 2 arguments": each function as often as it has numbers of arguments; values with kValue.
  static constexpr std::size_t kValue = static_cast<std::size_t>(-1);
  virtual void each(std::string_view path, const std::function<void(std::string_view name, std::size_t arguments)>& see) const = 0;
  virtual void each_namespace(const std::function<void(std::string_view path)>& see) const = 0;
};

// The host's own checks: it sees every node once, before the node's children, and the directives around it.
class CheckHook {
 public:
  virtual ~CheckHook() = default;
  virtual void enter(const ast::Node& node, const ast::Script& script, Diagnostics& diagnostics) = 0;
  virtual void leave(const ast::Node& node, const ast::Script& script, Diagnostics& diagnostics) = 0;
};

// All modules, in their order. Reports unknown variables and functions with the nearest known name, wrong numbers of arguments,
// duplicate keys and labels, conditions that cannot be bool, code that cannot be reached, results that are thrown away.
void check(const Modules& modules, const HostNames& host, Diagnostics& diagnostics, std::span<CheckHook* const> hooks = {});

}  // namespace vsl
