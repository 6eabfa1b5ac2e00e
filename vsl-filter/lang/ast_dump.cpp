#include "vsl-filter/lang/ast_dump.h"

#include <array>
#include <charconv>

#include "lib/base/json_text.h"
#include "lib/base/utf8.h"

namespace vsl::ast {
namespace {

constexpr std::array<std::string_view, 24> kOperators = {"<<", ">>", "**", "*", "/",  "%",  "+",   "-",  "..", "..=", "??", "<",
                                                         "<=", ">",  ">=", "in", "!in", "==", "!=", "&&", "&",  "||", "|",  "^"};
static_assert(static_cast<std::size_t>(BinaryOperator::BitXor) + 1 == kOperators.size());

class Dumper {
 public:
  std::string out;

  void node(const Node* each) {
    if (each == nullptr) {
      out += '-';
      return;
    }
    (this->*kWriters[static_cast<std::size_t>(each->kind)])(*each);
  }
  void function(const Function& each) {
    out += each.is_private ? "(private fn " : "(fn ";
    out += each.name;
    variables(" (", each.body.parameters, ") ");
    node(each.body.code);
    out += ')';
  }

 private:
  using Writer = void (Dumper::*)(const Node&);
  static const std::array<Writer, static_cast<std::size_t>(Kind::Declaration) + 1> kWriters;

  void list(std::string_view open, Nodes nodes, std::string_view close) {
    out += open;
    bool is_first = true;
    for (const Node* each : nodes) {
      if (!std::exchange(is_first, false)) out += ' ';
      node(each);
    }
    out += close;
  }
  void more(Nodes nodes) {
    for (const Node* each : nodes) out += ' ', node(each);
    out += ')';
  }
  void variables(std::string_view open, List<Variable*> all, std::string_view close) {
    out += open;
    bool is_first = true;
    for (const Variable* each : all) {
      if (!std::exchange(is_first, false)) out += ' ';
      out += each->name;
    }
    out += close;
  }
  // (head a b); null parts are left out.
  template <class... Parts>
  void form(std::string_view head, const Parts*... parts) {
    out += '(';
    out += head;
    const auto add = [this](const Node* part) {
      if (part != nullptr) out += ' ', node(part);
    };
    (add(parts), ...);
    out += ')';
  }
  void names(List<Segment> segments) {
    for (std::size_t i = 0; i < segments.size(); ++i) {
      if (i > 0) out += "::";
      out += segments[i].name;
    }
  }

  void error(const Node&) { out += "<error>"; }
  void unit(const Node&) { out += "()"; }
  void boolean(const Node& n) { out += as<Bool>(n).value ? "true" : "false"; }
  void integer(const Node& n) { out += std::to_string(as<Int>(n).value); }
  void real(const Node& n) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, as<Float>(n).value).ptr;
    const std::string_view text(digits, static_cast<std::size_t>(end - digits));
    out += text;
    if (text.find_first_of(".en") == std::string_view::npos) out += ".0";
  }
  void character(const Node& n) {
    out += '\'';
    base::utf8::append(out, as<Char>(n).value);
    out += '\'';
  }
  void string(const Node& n) { base::json::append_string(out, as<String>(n).value); }
  void text_template(const Node& n) { list("(template ", as<Template>(n).parts, ")"); }
  void array(const Node& n) { list("[", as<Array>(n).elements, "]"); }
  void map(const Node& n) {
    out += "#{";
    for (const MapEntry& entry : as<Map>(n).entries) {
      if (!out.ends_with("#{")) out += ' ';
      out += entry.key;
      out += ": ";
      node(entry.value);
    }
    out += '}';
  }
  void name(const Node& n) { out += as<Name>(n).name; }
  void path(const Node& n) { names(as<Path>(n).segments); }
  void self(const Node&) { out += "this"; }
  void unary(const Node& n) {
    constexpr std::string_view kText[] = {"-", "+", "!"};
    form(kText[static_cast<std::size_t>(as<Unary>(n).op)], as<Unary>(n).operand);
  }
  void binary(const Node& n) { form(operator_text(as<Binary>(n).op), as<Binary>(n).left, as<Binary>(n).right); }
  void index(const Node& n) { form(as<Index>(n).is_optional ? "index?" : "index", as<Index>(n).object, as<Index>(n).index); }
  void property(const Node& n) {
    out += as<Property>(n).is_optional ? "(?. " : "(. ";
    node(as<Property>(n).object);
    out += ' ';
    out += as<Property>(n).name;
    out += ')';
  }
  void call(const Node& n) {
    out += "(call ";
    names(as<Call>(n).callee);
    if (as<Call>(n).in_callers_scope) out += '!';
    more(as<Call>(n).arguments);
  }
  void method(const Node& n) {
    out += as<MethodCall>(n).is_optional ? "(method? " : "(method ";
    node(as<MethodCall>(n).object);
    out += ' ';
    out += as<MethodCall>(n).name;
    if (as<MethodCall>(n).in_callers_scope) out += '!';
    more(as<MethodCall>(n).arguments);
  }
  void closure(const Node& n) {
    variables("(|", as<Closure>(n).body.parameters, "| ");
    node(as<Closure>(n).body.code);
    out += ')';
  }
  void block(const Node& n) { list("{", as<Block>(n).statements, "}"); }
  void if_else(const Node& n) {
    out += "(if";
    for (const Branch& branch : as<If>(n).branches) {
      out += ' ';
      node(branch.condition);
      out += ' ';
      node(branch.block);
    }
    if (as<If>(n).otherwise != nullptr) out += " else ", node(as<If>(n).otherwise);
    out += ')';
  }
  void switch_case(const Node& n) {
    out += "(switch ";
    node(as<Switch>(n).subject);
    for (const Case& each : as<Switch>(n).cases) {
      list(" (", each.labels, each.labels.empty() ? "_" : "");
      if (each.guard != nullptr) out += " if ", node(each.guard);
      out += " => ";
      node(each.body);
      out += ')';
    }
    out += ')';
  }
  void while_loop(const Node& n) { form("while", as<While>(n).condition, as<While>(n).block); }
  void do_loop(const Node& n) { form(as<DoLoop>(n).is_until ? "do-until" : "do-while", as<DoLoop>(n).block, as<DoLoop>(n).condition); }
  void loop(const Node& n) { form("loop", as<Loop>(n).block); }
  void for_loop(const Node& n) {
    out += "(for ";
    out += as<For>(n).variable->name;
    if (as<For>(n).counter != nullptr) out += ' ', out += as<For>(n).counter->name;
    out += " in ";
    node(as<For>(n).iterable);
    out += ' ';
    node(as<For>(n).block);
    out += ')';
  }
  void let(const Node& n) {
    out += as<Let>(n).variable->is_constant ? "(const " : "(let ";
    out += as<Let>(n).variable->name;
    if (as<Let>(n).value != nullptr) out += ' ', node(as<Let>(n).value);
    out += ')';
  }
  void assign(const Node& n) {
    const std::string head = (as<Assign>(n).is_compound ? std::string(operator_text(as<Assign>(n).op)) : std::string()) + "=";
    form(head, as<Assign>(n).target, as<Assign>(n).value);
  }
  void leave_break(const Node& n) { form("break", as<Break>(n).value); }
  void leave_continue(const Node&) { out += "(continue)"; }
  void leave_return(const Node& n) { form("return", as<Return>(n).value); }
  void leave_throw(const Node& n) { form("throw", as<Throw>(n).value); }
  void try_catch(const Node& n) {
    out += "(try ";
    node(as<Try>(n).block);
    out += " catch ";
    if (as<Try>(n).error != nullptr) out += as<Try>(n).error->name, out += ' ';
    node(as<Try>(n).handler);
    out += ')';
  }
  void import(const Node& n) {
    out += "(import ";
    node(as<Import>(n).path);
    if (!as<Import>(n).alias.empty()) out += ' ', out += as<Import>(n).alias;
    out += ')';
  }
  void export_names(const Node& n) {
    out += "(export";
    if (as<Export>(n).declaration != nullptr) out += ' ', node(as<Export>(n).declaration);
    for (const ExportItem& item : as<Export>(n).items) {
      out += ' ';
      out += item.name;
      if (item.as != item.name) out += ':', out += item.as;
    }
    out += ')';
  }
  void directive(const Node& n) {
    out += '(';
    out += as<Directive>(n).keyword->word;
    if (as<Directive>(n).subject != nullptr) out += ' ', node(as<Directive>(n).subject);
    out += ' ';
    node(as<Directive>(n).name);
    out += ' ';
    node(as<Directive>(n).body);
    out += ')';
  }
  void declaration(const Node& n) {
    const auto& made = as<Declaration>(n);
    out += '(';
    out += made.keyword->word;
    out += ' ';
    out += made.variable->name;
    out += ' ';
    if (!made.prefix.empty()) out += made.prefix, out += ':';
    out += made.type;
    out += ' ';
    node(made.value);
    out += ')';
  }
};

const std::array<Dumper::Writer, static_cast<std::size_t>(Kind::Declaration) + 1> Dumper::kWriters = {
    &Dumper::error,
    &Dumper::unit, &Dumper::boolean, &Dumper::integer, &Dumper::real, &Dumper::character, &Dumper::string, &Dumper::text_template,
    &Dumper::array, &Dumper::map,
    &Dumper::name, &Dumper::path, &Dumper::self,
    &Dumper::unary, &Dumper::binary, &Dumper::index, &Dumper::property, &Dumper::call, &Dumper::method, &Dumper::closure,
    &Dumper::block, &Dumper::if_else, &Dumper::switch_case, &Dumper::while_loop, &Dumper::do_loop, &Dumper::loop, &Dumper::for_loop,
    &Dumper::let, &Dumper::assign, &Dumper::leave_break, &Dumper::leave_continue, &Dumper::leave_return, &Dumper::leave_throw,
    &Dumper::try_catch, &Dumper::import, &Dumper::export_names,
    &Dumper::directive, &Dumper::declaration,
};

}  // namespace

std::string_view operator_text(BinaryOperator op) { return kOperators[static_cast<std::size_t>(op)]; }

std::string dump(const Node& node) {
  Dumper dumper;
  dumper.node(&node);
  return std::move(dumper.out);
}

std::string dump(const Script& script) {
  Dumper dumper;
  for (const Function* function : script.functions) {
    if (!dumper.out.empty()) dumper.out += ' ';
    dumper.function(*function);
  }
  for (const Node* statement : as<Block>(*script.body.code).statements) {
    if (!dumper.out.empty()) dumper.out += ' ';
    dumper.node(statement);
  }
  return std::move(dumper.out);
}

}  // namespace vsl::ast
