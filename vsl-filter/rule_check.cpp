#include "vsl-filter/rule_check.h"

#include <algorithm>

#include "vsl-filter/api/api.h"
#include "vsl-filter/lang/regex.h"
#include "vsl-filter/rule_tails.h"

namespace rules {

namespace ast = vsl::ast;
using ast::Kind;

namespace {

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string stage_names() {
  std::string names;
  for (const StageRow& row : kStages) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

// Literals of which it is certain that they are no array.
bool is_certainly_no_array(Kind kind) {
  switch (kind) {
    case Kind::Unit: case Kind::Bool: case Kind::Int: case Kind::Float: case Kind::Char: case Kind::String: case Kind::Template: case Kind::Map:
    case Kind::Closure: case Kind::Directive: return true;
    default: return false;
  }
}

// ctx(), msg().
bool is_handle(const ast::Node& node) {
  if (node.kind != Kind::Call) return false;
  const auto& call = ast::as<ast::Call>(node);
  return call.function == nullptr && call.arguments.empty() && call.callee.size() == 1 && (call.callee[0].name == "ctx" || call.callee[0].name == "msg");
}

constexpr std::string_view kDuplicate = "found duplicate rule '";

// "from `mail` on", "in `rcpt`".
std::string where_available(Stages stages) {
  const Stage first = first_of(stages);
  if (stages == only(first)) return "in `" + std::string(name_of(first)) + "`";
  if (stages == from(first)) return "from `" + std::string(name_of(first)) + "` on";
  std::string names;
  for (const StageRow& row : kStages)
    if (has(stages, row.stage)) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return "in " + names;
}

}  // namespace

bool RuleCheck::has_told_of(const Diagnostics& diagnostics, std::string_view name) {
  const std::string begin = std::string(kDuplicate) + std::string(name) + "'";
  return std::ranges::any_of(diagnostics.all(), [&begin](const vsl::Diagnostic& one) { return one.message.starts_with(begin); });
}

void RuleCheck::begin_script(const ast::Script& script) {
  script_ = &script;
  map_ = nullptr;
  functions_.clear();
  stage_of_.clear();
  bodies_.clear();
  open_.clear();
  directives_.clear();
  stage_map_ = {};
  for (const ast::Function* function : script.functions) functions_.emplace(function->body.code, function);
  const ast::Node* top = script.body.code;
  if (top == nullptr || top->kind != Kind::Block) return;
  const ast::Nodes statements = ast::as<ast::Block>(*top).statements;
  if (!statements.empty() && statements.back()->kind == Kind::Map) map_ = statements.back();
}

void RuleCheck::enter(const ast::Node& node, const ast::Script& script, Diagnostics& diagnostics) {
  if (script_ != &script) begin_script(script);
  if (&node == map_) see_stages(ast::as<ast::Map>(node), diagnostics);
  if (const auto function = functions_.find(&node); function != functions_.end()) open_.push_back(function->second);
  switch (node.kind) {
    case Kind::Directive:
      open_.push_back(&node);
      see_directive(ast::as<ast::Directive>(node), diagnostics);
      break;
    case Kind::Declaration: {
      const auto& declaration = ast::as<ast::Declaration>(node);
      if (declaration.keyword->noun == "object" && declaration.prefix.empty()) kinds_[declaration.variable] = declaration.type;
      break;
    }
    case Kind::Call: {
      const auto& call = ast::as<ast::Call>(node);
      if (call.function != nullptr) {
        if (!open_.empty()) bodies_[open_.back()].calls.emplace_back(call.function, node.span);
      } else if (call.import == nullptr) {
        std::string space;
        for (std::size_t i = 0; i + 1 < call.callee.size(); ++i) space += (i == 0 ? "" : "::") + std::string(call.callee[i].name);
        if (space.empty()) see_pattern(call, diagnostics);
        see_use(space, call.callee.back().name, call.arguments.size(), call.callee.back().span, diagnostics);
      }
      break;
    }
    case Kind::MethodCall: {
      const auto& call = ast::as<ast::MethodCall>(node);
      see_use("", call.name, call.arguments.size() + 1, call.name_span, diagnostics);
      see_query(call, diagnostics);
      break;
    }
    case Kind::Property: {
      const auto& property = ast::as<ast::Property>(node);
      if (is_handle(*property.object)) see_use("", property.name, 1, property.name_span, diagnostics);
      break;
    }
    case Kind::Binary: see_comparison(ast::as<ast::Binary>(node), diagnostics); break;
    default: break;
  }
}

void RuleCheck::leave(const ast::Node& node, const ast::Script& script, Diagnostics& diagnostics) {
  if (node.kind == Kind::Directive && !open_.empty() && open_.back() == &node) open_.pop_back();
  if (const auto function = functions_.find(&node); function != functions_.end() && !open_.empty() && open_.back() == function->second) open_.pop_back();
  if (&node == script.body.code) end_script(diagnostics);
}

// --- stages and directives ---

void RuleCheck::see_stages(const ast::Map& map, Diagnostics& diagnostics) {
  stage_map_ = {map.span.source, map.span.begin, map.span.begin + 2};
  for (const ast::MapEntry& entry : map.entries) {
    const auto stage = stage_of(entry.key);
    if (!stage) {
      auto& error = diagnostics.error(entry.key_span, "the '" + std::string(entry.key) + "' smtp stage does not exist.");
      error.with_help("stages: " + stage_names());
      continue;
    }
    if (entry.value->kind == Kind::Array)
      see_stage(*stage, entry.key, ast::as<ast::Array>(*entry.value), diagnostics);
    else if (is_certainly_no_array(entry.value->kind))
      diagnostics.error(entry.value->span, "the stage '" + std::string(entry.key) + "' must be declared using the array syntax")
          .with_help(std::string(entry.key) + ": [ rule \"name\" || next() ]");
  }
}

void RuleCheck::see_stage(Stage stage, std::string_view, const ast::Array& array, Diagnostics& diagnostics) {
  const ast::Directive* end = nullptr;  // behind it nothing is reached
  for (const ast::Node* element : array.elements) {
    if (element->kind != Kind::Directive) {
      if (is_certainly_no_array(element->kind) && element->kind != Kind::Map)  // a directive is a map
        diagnostics.error(element->span, "an element in stage '" + std::string(name_of(stage)) + "' is no directive").with_help("a directive is written: rule \"name\" || next()");
      continue;
    }
    const auto& directive = ast::as<ast::Directive>(*element);
    if (end != nullptr)
      diagnostics.warning(directive.name->span, "this directive is never reached")
          .with_note(end->name->span, "this rule always ends the stage");
    else if (directive.keyword->word == "rule" && always_ends(directive))
      end = &directive;
    stage_of_.emplace(element, stage);
    directives_.emplace_back(&directive, stage);
    see_name(stage, directive, diagnostics);
  }
}

void RuleCheck::see_name(Stage stage, const ast::Directive& directive, Diagnostics& diagnostics) {
  const std::string_view name = directive.name->value;
  const vsl::Span span = directive.name->span;
  if (name.empty()) diagnostics.error(span, "a directive in stage '" + std::string(name_of(stage)) + "' does not have a name");
  const auto [same, is_new] = names_.try_emplace({stage, name}, span);
  if (!is_new) {
    diagnostics.error(span, std::string(kDuplicate) + std::string(name) + "': a rule must have a unique name").with_note(same->second, "the first one is here");
    return;
  }
  const auto [other, is_first] = first_names_.try_emplace(name, stage, span);
  if (!is_first)
    diagnostics.warning(span, "the name '" + std::string(name) + "' is that of a directive of stage '" + std::string(name_of(other->second.first)) + "' too")
        .with_note(other->second.second, "which is here");
}

void RuleCheck::see_directive(const ast::Directive& directive, Diagnostics& diagnostics) {
  const std::string name = directive.name == nullptr ? "" : std::string(directive.name->value);
  if (directive.keyword->word == "delegate") {
    const auto stage = stage_of_.find(&directive);
    if (stage != stage_of_.end() && has_client(stage->second)) {
      diagnostics.error(directive.span, "invalid delegation '" + name + "' in stage '" + std::string(name_of(stage->second)) +
                                            "': delegation directives are available from the 'postq' stage and onwards.");
      return;
    }
    if (directive.subject != nullptr && is_certainly_no_array(directive.subject->kind)) {
      diagnostics.error(directive.subject->span, "the field after the 'delegate' keyword in the directive '" + name + "' in stage '" +
                                                     (stage == stage_of_.end() ? "" : std::string(name_of(stage->second))) + "' must be a smtp service");
      return;
    }
    diagnostics.error(directive.span, "`delegate` is not available yet: this version hands no message to another service")
        .with_help("until it is, let a filter of the chain do it: vsl-filter main.vsl -- SCANNER -- queue-inject");
    return;
  }
  const ast::Node* end = nullptr;
  if (directive.keyword->word == "rule" && (end = without_status(directive)) != nullptr) {
    auto& warning = diagnostics.warning(end->span, "the rule '" + name + "' has no status here: it fails, and the mail is refused");
    warning.with_help(end->kind == Kind::If ? "add: else { next() }" : "let it end with a status, such as next()");
  }
  if (directive.keyword->word == "action" && (end = ignored_status(directive)) != nullptr)
    diagnostics.warning(end->span, "the status of an action is ignored").with_help("a directive that decides is a rule: rule \"" + name + "\" ...");
}

// --- stages in which functions are of use ---

void RuleCheck::see_use(std::string_view space, std::string_view name, std::size_t arguments, vsl::Span span, Diagnostics& diagnostics) {
  const vsl::Overloads* overloads = natives_.find(space, name, arguments);
  if (overloads == nullptr) return;
  Stages stages = 0;
  bool is_deprecated = true;
  for (const vsl::NativeRow* row : overloads->rows) {
    stages |= stages_of(*row);
    is_deprecated = is_deprecated && (row->flags & kDeprecated) != 0;
  }
  if (is_deprecated) diagnostics.warning(span, "`" + std::string(space) + "::" + std::string(name) + "` is a spelling of v0").with_help("write: " + std::string(name));
  if (stages == kEvery) return;
  if (!open_.empty())
    bodies_[open_.back()].uses.push_back({name, stages, span});
  else
    bodies_[nullptr].uses.push_back({name, stages, span});
}

void RuleCheck::tell_of_uses(const Body& body, Stage stage, vsl::Span at, int depth, Diagnostics& diagnostics) {
  for (const Use& use : body.uses) {
    if (has(use.stages, stage)) continue;
    const std::string text = "`" + std::string(use.name) + "` cannot be used in stage `" + std::string(name_of(stage)) + "`: it is available " +
                             where_available(use.stages);
    if (depth == 0)
      diagnostics.warning(use.span, text);
    else
      diagnostics.warning(at, text).with_note(use.span, "this function uses it here");
  }
  constexpr int kDeepest = 16;
  if (depth == kDeepest) return;
  for (const auto& [function, span] : body.calls) {
    const auto called = bodies_.find(function);
    if (called == bodies_.end() || &called->second == &body) continue;
    // A copy, marked as seen by taking it out: functions may call each other in a circle.
    auto taken = bodies_.extract(called);
    tell_of_uses(taken.mapped(), stage, depth == 0 ? span : at, depth + 1, diagnostics);
    bodies_.insert(std::move(taken));
  }
}

void RuleCheck::end_script(Diagnostics& diagnostics) {
  for (const auto& [directive, stage] : directives_) {
    const auto body = bodies_.find(directive);
    if (body == bodies_.end()) continue;
    auto taken = bodies_.extract(body);
    tell_of_uses(taken.mapped(), stage, {}, 0, diagnostics);
    bodies_.insert(std::move(taken));
  }
}

// --- arguments that are written out ---

// regex("...") that does not compile.
void RuleCheck::see_pattern(const ast::Call& call, Diagnostics& diagnostics) {
  if (call.callee.back().name != "regex" || call.arguments.size() != 1 || call.arguments[0]->kind != Kind::String) return;
  const auto regex = vsl::Regex::compile(ast::as<ast::String>(*call.arguments[0]).value);
  if (!regex) diagnostics.error(call.arguments[0]->span, "bad regular expression: " + regex.error());
}

// Whoever writes an address into SQL lets its owner write SQL.
void RuleCheck::see_query(const ast::MethodCall& call, Diagnostics& diagnostics) {
  if (call.name != "query" || call.arguments.empty()) return;
  const ast::Node& sql = *call.arguments[0];
  const bool is_made = sql.kind == Kind::Template ? std::ranges::any_of(ast::as<ast::Template>(sql).parts, [](const ast::Node* part) { return part->kind != Kind::String; })
                                                  : sql.kind == Kind::Binary && ast::as<ast::Binary>(sql).op == ast::BinaryOperator::Add;
  if (is_made)
    diagnostics.warning(sql.span, "values are written into SQL: an address can change what it does")
        .with_help("use place-holders: query(\"select * from t where a = ?\", [value])");
}

// --- comparisons ---

std::string_view RuleCheck::kind_of(const ast::Node& node) const {
  if (node.kind == Kind::String || node.kind == Kind::Template) return "string";
  const ast::Variable* variable = nullptr;
  if (node.kind == Kind::Name) variable = ast::as<ast::Name>(node).variable;
  if (node.kind == Kind::Declaration) return ast::as<ast::Declaration>(node).prefix.empty() ? ast::as<ast::Declaration>(node).type : "file";
  const auto kind = variable == nullptr ? kinds_.end() : kinds_.find(variable);
  return kind == kinds_.end() ? std::string_view() : kind->second;
}

namespace {

// What each kind may be looked for in, and compared with (vsl.md 2.5). Of the kinds that are not here nothing is certain.
struct KindRow {
  std::string_view kind;
  std::string_view may_hold;     // `x in kind`: kinds of x, between blanks; "": nothing
  std::string_view may_equal;    // with a false answer for all others
};
constexpr KindRow kKindRows[] = {
    {"ip4", "", " string ip4 ip6 regex group file "},
    {"ip6", "", " string ip4 ip6 regex group file "},
    {"rg4", " string ip4 ip6 rg4 rg6 ", " string rg4 rg6 "},
    {"rg6", " string ip4 ip6 rg4 rg6 ", " string rg4 rg6 "},
    {"address", " string fqdn identifier ", " string address fqdn identifier regex "},
    {"fqdn", "", " string address fqdn regex "},
    {"identifier", "", " string address identifier regex "},
    {"code", "", " code "},
};

const KindRow* row_of(std::string_view kind) {
  const auto row = std::ranges::find(kKindRows, kind, &KindRow::kind);
  return row == std::end(kKindRows) ? nullptr : row;
}

bool has_word(std::string_view words, std::string_view word) { return words.find(" " + std::string(word) + " ") != std::string_view::npos; }

}  // namespace

void RuleCheck::see_comparison(const ast::Binary& comparison, Diagnostics& diagnostics) const {
  using Op = ast::BinaryOperator;
  const std::string_view left = kind_of(*comparison.left), right = kind_of(*comparison.right);
  if (comparison.op == Op::In || comparison.op == Op::NotIn) {
    const KindRow* container = row_of(right);
    if (container == nullptr || left.empty() || has_word(container->may_hold, left)) return;
    diagnostics.error(comparison.op_span, "cannot look for a " + quoted(left) + " object in a " + quoted(right) + " object")
        .with_help(container->may_hold.empty() ? "use == to compare with it" : "it may hold:" + std::string(container->may_hold));
    return;
  }
  if (comparison.op != Op::Equal && comparison.op != Op::NotEqual) return;
  if ((left == "string" && (right == "group" || right == "code")) || (right == "string" && (left == "group" || left == "code"))) {
    diagnostics.error(comparison.op_span, "a " + std::string(left == "string" ? right : left) + " object cannot be compared to a string")
        .with_help(left == "group" || right == "group" ? "is it in the group? TEXT in GROUP" : "compare the text: CODE.to_string() == TEXT");
    return;
  }
  const KindRow* one = row_of(left);
  if (one == nullptr || right.empty() || row_of(right) == nullptr || has_word(one->may_equal, right)) return;
  diagnostics.warning(comparison.op_span, "a " + std::string(left) + " object never equals a " + std::string(right) + " object");
}

}  // namespace rules
