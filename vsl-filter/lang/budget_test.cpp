// Limits of a run, each below, at and above its edge; failures with place and call stack.
#include <doctest/doctest.h>
#include <pthread.h>

#include <algorithm>
#include <string>

#include "vsl-filter/lang/test_script.h"

using namespace vsl;
using vsl::test::evaluated;
using vsl::test::unchecked;

namespace {

LoadOptions with_operations(std::uint64_t operations) {
  LoadOptions options = unchecked();
  options.budget.operations = operations;
  return options;
}

// Whether the script fits so many operations.
bool fits(const std::string& script, std::uint64_t operations) { return evaluated(script, with_operations(operations)) != "error: Too many operations"; }

std::string within_depth(std::uint32_t depth, const std::string& script) {
  LoadOptions options = unchecked();
  options.budget.call_depth = depth;
  return evaluated(script, options);
}

std::string within_memory(const MemoryLimits& memory, const std::string& script) {
  LoadOptions options = unchecked();
  options.budget.memory = memory;
  return evaluated(script, options);
}

}  // namespace

TEST_CASE("budget: an endless loop ends, and no catch sees it") {
  CHECK(evaluated("loop { }") == "error: Too many operations");
  CHECK(evaluated("while true { }") == "error: Too many operations");
  CHECK(evaluated("let r = 0; try { loop { r += 1; } } catch { r = -1; } r") == "error: Too many operations");
  CHECK(evaluated("let f = |x| loop { }; [1].map(f)") == "error: Too many operations");
}

TEST_CASE("budget: operations are counted exactly") {
  const std::string script = "fn f() { } for i in 0..100 { f(); } 1";
  std::uint64_t least = 0;
  while (!fits(script, ++least)) REQUIRE(least < 5000);
  CHECK_FALSE(fits(script, least - 1));
  CHECK(fits(script, least + 1));
  CHECK(least > 200);  // a hundred calls and a hundred rounds
  CHECK(fits("fn f() { } for i in 0..100000 { f(); } 1", 0));  // no limit
}

TEST_CASE("budget: natives that walk over much are counted") {
  CHECK_FALSE(fits("let a = []; a.pad(1000, 0); for i in 0..100 { 1 in a }", 50'000));
  CHECK(fits("let a = []; a.pad(1000, 0); for i in 0..100 { 1 in a }", 500'000));
}

TEST_CASE("budget: natives that use it up inside of callbacks of natives") {
  const std::string script = "let a = []; a.pad(1000, 0); ";
  CHECK_FALSE(fits(script + "[1].map(|x| { for i in 0..100 { 1 in a } })", 50'000));
  CHECK_FALSE(fits(script + "try { [1].map(|x| { for i in 0..100 { 1 in a } }); } catch { }", 50'000));
  CHECK_FALSE(fits(script + "[1].map(|x| [1].map(|y| { for i in 0..100 { a.contains(1) } }))", 50'000));
  CHECK_FALSE(fits(script + "let b = [2, 1]; b.sort(|x, y| { for i in 0..100 { 1 in a } 0 })", 50'000));
}

TEST_CASE("budget: depth of calls") {
  const std::string script = "fn f(n) { if n == 0 { 0 } else { 1 + f(n - 1) } } ";
  CHECK(within_depth(10, script + "f(8)") == "8");
  CHECK(within_depth(10, script + "f(9)") == "9");  // ten calls
  CHECK(within_depth(10, script + "f(10)") == "error: Stack overflow");
  CHECK(within_depth(10, script + "try { f(10) } catch { } 1") == "error: Stack overflow");
  CHECK(within_depth(1, script + "f(0)") == "0");
  CHECK(within_depth(1, script + "f(1)") == "error: Stack overflow");
  CHECK(evaluated(script + "f(126)") == "126");  // 128 is the standard
  CHECK(evaluated(script + "f(127)") == "127");
  CHECK(evaluated(script + "f(128)") == "error: Stack overflow");
  CHECK(within_depth(1000, script + "f(900)") == "900");  // registers in more than one segment
}

TEST_CASE("budget: callbacks count as calls, so that natives cannot exhaust the stack of C++") {
  CHECK(evaluated("fn f(n) { [n].map(|x| f(x + 1)) } f(0)") == "error: Stack overflow");
  CHECK(evaluated("let f = (); f = |x| [x].map(f); f.call(1)") == "error: Stack overflow");
}

TEST_CASE("budget: of natives in between only what they call counts") {
  const std::string script = "fn f(n) { if n == 0 { 0 } else { [n - 1].map(|x| f(x))[0] + 1 } } ";  // 1 + 2n calls
  CHECK(within_depth(11, script + "f(4)") == "4");
  CHECK(within_depth(11, script + "f(5)") == "5");
  CHECK(within_depth(11, script + "f(6)") == "error: Stack overflow");
  CHECK(within_depth(10, script + "f(5)") == "error: Stack overflow");
  CHECK(evaluated(script + "f(63)") == "63");
  CHECK(evaluated(script + "f(64)") == "error: Stack overflow");
}

TEST_CASE("budget: callbacks at the end of a segment of registers, wherever it falls") {
  for (int registers = 0; registers < 40; ++registers) {
    std::string script = "fn f(n) { ";
    for (int i = 0; i < registers; ++i) script += "let v" + std::to_string(i) + " = n; ";
    script += "if n == 0 { 0 } else { [n - 1].map(|x| f(x))[0] + 1 } } f(150)";
    CHECK(within_depth(400, script) == "150");
  }
}

// On a thread whose stack has this many octets, as the stacks of threads and of limited processes are.
template <class Work>
void on_stack_of(std::size_t octets, Work work) {
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, octets) == 0);
  pthread_t thread;
  const auto run = [](void* context) -> void* {
    (*static_cast<Work*>(context))();
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, run, &work) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

TEST_CASE("budget: callbacks in each other have a limit of their own") {
  const std::string script = "fn f(n) { if n == 0 { 0 } else { [n - 1].map(|x| f(x))[0] + 1 } } ";
  on_stack_of(64 << 20, [&] {
    for (const std::uint32_t depth : {0U, 100'000U}) {
      CHECK(within_depth(depth, script + "f(1998)") == "1998");
      CHECK(within_depth(depth, script + "f(1999)") == "1999");
      CHECK(within_depth(depth, script + "f(2000)") == "error: Stack overflow");
      CHECK(within_depth(depth, "fn g(n) { if n == 0 { 0 } else { 1 + g(n - 1) } } g(9999)") == "9999");
    }
  });
}

TEST_CASE("budget: callbacks in each other end before the stack of C++ does") {
  const std::string script = "fn f(n) { if n == 0 { 0 } else { [n - 1].map(|x| f(x))[0] + 1 } } ";
  on_stack_of(640 << 10, [&] {
    CHECK(within_depth(0, script + "f(40)") == "40");
    CHECK(within_depth(0, script + "f(1999)") == "error: Stack overflow");
    CHECK(within_depth(0, script + "f(40)") == "40");
  });
}

TEST_CASE("budget: what the host calls has the whole depth") {
  test::Files files;
  const Loaded loaded = load(LoadedText{"main.vsl", "fn f(n) { if n == 0 { 0 } else { 1 + f(n - 1) } }"}, files, test::standard_natives(), {}, unchecked());
  REQUIRE(loaded.program);
  Run run(*loaded.program, Budget{});
  for (const auto& [depth, fits] : {std::pair{127, true}, {128, true}, {129, false}}) {
    CAPTURE(depth);
    CHECK(run.call("f", std::initializer_list<Value>{depth}).has_value() == fits);
  }
}

TEST_CASE("budget: frames with many registers in many segments") {
  std::string script = "fn f(n) { ";
  for (int i = 0; i < 300; ++i) script += "let v" + std::to_string(i) + " = n + " + std::to_string(i) + "; ";
  script += "if n > 0 { f(n - 1) + v299 } else { v0 } } f(100)";
  CHECK(evaluated(script) == std::to_string(100 * 299 + 5050));
}

TEST_CASE("budget: memory") {
  MemoryLimits memory;
  memory.string_octets = 1000;
  CHECK(within_memory(memory, "let s = \"0123456789\"; for i in 0..99 { s += \"0123456789\"; } s.len") == "1000");
  CHECK(within_memory(memory, "let s = \"0123456789\"; for i in 0..100 { s += \"0123456789\"; } s.len") == "error: String too large");
  CHECK(within_memory(memory, "let s = \"0123456789\"; for i in 0..10 { s = s + s; } 1") == "error: String too large");
  CHECK(within_memory(memory, "let s = \"0123456789\"; for i in 0..10 { s = `${s}${s}`; } 1") == "error: String too large");
  memory.elements = 100;
  CHECK(within_memory(memory, "let a = []; for i in 0..100 { a.push(i); } a.len") == "100");
  CHECK(within_memory(memory, "let a = []; for i in 0..101 { a.push(i); } a.len").ends_with("too large"));
  CHECK(within_memory(memory, "let a = []; for i in 0..101 { a += i; } a.len") == "error: Array too large");
  CHECK(within_memory(memory, "let m = #{}; for i in 0..100 { m[`${i}`] = i; } m.len()") == "100");
  CHECK(within_memory(memory, "let m = #{}; for i in 0..101 { m[`${i}`] = i; } m.len()") == "error: Map too large");
  CHECK(within_memory(memory, "let a = [1]; for i in 0..10 { a = a + a; } 1") == "error: Array too large");
  memory = {};
  memory.octets = 100'000;
  CHECK(within_memory(memory, "let a = []; loop { a.push([1]); }") == "error: Memory too large");
  CHECK(within_memory(memory, "try { let a = []; loop { a.push([1]); } } catch { } 1") == "error: Memory too large");
  CHECK(within_memory(memory, "for i in 0..10000 { let a = [i, i, i]; } 1") == "1");  // given back each round
}

TEST_CASE("budget: time") {
  LoadOptions options = with_operations(0);
  options.budget.time = std::chrono::milliseconds(20);
  CHECK(evaluated("loop { }", options) == "error: Time limit exceeded");
}

TEST_CASE("failure: names the place and the way there") {
  test::Files files;
  const Loaded loaded = load(LoadedText{"main.vsl", "fn inner(x) {\n  x / 0\n}\nfn outer() { inner(1) }\nlet c = || outer();\nc.call()"}, files,
                             test::standard_natives(), {}, unchecked());
  REQUIRE(loaded.failure);
  CHECK(render(*loaded.failure, loaded.sources()) ==
        "main.vsl:2:3: error: Division by zero: 1 / 0\n"
        "  main.vsl:4:14: called from function `outer`\n"
        "  main.vsl:5:12: called from a closure\n"
        "  main.vsl:6:3: called from the top level\n");
}

TEST_CASE("failure: an endless recursion shows both ends of its way") {
  test::Files files;
  const Loaded loaded = load(LoadedText{"main.vsl", "fn f() { f() }\nf()"}, files, test::standard_natives(), {}, unchecked());
  REQUIRE(loaded.failure);
  const std::string shown = render(*loaded.failure, loaded.sources());
  CHECK(std::ranges::count(shown, '\n') == 1 + 11 + 1 + 4);
  CHECK(shown.find("  ... 113 more calls\n") != std::string::npos);
  CHECK(shown.ends_with("main.vsl:2:1: called from the top level\n"));
}

TEST_CASE("run: a run goes on after a failure, with a fresh budget") {
  test::Files files;
  const Loaded loaded = load(LoadedText{"main.vsl", "fn bad() { loop { } } fn good(x) { x + 1 } fn deep(n) { deep(n) } "}, files,
                             test::standard_natives(), {}, unchecked());
  REQUIRE(loaded.program);
  Run run(*loaded.program, Budget{});
  for (int i = 0; i < 3; ++i) {
    CHECK(run.call("bad").error().kind() == ErrorKind::TooManyOperations);
    CHECK(run.call("deep", std::initializer_list<Value>{1}).error().kind() == ErrorKind::StackOverflow);
    const Result good = run.call("good", std::initializer_list<Value>{i});
    REQUIRE(good);
    CHECK(good->as_int() == i + 1);
  }
  CHECK(run.call("nowhere").error().message() == "Function not found: nowhere ()");
}
