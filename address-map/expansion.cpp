#include "address-map/expansion.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mail/address.h"

namespace address_map {
namespace {

using Kind = Target::Kind;

std::string at_domain(std::string_view local, std::string_view domain) {
  return domain.empty() ? std::string(local) : std::string(local) + "@" + std::string(domain);
}

base::Error trouble(std::string_view recipient, const std::string& what) {
  return {base::Fault::Temporary, "maps: <" + base::text::printable(recipient, 100) + "> " + what, 0};
}

// Where the extension begins, with its delimiter; npos: there is none. Not the first octet: a name is in front of it.
std::size_t extension_at(std::string_view local, std::string_view delimiter) {
  if (delimiter.empty() || local.starts_with('"')) return std::string_view::npos;
  return local.find(delimiter, 1);
}

bool is_itself(const std::vector<std::string>& keys, const std::string& key) { return std::ranges::find(keys, key) != keys.end(); }

}  // namespace

struct Expander::Run {
  std::string recipient;
  std::vector<Result> results;
  std::unordered_set<std::string> expanded;  // keys
};

std::vector<std::string> Expander::keys(Format format, std::string_view address) const {
  const auto [local_part, domain_part] = mail::split_address(address);
  const std::string local = key_of(local_part), domain = mail::plain_domain(domain_part);
  const auto at = extension_at(local, rules_.delimiter);
  std::vector<std::string> names = {local};
  if (at != std::string::npos) names.push_back(local.substr(0, at));
  if (format == Format::Aliases) return names;
  std::vector<std::string> all;
  if (!domain.empty())
    for (const auto& name : names) all.push_back(at_domain(name, domain));
  if (is_local(domain)) std::ranges::copy(names, std::back_inserter(all));
  if (!domain.empty()) all.push_back("@" + domain);
  return all;
}

base::Result<void> Expander::add(Run& run, Result result) const {
  if (std::ranges::find(run.results, result) != run.results.end()) return {};
  if (run.results.size() == rules_.results_max) return std::unexpected(trouble(run.recipient, "becomes more than " + std::to_string(rules_.results_max) + " recipients"));
  run.results.push_back(std::move(result));
  return {};
}

std::string Expander::virtual_target(const std::string& target, const std::string& key, const std::string& address) const {
  const auto [local, domain] = mail::split_address(address);
  if (target.starts_with('@')) return std::string(local) + target;
  // An extension that the key does not have goes on with the target.
  const auto at = extension_at(local, rules_.delimiter);
  const bool is_without = at != std::string::npos && !key.starts_with('@') && mail::split_address(key).first.size() == at;
  const auto [target_local, target_domain] = mail::split_address(target);
  const std::string full_local = std::string(target_local) + (is_without ? std::string(local.substr(at)) : std::string());
  return at_domain(full_local, target_domain.empty() ? domain : target_domain);
}

base::Result<void> Expander::expand(Run& run, const std::string& address, const std::string& owner, std::size_t depth) const {
  if (depth > rules_.depth_max) return std::unexpected(trouble(run.recipient, "leads through more than " + std::to_string(rules_.depth_max) + " addresses"));
  if (!run.expanded.insert(key_of(address)).second) return {};
  for (const auto& key : keys(Format::Virtual, address)) {
    const auto found = maps_.find(Format::Virtual, key);
    if (!found) return std::unexpected(found.error());
    if (!*found) continue;
    for (const auto& target : **found) {
      const auto next = virtual_target(target.text, key, address);
      const auto done = key_of(next) == key_of(address) ? expand_alias(run, address, owner, depth) : expand(run, next, owner, depth + 1);
      if (!done) return done;
    }
    return {};
  }
  return expand_alias(run, address, owner, depth);
}

base::Result<void> Expander::expand_alias(Run& run, const std::string& address, std::string owner, std::size_t depth) const {
  const auto domain = std::string(mail::split_address(address).second);
  if (is_local(domain)) {
    for (const auto& key : keys(Format::Aliases, address)) {
      const auto found = maps_.find(Format::Aliases, key);
      if (!found) return std::unexpected(found.error());
      if (!*found) continue;
      // That of owner-NAME is its own: a list whose owner cannot be reached must not tell itself.
      const std::string owner_name = "owner-" + key;
      const auto owner_entry = key.starts_with("owner-") ? base::Result<std::optional<Targets>>(std::nullopt) : maps_.find(Format::Aliases, owner_name);
      if (!owner_entry) return std::unexpected(owner_entry.error());
      if (*owner_entry) owner = at_domain(owner_name, domain);
      return follow(run, **found, address, owner, depth);
    }
  }
  return add(run, {Kind::Address, address, address, owner, !owner.empty()});
}

base::Result<void> Expander::follow(Run& run, const Targets& targets, const std::string& address, const std::string& owner, std::size_t depth) const {
  const auto domain = mail::split_address(address).second;
  for (const auto& target : targets) {
    const bool has_domain = !mail::split_address(target.text).second.empty();
    const std::string next = has_domain ? target.text : at_domain(target.text, domain);
    base::Result<void> done;
    switch (target.kind) {
      case Kind::Command:
      case Kind::File: done = add(run, {target.kind, target.text, address, owner, !owner.empty()}); break;
      case Kind::Final: done = add(run, {Kind::Address, next, next, owner, !owner.empty()}); break;
      case Kind::Address:
        // To itself, or with its extension: its own mailbox.
        done = is_itself(keys(Format::Virtual, address), key_of(next)) ? add(run, {Kind::Address, address, address, owner, !owner.empty()}) : expand(run, next, owner, depth + 1);
        break;
      case Kind::Include: {
        if (depth >= rules_.depth_max) return std::unexpected(trouble(run.recipient, "leads through more than " + std::to_string(rules_.depth_max) + " addresses"));
        const auto included = maps_.include(target.text);
        if (!included) return std::unexpected(included.error());
        done = follow(run, *included, address, owner, depth + 1);
        break;
      }
    }
    if (!done) return done;
  }
  return {};
}

base::Result<std::vector<Result>> Expander::expand(std::string_view recipient) const {
  Run run{std::string(recipient), {}, {}};
  if (const auto done = expand(run, run.recipient, {}, 0); !done) return std::unexpected(done.error());
  if (run.results.empty()) return std::unexpected(trouble(recipient, "leads in a circle and to nobody"));
  return std::move(run.results);
}

base::Result<bool> Expander::is_in_maps(std::string_view recipient) const {
  const bool is_ours = is_local(mail::split_address(recipient).second);
  for (const auto format : {Format::Virtual, Format::Recipients, Format::Aliases}) {
    if (format == Format::Aliases && !is_ours) continue;
    for (const auto& key : keys(format, recipient)) {
      const auto found = maps_.find(format, key);
      if (!found) return std::unexpected(found.error());
      if (*found) return true;
    }
  }
  return false;
}

}  // namespace address_map
