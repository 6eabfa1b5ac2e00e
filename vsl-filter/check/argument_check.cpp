#include "vsl-filter/check/argument_check.h"

#include <algorithm>
#include <array>
#include <optional>

#include "vsl-filter/transaction/addresses.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/lang/certain.h"
#include "vsl-filter/lang/regex.h"
#include "vsl-filter/transaction/recipients.h"
#include "vsl-filter/transaction/reply.h"

namespace rules {

namespace ast = vsl::ast;
using vsl::Type;

namespace {

// --- types ---

struct TypeRow {
  std::string_view certain;  // as certain_type() says it
  std::array<Type, 3> taken_by;
};
constexpr auto kTypes = std::to_array<TypeRow>({
    {"()", {Type::Unit}},
    {"bool", {Type::Bool}},
    {"i64", {Type::Int, Type::Number}},
    {"f64", {Type::Float, Type::Number}},
    {"char", {Type::Char, Type::Text}},
    {"string", {Type::String, Type::Text, Type::Callback}},
    {"array", {Type::Array}},
    {"map", {Type::Map}},
    {"Fn", {Type::Function, Type::Callback}},
    {"range", {Type::Range}},
    {"range=", {Type::Range}},
});

bool may_accept(const vsl::Parameter& parameter, std::string_view certain) {
  if (parameter.type == Type::Any) return true;
  const auto row = std::ranges::find(kTypes, certain, &TypeRow::certain);
  return row == kTypes.end() || std::ranges::find(row->taken_by, parameter.type) != row->taken_by.end();
}

bool may_accept(const vsl::NativeRow& row, const ast::Nodes& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (!may_accept(row.parameters.all[i], ast::certain_type(*arguments[i]))) return false;
  return true;
}

bool has_handle(const vsl::NativeRow& row) { return row.parameters.count > 0 && row.parameters.all[0].host_class == &kHandleClass; }

std::string parameters_text(const vsl::NativeRow& row) {
  std::string text;
  for (const vsl::Parameter& parameter : row.parameters.span()) {
    if (!text.empty()) text += ", ";
    text += parameter.host_class != nullptr ? parameter.host_class->name : vsl::type_text(parameter.type);
  }
  return text;
}

std::string arguments_text(const ast::Nodes& arguments) {
  std::string text;
  for (const ast::Node* argument : arguments) {
    const std::string_view type = ast::certain_type(*argument);
    text += (text.empty() ? "" : ", ") + std::string(type.empty() ? "any" : type == "range=" ? "range" : type);
  }
  return text;
}

std::string full_name(std::string_view space, std::string_view name) { return (space.empty() ? "" : std::string(space) + "::") + std::string(name); }

// "deny(), deny(any)": all that a script can write, of any number of arguments.
std::string forms_of(const vsl::Natives& natives, std::string_view space, std::string_view name) {
  std::string forms;
  for (std::size_t count = 0; count <= vsl::Parameters::kMost; ++count) {
    const vsl::Overloads* overloads = natives.find(space, name, count);
    if (overloads == nullptr) continue;
    for (const vsl::NativeRow* row : overloads->rows)
      if (!has_handle(*row)) forms += (forms.empty() ? "" : ", ") + full_name(space, name) + "(" + parameters_text(*row) + ")";
  }
  return forms;
}

// --- texts ---

using Fault = std::optional<std::string>;  // nothing: it is fine

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

struct ObjectType {
  std::string_view name;
};
constexpr ObjectType kIp4{"ip4"}, kIp6{"ip6"}, kRg4{"rg4"}, kRg6{"rg6"}, kAddress{"address"}, kFqdn{"fqdn"}, kCode{"code"};

Fault reply_fault(std::string_view text) {
  if (Reply::parse(text)) return std::nullopt;
  return quoted(text) + " is no reply: expected a code, an enhanced code if wanted, a text, as in \"554 5.7.1 Not here\"";
}
Fault address_fault(std::string_view text) {
  const auto valid = check_address(text);
  return valid ? std::nullopt : Fault(valid.error().cause);
}
Fault sender_fault(std::string_view text) { return text.empty() || text == "<>" ? std::nullopt : address_fault(text); }
Fault target_fault(std::string_view text) {
  const auto target = forward_to(text);
  return target ? std::nullopt : Fault(target.error().cause);
}
Fault quarantine_fault(std::string_view text) {
  Transaction probe;
  const auto valid = probe.set_quarantine(text);
  return valid ? std::nullopt : Fault(valid.error().cause);
}
Fault pattern_fault(std::string_view text) {
  const auto regex = vsl::Regex::compile(text);
  return regex ? std::nullopt : Fault("bad regular expression: " + regex.error());
}
template <const ObjectType& kType>
Fault object_fault(std::string_view text) {
  const auto object = make_object(kType.name, text);
  return object ? std::nullopt : Fault(object.error());
}
Fault level_fault(std::string_view text) {
  if (log_level_of(text)) return std::nullopt;
  return quoted(text) + " is no level of the log: expected trace, debug, info, warn or error";
}

struct TextRow {
  std::string_view space, name;
  std::uint8_t arguments, position;
  Fault (*fault)(std::string_view text);
  vsl::Severity severity;  // of what a script may catch, as its author may want: a warning
};
constexpr auto kError = vsl::Severity::Error, kWarning = vsl::Severity::Warning;
constexpr auto kTexts = std::to_array<TextRow>({
    {"", "accept", 1, 0, reply_fault, kWarning},
    {"", "faccept", 1, 0, reply_fault, kWarning},
    {"", "deny", 1, 0, reply_fault, kWarning},
    {"", "info", 1, 0, reply_fault, kWarning},
    {"", "bcc", 1, 0, address_fault, kWarning},
    {"", "add_rcpt_envelop", 1, 0, address_fault, kWarning},
    {"", "remove_rcpt_envelop", 1, 0, address_fault, kWarning},
    {"", "rewrite_mail_from_envelop", 1, 0, sender_fault, kWarning},
    {"", "forward", 2, 1, target_fault, kWarning},
    {"", "forward_all", 1, 0, target_fault, kWarning},
    {"", "quarantine", 1, 0, quarantine_fault, kWarning},
    {"", "log", 2, 0, level_fault, kWarning},
    {"", "regex", 1, 0, pattern_fault, kError},
    {"", "regex", 2, 0, pattern_fault, kError},
    {"", "ip4", 1, 0, object_fault<kIp4>, kError},
    {"", "ip6", 1, 0, object_fault<kIp6>, kError},
    {"", "rg4", 1, 0, object_fault<kRg4>, kError},
    {"", "rg6", 1, 0, object_fault<kRg6>, kError},
    {"", "address", 1, 0, object_fault<kAddress>, kError},
    {"", "fqdn", 1, 0, object_fault<kFqdn>, kError},
    {"", "code", 1, 0, object_fault<kCode>, kError},
    {"mime", "has_attachment", 1, 0, pattern_fault, kError},
    {"rate", "limit", 4, 3, reply_fault, kWarning},
});
static_assert(kTexts.size() <= 32, "a bit for each");

// Methods of texts, and of regexes in front of a text, whose first argument is a pattern when it is a text.
constexpr auto kPatternMethods = std::to_array<std::string_view>({"captures", "named_captures", "find_all", "split_regex", "replace_regex", "matches", "is_match"});

// Whether there was something to tell.
bool tell(const TextRow& row, const ast::Nodes& arguments, vsl::Diagnostics& diagnostics) {
  const ast::Node& argument = *arguments[row.position];
  if (argument.kind != ast::Kind::String) return false;
  auto fault = row.fault(ast::as<ast::String>(argument).value);
  if (!fault) return false;
  if (row.severity == kError)
    diagnostics.error(argument.span, *std::move(fault));
  else
    diagnostics.warning(argument.span, *std::move(fault));
  return true;
}

std::string space_of(const ast::Call& call) {
  std::string space;
  for (std::size_t i = 0; i + 1 < call.callee.size(); ++i) space += (i == 0 ? "" : "::") + std::string(call.callee[i].name);
  return space;
}

}  // namespace

ArgumentCheck::ArgumentCheck(const vsl::Natives& natives) : natives_(natives) {
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    const TextRow& row = kTexts[i];
    const vsl::Overloads* overloads = natives.find(row.space, row.name, row.arguments);
    if (overloads == nullptr) continue;
    for (const vsl::NativeRow* native : overloads->rows)
      if (!has_handle(*native)) texts_[native->run] |= 1U << i;
  }
}

void ArgumentCheck::see(const ast::Call& call, bool is_tried, vsl::Diagnostics& diagnostics) const {
  const std::string space = space_of(call);
  const std::string_view name = call.callee.back().name;
  const vsl::Overloads* overloads = natives_.find(space, name, call.arguments.size());
  if (overloads == nullptr) return;
  const auto fits = std::ranges::find_if(overloads->rows, [&call](const vsl::NativeRow* row) { return may_accept(*row, call.arguments); });
  if (fits == overloads->rows.end()) {
    diagnostics.error(call.callee.back().span, "no function `" + full_name(space, name) + "` takes (" + arguments_text(call.arguments) + ")")
        .with_help("there are: " + forms_of(natives_, space, name));
    return;
  }
  const auto texts = texts_.find((*fits)->run);
  if (texts == texts_.end()) return;
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    if (is_tried && kTexts[i].severity == kError) continue;
    const bool is_about_it = (texts->second >> i & 1) != 0 && kTexts[i].arguments == call.arguments.size();
    if (is_about_it && tell(kTexts[i], call.arguments, diagnostics)) return;  // several rows may be of one function
  }
}

void ArgumentCheck::see(const ast::MethodCall& call, vsl::Diagnostics& diagnostics) {
  if (call.arguments.empty() || std::ranges::find(kPatternMethods, call.name) == kPatternMethods.end()) return;
  // A text that is searched by a regex: `r.matches("text")`.
  const bool is_of_regex = call.object->kind == ast::Kind::Call && ast::as<ast::Call>(*call.object).callee.back().name == "regex";
  const bool is_of_text = ast::certain_type(*call.object) == "string" || call.object->kind == ast::Kind::Call;
  if (is_of_regex || !is_of_text) return;
  tell({"", "", 0, 0, pattern_fault, kError}, call.arguments, diagnostics);
}

}  // namespace rules
