#include "vsl-filter/check/rule_check.h"

#include <algorithm>

#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/lang/certain.h"
#include "vsl-filter/check/object_check.h"

namespace rules {

namespace ast = vsl::ast;

namespace {

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string stage_names() {
  std::string names;
  for (const StageRow& row : kStages) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

// Literals of which it is certain that they are no array.
bool is_certainly_no_array(ast::Kind kind) {
  switch (kind) {
    case ast::Kind::Unit: case ast::Kind::Bool: case ast::Kind::Int: case ast::Kind::Float: case ast::Kind::Char: case ast::Kind::String: case ast::Kind::Template: case ast::Kind::Map:
    case ast::Kind::Closure: case ast::Kind::Directive: return true;
    default: return false;
  }
}

// What v0 called the types of objects.
struct OldType {
  std::string_view old, now;
};
constexpr OldType kOldTypes[] = {{"addr", "address"}, {"grp", "group"}, {"ident", "identifier"}, {"str", "string"}, {"val", "string"}};

constexpr std::string_view kDuplicate = "found duplicate rule '";

const ast::Closure* closure_of(const ast::Directive& directive) {
  const ast::Node* body = directive.body;
  if (body != nullptr && body->kind == ast::Kind::Map) {
    const auto entries = ast::as<ast::Map>(*body).entries;
    const auto evaluate = std::ranges::find(entries, std::string_view("evaluate"), &ast::MapEntry::key);
    body = evaluate == entries.end() ? nullptr : evaluate->value;
  }
  return body != nullptr && body->kind == ast::Kind::Closure ? &ast::as<ast::Closure>(*body) : nullptr;
}

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

// ctx(), msg(), and |ctx| of v3.
bool RuleCheck::is_handle(const ast::Node& node) const {
  if (node.kind == ast::Kind::Name) return contexts_.contains(ast::as<ast::Name>(node).variable);
  if (node.kind != ast::Kind::Call) return false;
  const auto& call = ast::as<ast::Call>(node);
  return call.function == nullptr && call.arguments.empty() && call.callee.size() == 1 && (call.callee[0].name == "ctx" || call.callee[0].name == "msg");
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
  hooks_.clear();
  hook_stage_.clear();
  for (const ast::Function* function : script.functions) {
    functions_.emplace(function->body.code, function);
    const auto stage = function->name.starts_with("on_") && function->body.parameters.size() == 1 ? stage_of(function->name) : std::nullopt;
    if (!stage) continue;
    hooks_.push_back({*stage, std::string(function->name), function->name_span});
    hook_stage_.emplace(function, *stage);
    contexts_.insert(function->body.parameters.begin(), function->body.parameters.end());
  }
  const ast::Node* top = script.body.code;
  if (top == nullptr || top->kind != ast::Kind::Block) return;
  const ast::Nodes statements = ast::as<ast::Block>(*top).statements;
  if (!statements.empty() && statements.back()->kind == ast::Kind::Map) map_ = statements.back();
}

void RuleCheck::enter(const ast::Node& node, const ast::Script& script, Diagnostics& diagnostics) {
  if (script_ != &script) begin_script(script);
  if (&node == map_) see_stages(ast::as<ast::Map>(node), diagnostics);
  if (const auto function = functions_.find(&node); function != functions_.end()) {
    open_.push_back(function->second);
    see_dropped(node, "function", diagnostics);
  }
  switch (node.kind) {
    case ast::Kind::Directive:
      if (const auto hook = open_.empty() ? hook_stage_.end() : hook_stage_.find(open_.back()); hook != hook_stage_.end())
        directives_.emplace_back(&ast::as<ast::Directive>(node), hook->second);
      open_.push_back(&node);
      see_directive(ast::as<ast::Directive>(node), diagnostics);
      break;
    case ast::Kind::Try: ++tries_; break;
    case ast::Kind::Declaration: see_declaration(ast::as<ast::Declaration>(node), diagnostics); break;
    case ast::Kind::Let: see_text(ast::as<ast::Let>(node).variable, ast::as<ast::Let>(node).value); break;
    case ast::Kind::Assign: {
      const auto& assign = ast::as<ast::Assign>(node);
      if (assign.target->kind == ast::Kind::Name) see_text(ast::as<ast::Name>(*assign.target).variable, assign.is_compound ? nullptr : assign.value);
      break;
    }
    case ast::Kind::Call: see_call(ast::as<ast::Call>(node), diagnostics); break;
    case ast::Kind::MethodCall: {
      const auto& call = ast::as<ast::MethodCall>(node);
      see_use("", call.name, call.arguments.size() + 1, call.name_span, diagnostics);
      see_query(call, diagnostics);
      ArgumentCheck::see(call, diagnostics);
      break;
    }
    case ast::Kind::Property: {
      const auto& property = ast::as<ast::Property>(node);
      if (is_handle(*property.object)) see_use("", property.name, 1, property.name_span, diagnostics);
      break;
    }
    case ast::Kind::Binary: see_comparison(ast::as<ast::Binary>(node), diagnostics); break;
    default: break;
  }
}

void RuleCheck::leave(const ast::Node& node, const ast::Script& script, Diagnostics& diagnostics) {
  if (node.kind == ast::Kind::Try) --tries_;
  if (node.kind == ast::Kind::Directive && !open_.empty() && open_.back() == &node) open_.pop_back();
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
    if (entry.value->kind == ast::Kind::Array)
      see_stage(*stage, entry.key, ast::as<ast::Array>(*entry.value), diagnostics);
    else if (is_certainly_no_array(entry.value->kind))
      diagnostics.error(entry.value->span, "the stage '" + std::string(entry.key) + "' must be declared using the array syntax")
          .with_help(std::string(entry.key) + ": [ rule \"name\" || next() ]");
  }
}

void RuleCheck::see_stage(Stage stage, std::string_view, const ast::Array& array, Diagnostics& diagnostics) {
  const ast::Directive* end = nullptr;  // behind it nothing is reached
  for (const ast::Node* element : array.elements) {
    if (element->kind != ast::Kind::Directive) {
      if (is_certainly_no_array(element->kind) && element->kind != ast::Kind::Map)  // a directive is a map
        diagnostics.error(element->span, "an element in stage '" + std::string(name_of(stage)) + "' is no directive").with_help("a directive is written: rule \"name\" || next()");
      continue;
    }
    const auto& directive = ast::as<ast::Directive>(*element);
    if (end != nullptr)
      diagnostics.warning(directive.name->span, "this directive is never reached")
          .with_note(end->name->span, "this rule always ends the stage");
    else if (directive.keyword->word == "rule" && tails_.always_ends(directive))
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
  const bool is_delegation = directive.keyword->word == "delegate";
  if (is_delegation && !delegations_.insert(name).second)
    diagnostics.error(span, "found duplicate delegation '" + std::string(name) + "': a message that comes back says by this name where it goes on").with_note(other->second.second, "the first one is here");
  else if (!is_first)
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
  }
  const ast::Closure* closure = closure_of(directive);
  if (closure != nullptr) {
    contexts_.insert(closure->body.parameters.begin(), closure->body.parameters.end());
    see_dropped(*closure->body.code, directive.keyword->word, diagnostics);
  }
  const ast::Node* end = nullptr;
  if (directive.keyword->word != "action" && (end = tails_.without_status(directive)) != nullptr) {
    auto& warning = diagnostics.warning(end->span, "the rule '" + name + "' has no status here: it fails, and the mail is refused");
    warning.with_help(end->kind == ast::Kind::If       ? "add: else { next() }"
                      : end->kind == ast::Kind::Switch ? "add: _ => next()"
                                                       : "let it end with a status, such as next()");
  }
  if (directive.keyword->word == "action" && (end = tails_.ignored_status(directive)) != nullptr)
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
  const auto tell = [&](const void* owner, Stage stage) {
    const auto body = bodies_.find(owner);
    if (body == bodies_.end()) return;
    auto taken = bodies_.extract(body);
    tell_of_uses(taken.mapped(), stage, {}, 0, diagnostics);
    bodies_.insert(std::move(taken));
  };
  for (const auto& [directive, stage] : directives_) tell(directive, stage);
  if (map_ != nullptr) return;  // then functions of such names are no hooks
  for (const auto& [function, stage] : hook_stage_) tell(function, stage);
}

// --- calls and declarations ---

void RuleCheck::see_call(const ast::Call& call, Diagnostics& diagnostics) {
  if (call.function != nullptr) {
    if (!open_.empty()) bodies_[open_.back()].calls.emplace_back(call.function, call.span);
    return;
  }
  if (call.import != nullptr) return;
  std::string space;
  for (std::size_t i = 0; i + 1 < call.callee.size(); ++i) space += (i == 0 ? "" : "::") + std::string(call.callee[i].name);
  see_use(space, call.callee.back().name, call.arguments.size(), call.callee.back().span, diagnostics);
  arguments_.see(call, tries_ > 0, diagnostics);
}

void RuleCheck::see_declaration(const ast::Declaration& declaration, Diagnostics& diagnostics) {
  if (declaration.keyword->noun != "object") return;
  const auto old = std::ranges::find(kOldTypes, declaration.type, &OldType::old);
  if (old != std::end(kOldTypes))
    diagnostics.warning(declaration.type_span, "`" + std::string(old->old) + "` is a spelling of v0").with_help("write: " + std::string(old->now));
  if (tries_ == 0) check_object(declaration, *script_, diagnostics);
  if (declaration.prefix.empty()) kinds_[declaration.variable] = old != std::end(kOldTypes) ? old->now : declaration.type;
}

// `if spam { deny() } next()`: what looks like a refusal changes nothing.
void RuleCheck::see_dropped(const ast::Node& code, std::string_view keyword, Diagnostics& diagnostics) const {
  tails_.dropped_statuses(code, [&](const ast::Call& call) {
    const std::string name(call.callee.back().name);
    if (keyword == "action" && name == "quarantine") return;  // acts by itself
    diagnostics.warning(call.span, "the status of `" + name + "` is thrown away: the " + std::string(keyword) + " goes on behind it")
        .with_help(keyword == "action" ? "a directive that decides is a rule" : "to end here: return " + name + "(...)");
  });
}

// --- SQL ---

bool RuleCheck::is_made(const ast::Node& text) const {
  switch (text.kind) {
    case ast::Kind::Name: return made_texts_.contains(ast::as<ast::Name>(text).variable);
    case ast::Kind::Template: return std::ranges::any_of(ast::as<ast::Template>(text).parts, [](const ast::Node* part) { return part->kind != ast::Kind::String; });
    case ast::Kind::Binary: {
      const auto& sum = ast::as<ast::Binary>(text);
      const auto is_literal = [](const ast::Node& node) { return node.kind == ast::Kind::String || node.kind == ast::Kind::Binary; };
      return sum.op == ast::BinaryOperator::Add && (is_made(*sum.left) || is_made(*sum.right) || !is_literal(*sum.left) || !is_literal(*sum.right));
    }
    default: return false;
  }
}

// `text` null: it was added to.
void RuleCheck::see_text(const ast::Variable* variable, const ast::Node* text) {
  if (variable == nullptr) return;
  if (text == nullptr || is_made(*text))
    made_texts_.insert(variable);
  else
    made_texts_.erase(variable);
}

// Whoever writes an address into SQL lets its owner write SQL.
void RuleCheck::see_query(const ast::MethodCall& call, Diagnostics& diagnostics) const {
  if (call.name != "query" || call.arguments.empty() || !is_made(*call.arguments[0])) return;
  diagnostics.warning(call.arguments[0]->span, "values are written into SQL: an address can change what it does")
      .with_help("use place-holders: query(\"select * from t where a = ?\", [value])");
}

// --- comparisons ---

namespace {

// What getters give, as far as comparisons with it go wrong.
struct GetterRow {
  std::string_view name, kind;
};
constexpr GetterRow kGetters[] = {
    {"client_port", "i64"}, {"server_port", "i64"}, {"count_header", "i64"}, {"is_secured", "bool"}, {"is_authenticated", "bool"}, {"has_header", "bool"},
    {"in_domain", "bool"}, {"mail_from", "address"}, {"rcpt", "address"}, {"client_ip", "string"}, {"server_ip", "string"}, {"helo", "string"},
    {"get_header", "string"}, {"next", "status"}, {"accept", "status"}, {"deny", "status"},
};

std::string_view kind_of_call(const ast::Call& call) {
  if (call.function != nullptr || call.import != nullptr || (call.callee.size() == 2 && call.callee[0].name != "ctx" && call.callee[0].name != "msg")) return {};
  const auto row = std::ranges::find(kGetters, call.callee.back().name, &GetterRow::name);
  return row == std::end(kGetters) || call.callee.size() > 2 ? std::string_view() : row->kind;
}

}  // namespace

std::string_view RuleCheck::kind_of(const ast::Node& node) const {
  if (const auto certain = ast::certain_type(node); certain == "string" || certain == "i64" || certain == "bool") return certain;
  if (node.kind == ast::Kind::Call) return kind_of_call(ast::as<ast::Call>(node));
  const ast::Variable* variable = nullptr;
  if (node.kind == ast::Kind::Name) {
    const auto& name = ast::as<ast::Name>(node);
    if (name.variable == nullptr)
      if (const vsl::Value* constant = natives_.constant("", name.name); constant != nullptr && constant->is_host()) return kind_name(*constant);
    variable = name.variable;
  }
  if (node.kind == ast::Kind::Declaration) return ast::as<ast::Declaration>(node).prefix.empty() ? ast::as<ast::Declaration>(node).type : "file";
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
    {"i64", "", " i64 "},
    {"bool", "", " bool "},
    {"status", "", " status "},
};

// "an integer", "a ip4 object".
std::string with_article(std::string_view kind) {
  if (kind == "i64") return "a number";
  if (kind == "bool" || kind == "status" || kind == "string") return "a " + std::string(kind);
  const bool has_vowel = kind.starts_with('a') || kind.starts_with('i');
  return (has_vowel ? "an " : "a ") + std::string(kind) + " object";
}

const KindRow* row_of(std::string_view kind) {
  const auto row = std::ranges::find(kKindRows, kind, &KindRow::kind);
  return row == std::end(kKindRows) ? nullptr : row;
}

bool has_word(std::string_view words, std::string_view word) { return words.find(" " + std::string(word) + " ") != std::string_view::npos; }

bool never_equals(std::string_view left, std::string_view right) {
  if (left.empty() || right.empty()) return false;
  const KindRow *one = row_of(left), *other = row_of(right);
  if (one != nullptr) return !has_word(one->may_equal, right);
  return other != nullptr && !has_word(other->may_equal, left);
}

}  // namespace

void RuleCheck::see_comparison(const ast::Binary& comparison, Diagnostics& diagnostics) const {
  using Op = ast::BinaryOperator;
  const std::string_view left = kind_of(*comparison.left), right = kind_of(*comparison.right);
  if (comparison.op == Op::In || comparison.op == Op::NotIn) {
    const KindRow* container = row_of(right);
    if (container == nullptr || left.empty() || has_word(container->may_hold, left)) return;
    diagnostics.error(comparison.op_span, "cannot look for a " + quoted(left) + " object in a " + quoted(right) + " object")
        .with_help(container->may_hold.empty() ? "use == to compare with it" : "it may hold:" + std::string(container->may_hold.substr(0, container->may_hold.size() - 1)));
    return;
  }
  if (comparison.op != Op::Equal && comparison.op != Op::NotEqual) return;
  if ((left == "string" && (right == "group" || right == "code")) || (right == "string" && (left == "group" || left == "code"))) {
    diagnostics.error(comparison.op_span, "a " + std::string(left == "string" ? right : left) + " object cannot be compared to a string")
        .with_help(left == "group" || right == "group" ? "is it in the group? TEXT in GROUP" : "compare the text: CODE.to_string() == TEXT");
    return;
  }
  if (never_equals(left, right)) diagnostics.warning(comparison.op_span, with_article(left) + " never equals " + with_article(right));
}

}  // namespace rules
