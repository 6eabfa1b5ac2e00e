// The compiler at work on one function, closure or top level. Implemented in compiler_*.cpp, a subject each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "vsl-filter/lang/ast.h"
#include "vsl-filter/lang/bytecode.h"
#include "vsl-filter/lang/compiler.h"

namespace vsl {

class FunctionCompiler {
 public:
  FunctionCompiler(Compiler& unit, Code& code, const ast::Body& body, const FunctionCompiler* outer)
      : unit_(unit), code_(code), body_(body), outer_(outer) {}

  void compile_function();
  void compile_top_level(const ast::Script& script);

 private:
  using Node = ast::Node;
  using Register = std::uint16_t;
  static constexpr Register kNone = 0xFFFF;  // as a target: the value is not wanted

  struct Label {
    std::vector<std::size_t> uses;
    std::optional<std::size_t> place;
  };
  struct LoopContext {
    Label again;
    Label end;
    Register target;
  };
  // Temporaries and variables since then are free again at its end.
  class Scope {
   public:
    explicit Scope(FunctionCompiler& compiler) : compiler_(compiler), next_(compiler.next_) {}
    ~Scope() { compiler_.next_ = next_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    FunctionCompiler& compiler_;
    Register next_;
  };
  // Instructions emitted while it lives belong to this place in the text.
  class At {
   public:
    At(FunctionCompiler& compiler, Span span) : compiler_(compiler), before_(compiler.span_) { compiler.span_ = {span.begin, span.end}; }
    ~At() { compiler_.span_ = before_; }
    At(const At&) = delete;
    At& operator=(const At&) = delete;

   private:
    FunctionCompiler& compiler_;
    Code::Place32 before_;
  };

  // compiler.cpp: registers, instructions, constants
  Register temporary();
  std::size_t emit(Op op, std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0, std::uint8_t d = 0);
  std::size_t emit_wide(Op op, std::uint32_t a, std::int32_t offset);
  void jump(Op op, Label& label, std::uint32_t a = 0, std::uint32_t b = 0);
  void again(std::size_t target);
  void place(Label& label);
  void patch(std::size_t instruction, std::size_t target);
  [[nodiscard]] std::size_t here() const { return code_.instructions.size(); }
  std::size_t constant_index(const Value& value);
  void load_constant(Register target, const Value& value);
  Value text(std::string_view octets);
  template <class T>
  std::size_t add_row(std::vector<T>& table, T row);
  std::size_t field_index(std::string_view name);
  void reserve_declarations(Node& node);
  void begin();
  void raise(ErrorKind kind, std::string message);

  // compiler_names.cpp: variables, paths, constants of the host
  enum class Home { Register, Cell, Slot };
  [[nodiscard]] Home home_of(const ast::Variable& variable) const;
  [[nodiscard]] Register register_of(const ast::Variable& variable) const;
  [[nodiscard]] static bool is_slot(const ast::Variable& variable) { return variable.is_top_level && variable.is_constant; }
  void declare(ast::Variable& variable, Register value);
  void bind_parameter(ast::Variable& variable, Register home);
  void read_variable(const ast::Variable& variable, Register target);
  void name(const ast::Name& node, Register target);
  void path(const ast::Path& node, Register target);
  bool host_value(std::string_view space, std::string_view name, Register target);
  [[nodiscard]] const ModuleCode* module_of(const ast::Import& import, ast::List<ast::Segment> segments) const;

  // compiler_expressions.cpp
  void expression(const Node& node, Register target);
  Register operand(const Node& node);
  Register stable_operand(const Node& node, bool is_safe);
  [[nodiscard]] bool may_change_variables(const Node& node) const;
  std::optional<Value> constant_of(const Node& node, int deepest = 8);
  [[nodiscard]] static bool is_constant_part(const Node& node);
  void unary(const ast::Unary& node, Register target);
  void binary(const ast::Binary& node, Register target);
  void short_circuit(const ast::Binary& node, Register target);
  void array(const ast::Array& node, Register target);
  void map(const ast::Map& node, Register target);
  void text_template(const ast::Template& node, Register target);
  void make_map(std::vector<std::pair<std::string_view, const Node*>> entries, Register target);
  void index(const ast::Index& node, Register target);
  void property(const ast::Property& node, Register target);
  void closure(const ast::Closure& node, Register target);
  void directive(const ast::Directive& node, Register target);
  void declaration(const ast::Declaration& node, Register target);
  [[nodiscard]] bool is_variable(Register r) const { return r != kNone && r < next_ && is_variable_[r]; }
  [[nodiscard]] std::optional<std::int16_t> immediate(const Node& node) const;

  // compiler_calls.cpp
  void call(const ast::Call& node, Register target);
  void special_call(const ast::Call& node, Register target, bool& is_done);
  void is_shared(const Node& node, Register target);
  void method_call(const ast::MethodCall& node, Register target);
  Register window_for(Register target);
  void arguments(ast::Nodes nodes);
  void finish_call(Register window, Register target);
  std::optional<Place> place_of(const Node& node, bool is_safe);
  bool append_steps(const Node& node, bool is_safe, Place& place);
  std::size_t method_index(Method method);
  void emit_method(Register window, std::size_t arguments, std::size_t method);
  [[nodiscard]] static bool is_push(const Method& method, std::size_t arguments);

  // compiler_statements.cpp
  void statement(const Node& node, Register target);
  void block(const ast::Block& node, Register target);
  void let(const ast::Let& node);
  void assign(const ast::Assign& node);
  void assign_variable(const ast::Assign& node, const ast::Variable& variable);
  void assign_part(const ast::Assign& node);
  bool assign_constant_at(const ast::Assign& node);
  void try_catch(const ast::Try& node);
  void throw_value(const ast::Throw& node);
  void return_value(const Node* value);

  // telling.cpp
  void tell(std::string_view name, Register value);
  void tell(const ast::Assign& node, Register value, const Place& place);

  // compiler_control.cpp
  void tail(const Node& node);
  void jump_if(const Node& condition, bool sense, Label& label);
  bool jump_compare(const ast::Binary& node, bool sense, Label& label);
  void if_else(const ast::If& node, Register target);
  void switch_case(const ast::Switch& node, Register target);
  void case_labels(const ast::Case& one, Register subject, Label& next);
  [[nodiscard]] static std::size_t cases_for_table(const ast::Switch& node);
  void add_to_table(const ast::Case& one, SwitchTable& table);
  void finish_table(SwitchTable table, std::size_t instruction);
  [[nodiscard]] bool is_quick_comparison(const Node& condition) const;
  void again_if(const Node& condition, std::size_t top);
  void while_loop(const ast::While& node, Register target);
  void do_loop(const ast::DoLoop& node, Register target);
  void endless_loop(const ast::Loop& node, Register target);
  void for_loop(const ast::For& node, Register target);
  void end_loop(LoopContext& loop);
  void break_loop(const Node* value);
  void unit(Register target);

  Compiler& unit_;
  Code& code_;
  const ast::Body& body_;
  const FunctionCompiler* outer_;
  Register next_ = 1;
  std::vector<bool> is_variable_;
  Code::Place32 span_{};
  std::vector<LoopContext*> loops_;
  std::vector<Register> caught_;  // of the catch blocks around
  Label* epilogue_ = nullptr;     // of a top level: where return goes
  std::unordered_map<std::string, std::size_t> constants_;
  std::unordered_map<std::string_view, std::size_t> fields_;
  std::unordered_map<const void*, std::size_t> calls_;
  std::unordered_map<const ast::Variable*, Register> captures_;
};

template <class T>
std::size_t FunctionCompiler::add_row(std::vector<T>& table, T row) {
  if (table.size() == 0xFFFF) {
    unit_.diagnostics_.error({code_.source, span_.begin, span_.end}, "this function is too large");
    return 0;
  }
  table.push_back(std::move(row));
  return table.size() - 1;
}

}  // namespace vsl
