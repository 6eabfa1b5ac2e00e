// Random programs against the virtual machine: the octets choose productions of a grammar that makes mostly valid scripts, which
// then run under a small budget. A script may fail in any way that the language knows; code that is not optimized must do the same.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "vsl-filter/lang/engine.h"

namespace {

class Nothing : public vsl::Loader {
 public:
  base::Result<vsl::LoadedText> load(std::string_view, std::string_view) override { return base::fail(base::Fault::Config, "no file"); }
};

class Writer {
 public:
  explicit Writer(std::span<const std::uint8_t> choices) : choices_(choices) {}

  std::string script() {
    out_ = "fn f(a) { let b = [a, 2]; let c = #{x: a, y: b}; let d = 5; let x = \"x\"; ";
    block_body(4);
    out_ += "} fn g(a, b) { let c = #{x: [b], y: a}; let d = -1; let x = [a]; ";
    block_body(4);
    out_ += "} fn h() { let a = 2; let b = this; let c = #{y: b}; let d = [1]; let x = 'x'; this = ";
    expression(2);
    out_ += "; ";
    block_body(3);
    out_ += "} const K = [1, #{x: [2, \"three\"], y: 4}, \"a text that is no short one\"]; let a = 1; let b = [1, 2, 3]; let c = #{x: 1, y: [2]}; "
            "let d = 7; let x = \"xyz\"; ";
    while (!choices_.empty() && out_.size() < 4000) {
      const bool is_guarded = choose(3) != 0;  // else most scripts would end with their first statement
      if (is_guarded) out_ += "try { ";
      statement(5);
      if (is_guarded) out_ += "} catch (e) { d = e; } ";
    }
    out_ += "[a, b, c, d, x, ";
    expression(3);
    out_ += ']';
    return std::move(out_);
  }

 private:
  unsigned choose(unsigned count) {
    if (choices_.empty()) return 0;
    const unsigned choice = choices_.front() % count;
    choices_ = choices_.subspan(1);
    return choice;
  }
  template <std::size_t N>
  void one_of(const std::string_view (&words)[N]) { out_ += words[choose(N)]; }

  void variable() {
    static constexpr std::string_view kNames[] = {"a", "b", "c", "d", "x"};
    one_of(kNames);
  }
  void literal() {
    static constexpr std::string_view kLiterals[] = {
        "0", "1", "-1", "7", "9223372036854775807", "2.5", "1e300", "true", "false", "()", "'x'", "\"\"", "\"abc\"", "\"häß\"",
        "\"a text that is longer than short ones\"", "[]", "#{}", "1..4", "-3..=3", "`t${a}`", "K", "global::K", "[1, [2, 3], \"s\"]"};
    one_of(kLiterals);
  }
  void place(int depth) {
    if (choose(8) == 0) {
      out_ += "this";
    } else {
      variable();
    }
    for (unsigned steps = choose(3); steps > 0; --steps) {
      switch (choose(4)) {
        case 0: out_ += ".x"; break;
        case 1: out_ += "?.y"; break;
        case 2: out_ += "[1]"; break;
        default:
          out_ += '[';
          expression(depth - 2);
          out_ += ']';
      }
    }
  }
  void arguments(int depth) {
    for (unsigned count = choose(3), i = 0; i < count; ++i) {
      if (i > 0) out_ += ", ";
      expression(depth - 1);
    }
  }
  void method() {
    static constexpr std::string_view kMethods[] = {"push", "pop", "len", "insert", "remove", "map", "filter", "sort", "reduce", "call", "f", "g", "h",
        "trim", "to_upper", "split", "replace", "contains", "keys", "values", "x", "curry", "truncate", "retain", "drain", "for_each", "splice",
        "pad", "append", "clear", "shift", "reverse", "to_string", "sub_string", "index_of", "set", "get", "mixin", "take", "type_of"};
    one_of(kMethods);
  }
  void expression(int depth) {
    if (depth <= 0 || choices_.empty()) {
      if (choose(2) == 0) return literal();
      return variable();
    }
    static constexpr std::string_view kOperators[] = {" + ", " - ", " * ", " / ", " % ", " ** ", " << ", " >> ", " == ", " != ", " < ", " >= ",
                                                      " ?? ", " != ", " & ", " | ", " ^ ", " in ", " !in ", " .. ", " ..= "};
    switch (choose(16)) {
      case 0: return literal();
      case 1: return variable();
      case 2:
        out_ += '(';
        expression(depth - 1);
        one_of(kOperators);
        expression(depth - 1);
        out_ += ')';
        return;
      case 3:
        if (choose(3) == 0) return condition(depth);
        out_ += "-(";
        expression(depth - 1);
        out_ += ')';
        return;
      case 4: return place(depth);
      case 5:
        out_ += '[';
        arguments(depth);
        out_ += ']';
        return;
      case 6:
        out_ += "#{x: ";
        expression(depth - 1);
        out_ += ", y: ";
        expression(depth - 1);
        out_ += '}';
        return;
      case 7:
        out_ += choose(2) == 0 ? "f(" : "g(";
        arguments(depth);
        out_ += ')';
        return;
      case 8:
      case 9:
        place(depth);
        out_ += choose(4) == 0 ? "?." : ".";
        method();
        out_ += '(';
        arguments(depth);
        out_ += ')';
        return;
      case 10:
        out_ += choose(2) == 0 ? "|x| " : "|| ";
        if (choose(2) == 0) return expression(depth - 1);
        return block(depth - 1);
      case 11:
        out_ += "if ";
        condition(depth - 2);
        out_ += ' ';
        block(depth - 1);
        out_ += " else ";
        return block(depth - 1);
      case 12:
        out_ += "switch ";
        expression(depth - 2);
        if (choose(2) == 0) return table();
        out_ += " { 1 | 'x' => ";
        expression(depth - 1);
        out_ += ", 0..9 if ";
        condition(depth - 2);
        out_ += " => ";
        expression(depth - 1);
        out_ += ", _ => ";
        expression(depth - 1);
        out_ += " }";
        return;
      case 13: return block(depth - 1);
      case 14:
        out_ += "`<${";
        expression(depth - 1);
        out_ += "}>`";
        return;
      default:
        out_ += "for (x, i) in ";
        expression(depth - 2);
        out_ += ' ';
        return block(depth - 1);
    }
  }
  // What is certainly no bool would be an error before the script runs.
  void condition(int depth) {
    static constexpr std::string_view kComparisons[] = {" == ", " != ", " < ", " >= ", " in "};
    switch (choose(8)) {
      case 0: out_ += "true"; return;
      case 1: return variable();
      case 2:
        out_ += "!(";
        condition(depth - 1);
        out_ += ')';
        return;
      case 3:
        if (depth <= 0 || choices_.empty()) return variable();
        out_ += '(';
        condition(depth - 1);
        out_ += choose(2) == 0 ? " && " : " || ";
        condition(depth - 1);
        out_ += ')';
        return;
      default:
        out_ += '(';
        expression(depth - 1);
        one_of(kComparisons);
        expression(depth - 1);
        out_ += ')';
    }
  }
  // The cases of a switch that has a table.
  void table() {
    out_ += " { 1 => ";
    literal();
    out_ += ", 'x' | \"abc\" | 7 => ";
    variable();
    out_ += ", () | true => { ";
    statement(1);
    out_ += "} \"a text that is longer than short ones\" => ";
    literal();
    if (choose(2) == 0) out_ += ", 2.5 | [1] => 3, 0..9 => 4, _ => 5";
    out_ += " }";
  }
  // A loop that ends soon, mostly.
  void counting_loop(int depth) {
    static constexpr std::string_view kConditions[] = {" < 5", " <= 3", " > -2", " >= 0", " < b", " <= c"};
    static constexpr std::string_view kSteps[] = {" += 1; ", " -= 1; ", " += 2.5; "};
    static constexpr std::string_view kNames[] = {"a", "d", "x"};
    const std::string_view name = kNames[choose(3)];
    out_ += choose(3) == 0 ? "do { " : "while ";
    const bool is_do = out_.ends_with("{ ");
    const std::string condition = std::string(name) + std::string(kConditions[choose(6)]);
    if (!is_do) out_ += condition + " { ";
    (out_ += name) += kSteps[choose(3)];
    block_body(depth - 1);
    out_ += '}';
    if (is_do) out_ += " while " + condition;
  }
  void block_body(int depth) {
    for (unsigned count = choose(3); count > 0; --count) statement(depth - 1);
    expression(depth - 1);
    out_ += ' ';
  }
  void block(int depth) {
    out_ += "{ ";
    block_body(depth);
    out_ += '}';
  }
  void statement(int depth) {
    static constexpr std::string_view kAssignments[] = {" = ", " += ", " -= ", " *= ", " |= ", " **= "};
    switch (choose(12)) {
      case 0:
      case 1:
        out_ += "let ";
        variable();
        out_ += " = ";
        expression(depth);
        break;
      case 2:
      case 3:
        place(depth);
        one_of(kAssignments);
        expression(depth);
        break;
      case 4:
        if (choose(2) == 0) {
          counting_loop(depth);
          break;
        }
        out_ += "while ";
        condition(depth - 2);
        out_ += ' ';
        block(depth - 1);
        break;
      case 5:
        out_ += "try ";
        block(depth - 1);
        out_ += " catch (x) ";
        block(depth - 1);
        break;
      case 6:
        out_ += "throw ";
        expression(depth - 2);
        break;
      case 7:
        out_ += "loop { ";
        block_body(depth - 1);
        out_ += "; if a { break x; } continue; }";
        break;
      case 8:
        out_ += "do ";
        block(depth - 1);
        out_ += " until ";
        condition(depth - 2);
        break;
      case 9:
        out_ += "return ";
        expression(depth - 2);
        break;
      default: expression(depth);
    }
    out_ += "; ";
  }

  std::span<const std::uint8_t> choices_;
  std::string out_;
};

const vsl::Natives& natives() {
  static const vsl::Natives* all = [] {
    auto* made = new vsl::Natives;
    vsl::add_standard_functions(*made);
    return made;
  }();
  return *all;
}

std::string outcome(const std::string& script, bool is_optimized = true) {
  Nothing loader;
  vsl::LoadOptions options;
  options.is_checked = false;
  options.is_optimized = is_optimized;
  options.tells_assignments = !is_optimized;  // which changes nothing
  std::size_t told = 0;
  options.sinks.assigned = [&told](std::string_view place, const vsl::Value& value, vsl::Span) {
    told += place.size() + vsl::shortened_debug_of(value, 20).size();
  };
  options.budget.operations = 3000;
  options.budget.call_depth = 20;
  options.budget.time = {};  // two evaluations shall end alike
  options.budget.memory = {.octets = 1 << 20, .string_octets = 10'000, .elements = 1000};
  const vsl::Loaded loaded = vsl::load(vsl::LoadedText{"fuzz", script}, loader, natives(), {}, options);
  if (loaded.failure) return render(*loaded.failure, loaded.sources());
  if (!loaded.program) return loaded.diagnostics.all().front().message;
  vsl::Run run(*loaded.program, options.budget, nullptr, options.sinks);
  std::string out = vsl::debug_of(loaded.program->value());
  for (int i = 0; i < 2; ++i) {
    const vsl::Result result = run.call("f", std::initializer_list<vsl::Value>{i});
    out += result ? vsl::debug_of(*result) : result.error().message();
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string script = Writer({data, size}).script();
  if (std::getenv("SHOW_SCRIPT") != nullptr) std::fprintf(stderr, "%s\n", script.c_str());
  const std::string first = outcome(script), plain = outcome(script, false);
  if (std::getenv("SHOW_SCRIPT") != nullptr) std::fprintf(stderr, "%s\n", first.c_str());
  // Instructions are counted, and the optimized code has fewer.
  const auto is_cut_short = [](const std::string& text) { return text.find("Too many operations") != std::string::npos; };
  const bool is_comparable = !is_cut_short(first) && !is_cut_short(plain);
  if (first != (is_comparable ? plain : outcome(script))) {
    std::fprintf(stderr, "two evaluations differ: %s\n%s\n", first.c_str(), plain.c_str());
    std::abort();
  }
  return 0;
}
