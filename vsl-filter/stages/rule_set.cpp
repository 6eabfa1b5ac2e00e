#include "vsl-filter/stages/rule_set.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "vsl-filter/api/object.h"
#include "vsl-filter/lang/folder_loader.h"
#include "vsl-filter/check/name_hints.h"
#include "vsl-filter/check/rule_check.h"
#include "vsl-filter/services/smtp.h"

namespace rules {

using vsl::Value;

namespace {

constexpr auto kDirectives = std::to_array<vsl::DirectiveKeyword>({
    {"rule", "rule", ""},
    {"action", "action", ""},
    {"delegate", "delegation", "service"},
});
constexpr auto kObjectTypes = std::to_array<std::string_view>({"ip4", "ip6", "rg4", "rg6", "address", "addr", "fqdn", "regex", "identifier", "ident", "string",
                                                               "str", "val", "group", "grp", "code", "file"});
constexpr auto kObjectPrefixes = std::to_array<std::string_view>({"file"});
constexpr auto kServicePrefixes = std::to_array<std::string_view>({"db"});
constexpr auto kDeclarations = std::to_array<vsl::DeclarationKeyword>({
    {"object", "obj", "make_object", kObjectTypes, kObjectPrefixes, "object"},
    {"service", "", "make_service", {}, kServicePrefixes, "service"},
});

constexpr auto kKinds = std::to_array<std::string_view>({"rule", "action", "delegate", "hook"});

vsl::Budget budget_of(const base::Settings& settings) {
  vsl::Budget budget;
  budget.operations = settings.count("rules.operations_max");
  budget.call_depth = static_cast<std::uint32_t>(std::min<std::uint64_t>(settings.count("rules.call_depth_max"), 100'000));
  budget.time = std::chrono::milliseconds(settings.milliseconds("rules.time_max"));
  budget.memory.octets = settings.octets("rules.memory_max");
  budget.memory.string_octets = settings.octets("rules.string_max");
  budget.memory.elements = settings.count("rules.elements_max");
  return budget;
}

// Loading reads long lists from files, and belongs to nobody's message: it may take more.
vsl::Budget budget_of_loading(vsl::Budget budget) {
  budget.operations = 0;
  budget.time = std::chrono::milliseconds(0);
  budget.memory.octets = std::max<std::size_t>(budget.memory.octets, std::size_t{1} << 30);
  return budget;
}

// Rules begin in a file. vSMTP 2 was given a folder, with a script for all and folders of domains in it.
base::Result<void> check_no_folder(const std::string& path) {
  std::error_code none;
  if (!std::filesystem::is_directory(path, none)) return {};
  const auto folder = std::filesystem::path(path);
  for (const auto* script : {"main.vsl", "main.rhai"})
    if (std::filesystem::is_regular_file(folder / script, none)) return base::fail(base::Fault::Config, path + " is a folder; the rules begin in " + (folder / script).string());
  return base::fail(base::Fault::Config, path + " is a folder; rules begin in one file. For scripts per domain, as in vSMTP 2, write the main.vsl of \"Rules per domain\" in vsl(7)");
}

std::string text_at(const vsl::Map& map, std::string_view key) {
  const Value* value = map.find(key);
  return value != nullptr && value->is_string() ? std::string(value->as_text()) : std::string();
}

}  // namespace

const vsl::Dialect kDialect{kDirectives, kDeclarations};

std::string_view name_of(DirectiveKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

RuleSet::RuleSet(Site site) : site_(std::move(site)), api_(std::make_unique<Api>(site_)), budget_(budget_of(site_.settings)) {}

template <class Load>
void RuleSet::finish(const Load& load) {
  Scene scene{site_};
  RuleCheck check(api_->natives());
  vsl::CheckHook* const hooks[] = {&check};
  vsl::LoadOptions options;
  options.budget = budget_of_loading(budget_);
  options.hooks = hooks;
  options.hints = name_hints();
  options.host = &scene;
  options.sinks = sinks_of(site_);
  options.tells_assignments = site_.tells_assignments;
  load(options);
  if (loaded_.program) take_stages(check);
  is_usable_ = loaded_.program != nullptr && !loaded_.diagnostics.has_errors();
}

base::Result<std::shared_ptr<const RuleSet>> RuleSet::load(const std::string& main_path, Site site) {
  if (const auto checked = check_no_folder(main_path); !checked) return std::unexpected(checked.error());
  std::shared_ptr<RuleSet> set(new RuleSet(std::move(site)));
  vsl::FolderLoader loader(main_path, {.folders = set->site_.settings.words("rules.path")});
  base::Result<void> read;
  set->finish([&](const vsl::LoadOptions& options) {
    auto loaded = vsl::load(main_path, loader, set->api_->natives(), kDialect, options);
    if (loaded)
      set->loaded_ = std::move(*loaded);
    else
      read = base::fail(base::Fault::Config, loaded.error().cause);
  });
  if (!read) return std::unexpected(std::move(read.error()));
  return set;
}

std::shared_ptr<const RuleSet> RuleSet::of_text(std::string name, std::string text, Site site) {
  std::shared_ptr<RuleSet> set(new RuleSet(std::move(site)));
  vsl::FolderLoader loader(name, {.folders = set->site_.settings.words("rules.path")});
  set->finish([&](const vsl::LoadOptions& options) {
    set->loaded_ = vsl::load({std::move(name), std::move(text)}, loader, set->api_->natives(), kDialect, options);
  });
  return set;
}

std::shared_ptr<const RuleSet> RuleSet::none(Site site) {
  return of_text("(no rules)", "#{ connect: [ rule \"no rules are configured\" || deny() ] }", std::move(site));
}

// The checking pass has told of most mistakes with their places (rule_check.h); here are those of values that are computed.
void RuleSet::take_stages(const RuleCheck& check) {
  vsl::Diagnostics& diagnostics = loaded_.diagnostics;
  const Value& value = loaded_.program->value();
  const vsl::Span where = check.stage_map();
  if (!value.is_map()) {
    if (!check.hooks().empty()) return take_hooks(check);
    diagnostics.error(where, "the rules must end in a map of stages, not in a value of type " + std::string(vsl::type_name(value)))
        .with_help("as the last expression of the main file: #{ connect: [ rule \"name\" || next() ] }");
    return;
  }
  if (value.as_map().find("evaluate") != nullptr) {
    diagnostics.error(where, "a directive stands alone here: the rules must end in a map of stages")
        .with_help("as the last expression of the main file: #{ connect: [ rule \"name\" || next() ] }");
    return;
  }
  for (const auto& [key, directives] : value.as_map().entries()) {
    const auto stage = stage_of(key.as_text());
    if (!stage) {
      diagnostics.error(where, "the '" + std::string(key.as_text()) + "' smtp stage does not exist.");
      continue;
    }
    if (!directives.is_array()) {
      diagnostics.error(where, "the stage '" + std::string(key.as_text()) + "' must be declared using the array syntax");
      continue;
    }
    if (!directives_[static_cast<std::size_t>(*stage)].empty())
      diagnostics.error(where, "the stage '" + std::string(name_of(*stage)) + "' is there twice, under two of its names");
    for (const Value& directive : directives.as_array()) take_directive(*stage, directive, where);
  }
}

// v3: a script without a map, whose functions on_STAGE(ctx) are the rules.
void RuleSet::take_hooks(const RuleCheck& check) {
  for (const auto& hook : check.hooks()) {
    auto& directives = directives_[static_cast<std::size_t>(hook.stage)];
    if (!directives.empty()) {
      loaded_.diagnostics.error(hook.span, "the stage '" + std::string(name_of(hook.stage)) + "' has two hooks: this one and " + directives.front().name + "()");
      continue;
    }
    directives.push_back({DirectiveKind::Hook, std::string(hook.name), {}});
  }
}

namespace {

// It stands between quotes in one line of a header.
bool can_stand_in_field(std::string_view name) {
  constexpr std::size_t kLongest = 200;
  return name.size() <= kLongest && name.find_first_of("\"\r\n") == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

std::expected<void, std::string> take_service(Directive& directive, const vsl::Map& map, Stage stage) {
  const std::string where = std::string(name_of(stage)) + ":'" + directive.name + "'";
  if (has_client(stage))
    return std::unexpected("invalid delegation '" + directive.name + "' in stage '" + std::string(name_of(stage)) + "': delegation directives are available from the 'postq' stage and onwards.");
  const Value* value = map.find("service");
  const Service* service = value != nullptr ? service_of(*value) : nullptr;
  if (service == nullptr)
    return std::unexpected("the field after the 'delegate' keyword in the directive '" + directive.name + "' in stage '" + std::string(name_of(stage)) + "' must be a smtp service");
  directive.service = smtp_service_of(*value);
  if (directive.service == nullptr) return std::unexpected("cannot delegate security using a '" + std::string(service->kind()) + "' service in " + where + ".");
  if (!can_stand_in_field(directive.name)) return std::unexpected("the name of the delegation in " + where + " has a quote or a line end, or more than 200 octets: it is to stand in a header field");
  return {};
}

}  // namespace

std::expected<Directive, std::string> directive_of(const Value& value, Stage stage) {
  const std::string in = " in stage '" + std::string(name_of(stage)) + "'";
  if (!value.is_map()) return std::unexpected("an element" + in + " is no directive but a value of type " + std::string(vsl::type_name(value)));
  const vsl::Map& map = value.as_map();
  Directive directive;
  directive.name = text_at(map, "name");
  if (directive.name.empty()) return std::unexpected("a directive" + in + " does not have a name");
  const std::string type = text_at(map, "type");
  const auto kind = std::ranges::find(kKinds, type);
  if (kind == kKinds.end() || type == name_of(DirectiveKind::Hook))
    return std::unexpected("the directive '" + directive.name + "'" + in + " is neither a rule nor an action: its type is '" + type + "'");
  directive.kind = static_cast<DirectiveKind>(kind - kKinds.begin());
  const Value* evaluate = map.find("evaluate");
  if (evaluate == nullptr || !evaluate->is_function()) return std::unexpected("the directive '" + directive.name + "'" + in + " does not have an evaluation function");
  directive.evaluate = *evaluate;
  if (directive.kind == DirectiveKind::Delegate)
    if (auto checked = take_service(directive, map, stage); !checked) return std::unexpected(std::move(checked.error()));
  return directive;
}

const SmtpService* RuleSet::receiver_of(const Connection& connection) const {
  if (delegates_.empty()) return nullptr;
  const auto local = net::Address::from_ip(connection.server_ip, connection.server_port);
  if (!local) return nullptr;
  const std::string receiver = local->text();
  const SmtpService* found = nullptr;
  for (const auto* service : delegates_) {
    if (service->receiver() != receiver) continue;
    found = service;
    if (service->takes_from(connection.client_ip)) break;
  }
  return found;
}

void RuleSet::take_directive(Stage stage, const Value& value, vsl::Span where) {
  vsl::Diagnostics& diagnostics = loaded_.diagnostics;
  auto directive = directive_of(value, stage);
  if (!directive) {
    auto& error = diagnostics.error(where, directive.error());
    if (!value.is_map()) error.with_help("a directive is written: rule \"name\" || next()");
    return;
  }
  auto& directives = directives_[static_cast<std::size_t>(stage)];
  if (std::ranges::find(directives, directive->name, &Directive::name) != directives.end() && !RuleCheck::has_told_of(diagnostics, directive->name))
    diagnostics.error(where, "found duplicate rule '" + directive->name + "' in stage '" + std::string(name_of(stage)) + "': a rule must have a unique name");
  if (directive->service != nullptr) delegates_.push_back(directive->service);
  directives.push_back(*std::move(directive));
}

}  // namespace rules
