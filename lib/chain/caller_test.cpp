// Calls against programs (sh) and against resident servers in the same loop.
#include "lib/chain/caller.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "lib/chain/envelope.h"
#include "lib/chain/resident.h"
#include "lib/net/socket.h"
#include "lib/net/stream.h"

using chain::Answer;
using chain::Call;
using chain::Caller;
using chain::Outcome;
using chain::PendingCall;
using chain::Words;
using Class = chain::Outcome::Class;
using namespace std::string_literals;

namespace {

struct WorkFolder {
  std::string path = "/tmp/vsmtp-chain-XXXXXX";
  WorkFolder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~WorkFolder() { std::filesystem::remove_all(path); }
};

Call some_call(std::string octets = "Subject: x\r\n\r\nbody\r\n") {
  Call call;
  call.message = base::Blob::of_octets(std::move(octets));
  call.envelope = chain::to_octets({"a@example.org", {"b@example.net"}});
  return call;
}

Words sh(const std::string& script) { return {"sh", "-c", script}; }

Outcome call_program(const Words& words, Call call = some_call(), std::uint64_t timeout = 20'000) {
  Caller::Limits limits;
  limits.timeout_milliseconds = timeout;
  return chain::call_and_wait(words, std::move(call), limits);
}

// A loop with a caller and as many resident servers as a test wants.
struct Bench {
  WorkFolder folder;
  net::Loop loop;
  std::vector<std::unique_ptr<chain::ResidentServer>> servers;
  std::optional<Caller> caller;
  std::size_t open = 0;
  std::vector<Outcome> outcomes;

  explicit Bench(Caller::Limits limits = {}) { caller.emplace(loop, limits); }
  std::string socket(const std::string& name) const { return folder.path + "/" + name; }
  std::string serve(const std::string& name, std::function<void(PendingCall)> on_call, chain::ResidentServer::Limits limits = {}) {
    servers.push_back(std::make_unique<chain::ResidentServer>(loop, limits, std::move(on_call)));
    REQUIRE(servers.back()->listen(socket(name)));
    return "unix:" + socket(name);
  }
  std::uint64_t call(const Words& words, Call call = some_call()) {
    ++open;
    const auto at = outcomes.size();
    outcomes.emplace_back();
    return caller->call(words, std::move(call), [this, at](Outcome outcome) {
      outcomes[at] = std::move(outcome);
      if (--open == 0) loop.stop();
    });
  }
  Outcome call_and_run(const Words& words, Call one = some_call()) {
    call(words, std::move(one));
    loop.run();
    return outcomes.back();
  }
  void run_for(std::uint64_t milliseconds) {
    net::Timer end(loop, [this] { loop.stop(); });
    end.start(milliseconds);
    loop.run();
  }
};

}  // namespace

TEST_CASE("chain: a program finds message, envelope, context and environment in their places and nothing else open") {
  Call call = some_call("a\0b"s);
  call.context = R"({"id":"7"})";
  call.environment = {"TCPREMOTEIP=192.0.2.1"};
  const base::UniqueFd inherited(::open("/dev/null", O_RDONLY));  // without close-on-exec: it must not get through
  const auto outcome = call_program(sh(R"sh(
    wrong=
    open=$(ls /proc/self/fd | tr '\n' ' ')  # 4 is the directory
    [ "$open" = '0 1 2 3 4 6 ' ] || wrong="$wrong descriptors $open"
    exec 5<&1  # in $( ) 1 is something else
    [ "$(od -An -tx1 | tr -d ' ')" = 610062 ] || wrong="$wrong message"
    [ "$(od -An -c <&5 | tr -d ' \n')" = 'Fa@example.org\0Tb@example.net\0\0' ] || wrong="$wrong envelope"
    [ "$(cat <&3)" = '{"id":"7"}' ] || wrong="$wrong context"
    [ "$TCPREMOTEIP" = 192.0.2.1 ] || wrong="$wrong environment"
    printf 'D554 %s' "${wrong:-fine}" >&6
    exit 82)sh"), std::move(call));
  CHECK(outcome.reply == "554 fine");
  CHECK(outcome.cause.empty());
}

TEST_CASE("chain: the ends of a program") {
  struct Case {
    const char* script;
    Class result;
    const char* reply;
    const char* cause;
  };
  for (const auto& c : std::initializer_list<Case>{
           {"exit 0", Class::Taken, "", ""},
           {"printf 'K250 2.0.0 mine' >&6", Class::Taken, "250 2.0.0 mine", ""},
           {"exit 31", Class::Permanent, "", "sh: exit code 31 (refused for good)"},
           {"exit 5", Class::Temporary, "", "sh: exit code 5"},
           {"kill -SEGV $$", Class::Temporary, "", "sh: killed by signal 11 (Segmentation fault)"},
           {"exec 0<&- 1>&- 6>&-; exit 82", Class::Temporary, "", "sh: exit code 82 without a report"},
           {"printf 'D554\\0no' >&6; exit 82", Class::Temporary, "", "sh: its report has NUL in it"},
           {"printf 'no letter' >&6; exit 82", Class::Temporary, "", "sh: its report does not begin with K, Z or D"},
           {"(printf D; head -c 10000000 /dev/zero | tr '\\0' x) >&6; exit 82", Class::Temporary, "", "sh: its report is longer than 64 KB"},
           {"(printf D; head -c 65535 /dev/zero | tr '\\0' x) >&6; exit 31", Class::Permanent, "", "sh: exit code 31 (refused for good)"},
           // a grandchild that keeps 6 open does not keep the call
           {"sleep 60 2>/dev/null & echo $! >&6; exit 0", Class::Temporary, "", "sh: its report does not begin with K, Z or D"},
       }) {
    CAPTURE(c.script);
    const auto outcome = call_program(sh(c.script));
    CHECK(outcome.result == c.result);
    CHECK(outcome.reply == c.reply);
    CHECK(outcome.cause == c.cause);
    CHECK_FALSE(outcome.is_unavailable);
    if (const int grandchild = std::atoi(outcome.report.c_str()); grandchild > 1) ::kill(grandchild, SIGKILL);
  }
}

TEST_CASE("chain: a chain that cannot be called at all") {
  const auto missing = call_program({"/nowhere/program"});
  CHECK(missing.result == Class::Temporary);
  CHECK(missing.cause == "/nowhere/program: start: No such file or directory");
  CHECK(missing.is_unavailable);
  const auto unserved = call_program({"unix:/nowhere/socket"});
  CHECK(unserved.cause == "unix:/nowhere/socket: connect: No such file or directory");
  CHECK(unserved.is_unavailable);
  for (const auto& malformed : {Words{}, Words{""}, Words{"--", "true"}, Words{"true", "--"}, Words{"true", "--", "--", "true"}}) {
    const auto outcome = call_program(malformed);
    CHECK(outcome.result == Class::Temporary);
    CHECK(outcome.cause == "malformed chain: a program is missing");
  }
}

TEST_CASE("chain: a time limit reaches the children of a program too") {
  WorkFolder folder;
  const std::string late = folder.path + "/late";
  SUBCASE("that die of SIGTERM") {
    const auto outcome = call_program(sh("sleep 30 & sleep 30"), some_call(), 100);
    CHECK(outcome.result == Class::Temporary);
    CHECK(outcome.cause == "sh: no end within 100 ms, killed");
  }
  SUBCASE("that ignore SIGTERM") {
    const auto outcome = call_program(sh("trap '' TERM; (sleep 4; touch " + late + ") & sleep 30; sleep 30"), some_call(), 100);
    CHECK(outcome.cause == "sh: no end within 100 ms, killed");
    ::usleep(2'500'000);
    CHECK_FALSE(std::filesystem::exists(late));
  }
  SUBCASE("a program that has taken the message after all is believed") {
    CHECK(call_program(sh("trap 'exit 0' TERM; sleep 30 & wait"), some_call(), 100).result == Class::Taken);
  }
}

TEST_CASE("chain: more programs than may run at once wait in line") {
  Caller::Limits limits;
  limits.processes = 2;
  Bench bench(limits);
  const std::string log = bench.folder.path + "/log";
  for (int i = 0; i < 5; ++i) bench.call(sh("echo + >>" + log + "; sleep 0.05; echo - >>" + log));
  bench.loop.run();
  for (const auto& outcome : bench.outcomes) CHECK(outcome.result == Class::Taken);
  const auto lines = *base::read_file(log, 1000);
  int running = 0, most = 0;
  for (const char c : lines) {
    if (c == '+') most = std::max(most, ++running);
    if (c == '-') --running;
  }
  CHECK(most == 2);

  limits.processes = 0;
  limits.timeout_milliseconds = 50;
  Bench none(limits);
  const auto outcome = none.call_and_run(sh("exit 0"));
  CHECK(outcome.is_unavailable);
  CHECK(outcome.cause == "sh: not started within 50 ms: 0 programs run already");
}

TEST_CASE("chain: a delivery call has its arguments and reports on descriptor 1") {
  Call call;
  call.kind = chain::Kind::Delivery;
  call.message = base::Blob::of_octets("x");
  const auto outcome = call_program({"sh", "-c", "printf 'r%s\\0Kok\\0' \"$1$(cat)\"", "sh", "host"}, std::move(call));
  CHECK(outcome.result == Class::Taken);
  CHECK(outcome.report == "rhostx\0Kok\0"s);
}

TEST_CASE("chain: a resident program gets the call whole and its answer comes back") {
  Bench bench;
  const auto name = bench.serve("s", [](PendingCall call) {
    const auto& invocation = call.invocation;
    CHECK(invocation.arguments == Words{"--mark", "X"});
    CHECK(invocation.next == Words{"next"});
    CHECK(invocation.call.environment == Words{"PROTO=TCP"});
    CHECK(invocation.call.context == "{}");
    CHECK(invocation.call.message.view()->octets() == "a\0b"s);
    CHECK(invocation.call.envelope == some_call().envelope);
    call.answer(Answer::as_reported(base::Fault::Permanent, "554 5.7.1 no"));
  });
  Call call = some_call("a\0b"s);
  call.environment = {"PROTO=TCP"};
  call.context = "{}";
  const auto outcome = bench.call_and_run({name, "--mark", "X", "--", "next"}, std::move(call));
  CHECK(outcome.result == Class::Permanent);
  CHECK(outcome.reply == "554 5.7.1 no");
}

TEST_CASE("chain: messages travel whole in every size, inside the frame and as descriptors") {
  Caller::Limits limits;
  limits.inline_octets = 1000;
  Bench bench(limits);
  const auto name = bench.serve("s", [](PendingCall call) {
    auto answer = Answer::pass();
    std::string octets(call.invocation.call.message.view()->octets());
    answer.message = base::Blob::of_octets("[" + octets + "]");
    answer.envelope = "Fnew\0Tc\0\0"s;
    answer.context = R"({"new":1})";
    call.answer(std::move(answer));
  });
  const auto end = bench.serve("end", [](PendingCall call) {
    CHECK(call.invocation.call.envelope == "Fnew\0Tc\0\0"s);
    CHECK(call.invocation.call.context == R"({"new":1})");
    const auto octets = call.invocation.call.message.view();
    call.answer(Answer::taken(std::to_string(octets->octets().size()) + octets->octets().front() + octets->octets().back()));
  });
  const auto file = [](std::size_t size, std::uint64_t offset) {
    auto memory = base::memory_file("test");
    REQUIRE(base::write_all(memory->get(), std::string(offset, '#') + std::string(size, 'x') + "#"));
    return base::Blob::of_file(std::move(*memory), offset, size);
  };
  std::vector<std::size_t> sizes;
  for (const std::size_t size : {1, 999, 1000, 1001, 65533, 65534, 65535, 200'000, 5'000'000}) {
    for (int from = 0; from < 2; ++from) {
      Call call = some_call();
      call.message = from == 0 ? base::Blob::of_octets(std::string(size, 'x')) : file(size, 4097);
      bench.call({name, "--", end}, std::move(call));
      sizes.push_back(size);
    }
  }
  bench.loop.run();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    CAPTURE(sizes[i]);
    CHECK(bench.outcomes[i].reply == std::to_string(sizes[i] + 2) + "[]");
  }
}

TEST_CASE("chain: many calls at once, answered in another order, over one connection, with their own messages") {
  Bench bench;
  std::vector<PendingCall> waiting;
  const std::size_t count = 500;
  const auto name = bench.serve("s", [&](PendingCall call) {
    waiting.push_back(std::move(call));
    if (waiting.size() < count) return;
    while (!waiting.empty()) {
      const auto octets = waiting.back().invocation.call.message.view();
      waiting.back().answer(Answer::taken(std::string(octets->octets().substr(0, octets->octets().find(' ')))));
      waiting.pop_back();
    }
  });
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_large = i % 7 == 0;  // 100 KB go as a descriptor
    bench.call({name}, some_call(std::to_string(i) + " " + std::string(is_large ? 100'000 : 3000, 'x')));
  }
  bench.loop.run();
  for (std::size_t i = 0; i < count; ++i) REQUIRE(bench.outcomes[i].reply == std::to_string(i));
}

TEST_CASE("chain: programs and resident programs mix in one chain") {
  Bench bench;
  const auto marks = bench.serve("marks", [](PendingCall call) {
    auto answer = Answer::pass();
    answer.message = base::Blob::of_octets("X-Mark: 1\r\n" + std::string(call.invocation.call.message.view()->octets()));
    call.answer(std::move(answer));
  });
  const auto outcome = bench.call_and_run({marks, "--",  //
                                           "sh", "-c", R"sh([ "$(head -c 9)" = 'X-Mark: 1' ] && shift && exec "$@")sh", "sh", "--", "sh", "-c",
                                           R"sh(printf 'K%s' "$(tail -c +12 </dev/fd/0 | head -c 10)" >&6)sh"});
  CHECK(outcome.cause.empty());
  CHECK(outcome.result == Class::Taken);
  const auto at_end = bench.call_and_run({marks});
  CHECK(at_end.result == Class::Temporary);
  CHECK(at_end.cause == marks + ": passes the message on, but nothing follows in the chain");
}

TEST_CASE("chain: a call that is dropped by its program is an internal bug, temporary") {
  Bench bench;
  const auto name = bench.serve("s", [](PendingCall) {});
  const auto outcome = bench.call_and_run({name});
  CHECK(outcome.result == Class::Temporary);
  CHECK(outcome.cause == name + ": exit code 81 (internal bug)");
}

TEST_CASE("chain: a resident program that never answers meets the time limit, its late answer nobody") {
  Caller::Limits limits;
  limits.timeout_milliseconds = 50;
  Bench bench(limits);
  std::vector<PendingCall> waiting;
  const auto name = bench.serve("s", [&](PendingCall call) { waiting.push_back(std::move(call)); });
  const auto outcome = bench.call_and_run({name});
  CHECK(outcome.result == Class::Temporary);
  CHECK(outcome.cause == name + ": no answer within 50 ms");
  waiting[0].answer(Answer::taken("late"));
  bench.call({name});
  bench.run_for(10);
  REQUIRE(waiting.size() == 2);
  waiting[1].answer(Answer::taken("in time"));
  bench.loop.run();
  CHECK(bench.outcomes[1].reply == "in time");
}

TEST_CASE("chain: a resident program that ends with open calls makes them temporary, and is connected again") {
  Bench bench;
  const auto name = bench.serve("s", [](PendingCall call) {
    static std::vector<PendingCall> kept;
    kept.push_back(std::move(call));
  });
  bench.call({name});
  bench.run_for(20);
  bench.servers.clear();
  bench.loop.run();
  CHECK(bench.outcomes[0].result == Class::Temporary);
  CHECK(bench.outcomes[0].cause == name + ": ended the connection without an answer");
  CHECK_FALSE(bench.outcomes[0].is_unavailable);
  bench.serve("s", [](PendingCall call) { call.answer(Answer::taken("again")); });
  CHECK(bench.call_and_run({name}).reply == "again");
}

TEST_CASE("chain: a call on a connection that has died meanwhile is made on a new one") {
  Bench bench;
  const auto name = bench.serve("s", [](PendingCall call) { call.answer(Answer::taken("old")); });
  CHECK(bench.call_and_run({name}).reply == "old");
  bench.servers.clear();  // in the same turn as the call: the caller cannot have noticed
  bench.serve("s", [](PendingCall call) { call.answer(Answer::taken("new")); });
  CHECK(bench.call_and_run({name}).reply == "new");
}

TEST_CASE("chain: a resident program that is asked to end answers what it was sent, later calls go to its successor") {
  Bench bench;
  std::vector<PendingCall> waiting;
  const auto name = bench.serve("s", [&](PendingCall call) { waiting.push_back(std::move(call)); });
  bench.call({name});
  bench.run_for(20);
  REQUIRE(waiting.size() == 1);
  bool is_idle = false;
  bench.call({name});  // this one goes to whoever serves when the loop turns
  bench.servers[0]->drain([&] { is_idle = true; });
  bench.serve("s", [](PendingCall call) { call.answer(Answer::taken("new")); });
  bench.run_for(20);
  CHECK_FALSE(is_idle);
  CHECK(bench.outcomes[1].reply == "new");
  waiting[0].answer(Answer::taken("old"));
  bench.run_for(20);
  CHECK(bench.outcomes[0].reply == "old");
  CHECK(is_idle);
}

TEST_CASE("chain: garbage instead of an answer ends the connection and its calls") {
  Bench bench;
  std::optional<net::Listener> listener;
  std::vector<base::UniqueFd> connections;
  auto listening = net::listen_on(*net::Address::parse("unix:" + bench.socket("g")));
  std::string garbage;
  listener.emplace(bench.loop, std::move(*listening), [&](base::UniqueFd fd) {
    REQUIRE(base::write_all(fd.get(), garbage));
    connections.push_back(std::move(fd));
  });
  const std::string name = "unix:" + bench.socket("g");
  garbage = "\xff\xff\xff\xff";
  CHECK(bench.call_and_run({name}).cause == name + ": bad frame: impossible length");
  garbage = "\0\0\0\x0c" "X\0\0\0\0\0\0\0\0\0\0\0"s;
  CHECK(bench.call_and_run({name}).cause == name + ": bad frame: unknown type");
  garbage = "\0\0\0\x24" "A\0\x07\0\0\0\0\0\0\0\0\0" "\0\0\0\0" "\0\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0" "more"s;
  CHECK(bench.call_and_run({name}).cause == name + ": bad frame: an answer of wrong length");
  garbage = "\0\0\0\x20" "A\0\x07\0\0\0\0\0\0\0\0\0" "\0\0\0\0" "\0\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0"s;
  CHECK(bench.call_and_run({name}).cause == name + ": bad frame: its descriptor is missing");
}

TEST_CASE("chain: a caller that sends garbage is dropped, others go on") {
  Bench bench;
  const auto name = bench.serve("s", [](PendingCall call) { call.answer(Answer::taken("fine")); });
  const auto bad = net::connect_to(*net::Address::parse(name));
  REQUIRE(base::write_all(bad->get(), "GET / HTTP/1.0\r\n\r\n"));
  CHECK(bench.call_and_run({name}).reply == "fine");
  char octet;
  CHECK(::read(bad->get(), &octet, 1) <= 0);
}

TEST_CASE("chain: a policy client asks on the same socket as callers do, one question after the other") {
  Bench bench;
  chain::ResidentServer::Limits limits;
  limits.takes_questions = true;
  std::vector<std::string> asked;
  std::vector<PendingCall> waiting;
  net::Timer later(bench.loop, [&] {
    for (auto& call : waiting) call.answer(Answer::taken("later\n"));
    waiting.clear();
  });
  later.start(1, 1);
  const auto name = bench.serve("s", [&](PendingCall call) {
    if (call.invocation.call.kind != chain::Kind::Policy) return call.answer(Answer::taken("fine"));
    asked.push_back(call.invocation.call.envelope);
    if (asked.back() == "say=nothing\n") return call.answer(Answer::exit(81));
    Answer answer;
    answer.report = "action=" + std::to_string(asked.size()) + "\n";
    if (asked.back() == "say=late\n") {
      waiting.push_back(std::move(call));
    } else {
      call.answer(std::move(answer));
    }
  }, limits);
  const auto client = net::connect_to(*net::Address::parse(name));
  const auto reply = [&] {
    bench.run_for(20);
    char octets[100];
    const auto n = ::read(client->get(), octets, sizeof octets);
    return std::string(octets, n > 0 ? static_cast<std::size_t>(n) : 0);
  };
  REQUIRE(base::write_all(client->get(), "a=1\n"));
  bench.run_for(10);
  REQUIRE(base::write_all(client->get(), "\na=2\n\na=3\n\n"));
  CHECK(reply() == "action=1\n\naction=2\n\naction=3\n\n");
  CHECK(asked == std::vector<std::string>{"a=1\n", "a=2\n", "a=3\n"});
  REQUIRE(base::write_all(client->get(), "say=late\n\na=4\n\n"));
  CHECK(reply() == "Klater\n\naction=5\n\n");
  CHECK(bench.call_and_run({name}).reply == "fine");
  REQUIRE(base::write_all(client->get(), "say=nothing\n\n"));
  CHECK(reply() == "");
}

TEST_CASE("chain: a server takes no more calls at once than its limit, and all in the end") {
  Bench bench;
  chain::ResidentServer::Limits limits;
  limits.calls_at_once = 3;
  std::vector<PendingCall> waiting;
  std::size_t most = 0;
  net::Timer answers(bench.loop, [&] {
    most = std::max(most, waiting.size());
    for (auto& call : waiting) call.answer(Answer::taken("x"));
    waiting.clear();
  });
  answers.start(1, 1);
  const auto name = bench.serve("s", [&](PendingCall call) { waiting.push_back(std::move(call)); }, limits);
  for (int i = 0; i < 100; ++i) bench.call({name});
  bench.loop.run();
  CHECK(most == 3);
  for (const auto& outcome : bench.outcomes) CHECK(outcome.result == Class::Taken);
}

// The socket is full again and again, in the middle of frames and with descriptors under way.
TEST_CASE("chain: large messages to a server that takes a few at a time keep their descriptors") {
  Bench bench;
  chain::ResidentServer::Limits limits;
  limits.calls_at_once = 5;
  std::vector<PendingCall> waiting;
  const auto name = bench.serve("s", [&](PendingCall call) { waiting.push_back(std::move(call)); }, limits);
  net::Timer answers(bench.loop, [&] {
    for (auto& call : waiting) {
      const auto octets = call.invocation.call.message.view();
      auto answer = Answer::pass();  // and the same way back
      answer.message = base::Blob::of_octets(std::string(octets->octets()) + "!");
      call.answer(std::move(answer));
    }
    waiting.clear();
  });
  answers.start(1, 1);
  const auto end = bench.serve("end", [](PendingCall call) {
    const auto octets = call.invocation.call.message.view();
    call.answer(Answer::taken(std::string(octets->octets().substr(0, octets->octets().find(' '))) + octets->octets().back()));
  });
  constexpr std::size_t kCount = 300;
  for (std::size_t i = 0; i < kCount; ++i) {
    Call call = some_call(std::to_string(i) + " " + std::string(i % 3 == 0 ? 60'000 : 70'000, 'x'));
    call.context = std::string(5000, ' ');
    bench.call({name, "--", end}, std::move(call));
  }
  bench.loop.run();
  for (std::size_t i = 0; i < kCount; ++i) REQUIRE(bench.outcomes[i].reply == std::to_string(i) + "!");
}

TEST_CASE("chain: a server at its limit of connections lets others wait") {
  Bench bench;
  chain::ResidentServer::Limits limits;
  limits.connections = 1;
  const auto name = bench.serve("s", [](PendingCall call) { call.answer(Answer::taken("x")); }, limits);
  auto first = *net::connect_to(*net::Address::parse(name));
  bench.run_for(5);
  bench.call({name});
  bench.run_for(20);
  CHECK(bench.open == 1);
  first.reset();
  bench.loop.run();
  CHECK(bench.outcomes[0].reply == "x");
}

TEST_CASE("chain: a cancelled call is not told, the others are") {
  Bench bench;
  std::vector<PendingCall> waiting;
  const auto name = bench.serve("s", [&](PendingCall call) { waiting.push_back(std::move(call)); });
  const auto cancelled = bench.caller->call({name}, some_call(), [](Outcome) { FAIL("told"); });
  bench.call({name});
  bench.run_for(20);
  bench.caller->cancel(cancelled);
  REQUIRE(waiting.size() == 2);
  waiting[0].answer(Answer::taken("x"));
  waiting[1].answer(Answer::taken("y"));
  bench.loop.run();
  CHECK(bench.outcomes[0].reply == "y");

  WorkFolder folder;
  const std::string mark = folder.path + "/mark";
  const auto killed = bench.caller->call(sh("sleep 1; touch " + mark), some_call(), [](Outcome) { FAIL("told"); });
  bench.caller->cancel(killed, true);
  bench.run_for(1500);
  CHECK_FALSE(std::filesystem::exists(mark));

  const auto failed = bench.caller->call({"/nowhere"}, some_call(), [](Outcome) { FAIL("told"); });  // ended, not yet told
  bench.caller->cancel(failed);
  bench.run_for(5);
}

TEST_CASE("chain: a caller may be destroyed where it tells the end of a call") {
  Bench bench;
  bench.caller->call({"/nowhere"}, some_call(), [&](Outcome) {
    bench.caller.reset();
    bench.loop.stop();
  });
  bench.caller->call({"/nowhere"}, some_call(), [](Outcome) { FAIL("told"); });
  bench.loop.run();
  CHECK_FALSE(bench.caller.has_value());
}
