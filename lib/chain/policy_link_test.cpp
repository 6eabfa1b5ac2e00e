#include "lib/chain/policy_link.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <list>

#include "lib/chain/policy_client.h"
#include "lib/chain/resident.h"
#include "lib/net/socket.h"
#include "lib/net/stream.h"

using chain::Answer;
using chain::PolicyClient;

namespace {

constexpr int kMany = 100;

Answer action(std::string_view text) {
  Answer answer;
  answer.report = "action=" + std::string(text) + "\n";
  return answer;
}

// A resident program whose answers the test gives, and a client that asks it.
struct Bench {
  explicit Bench(const PolicyClient::Limits& limits = {}) : client(loop, limits), guard(loop, [this] {
    loop.stop();
    CHECK_MESSAGE(false, "nothing happens");
  }) {
    char pattern[] = "/tmp/policy.XXXXXX";
    folder = ::mkdtemp(pattern);
    serve();
    guard.start(10'000);
  }
  ~Bench() { (void)std::system(("rm -rf " + folder).c_str()); }

  // Two connections at most: one for the first question, one for all others.
  void serve(std::size_t connections = 2) {
    server.emplace(loop, chain::ResidentServer::Limits{.connections = connections, .takes_questions = true}, [this](chain::PendingCall call) { on_call(std::move(call)); });
    REQUIRE(server->listen(folder + "/socket"));
  }
  std::uint64_t ask(const std::string& name) {
    return client.ask({"unix:" + folder + "/socket"}, "request=smtpd_access_policy\nname=" + name + "\n\n", [this, name](base::Result<chain::PolicyAttributes> answer) {
      said.push_back(name + "=" + (answer ? std::string(answer->front().value) : "!" + answer.error().cause));
      if (said.size() == wanted) loop.stop();
    });
  }
  void run_until(std::size_t count) {
    wanted = count;
    if (said.size() < count) loop.run();
  }
  // The client knows now that frames are taken.
  void make_known() {
    on_call = [](chain::PendingCall call) { call.answer(action("OK")); };
    ask("first");
    run_until(1);
    said.clear();
    on_call = [this](chain::PendingCall call) { calls.push_back(std::move(call)); };
  }

  net::Loop loop;
  std::string folder;
  std::function<void(chain::PendingCall)> on_call;
  std::list<chain::PendingCall> calls;
  std::optional<chain::ResidentServer> server;
  std::vector<std::string> said;
  std::size_t wanted = 0;
  PolicyClient client;
  net::Timer guard;
};

std::string name_in(const chain::PendingCall& call) {
  const auto& text = call.invocation.call.envelope;
  const auto at = text.find("name=") + 5;
  return text.substr(at, text.find('\n', at) - at);
}

}  // namespace

TEST_CASE("policy link: a hundred questions wait at once on two connections, and each gets its own answer, in whatever order") {
  Bench bench;
  bench.make_known();
  bench.on_call = [&](chain::PendingCall call) {
    CHECK(call.invocation.call.kind == chain::Kind::Policy);
    bench.calls.push_front(std::move(call));
    if (bench.calls.size() < kMany) return;
    for (auto& one : bench.calls) one.answer(action(name_in(one)));
  };
  for (int i = 0; i < kMany; ++i) bench.ask(std::to_string(i));
  bench.run_until(kMany);
  for (const auto& said : bench.said) CHECK(said.substr(0, said.find('=')) == said.substr(said.find('=') + 1));
}

TEST_CASE("policy link: no more questions at once than the limit") {
  Bench bench({.connections = 3});
  bench.make_known();
  std::size_t most = 0;
  net::Timer soon(bench.loop, [&] {
    most = std::max(most, bench.calls.size());
    if (!bench.calls.empty()) bench.calls.front().answer(action("OK")), bench.calls.pop_front();
  });
  soon.start(1, 1);
  for (int i = 0; i < 20; ++i) bench.ask(std::to_string(i));
  bench.run_until(20);
  soon.stop();
  CHECK(most <= 4);  // one more by text, since it is the first to need a connection
}

TEST_CASE("policy link: a question that cannot be answered is alone with that; one that was given up hears nothing") {
  Bench bench;
  bench.make_known();
  bench.on_call = [&](chain::PendingCall call) {
    const auto name = name_in(call);
    call.answer(name == "bad" ? Answer::exit(71) : name == "nonsense" ? action("OK\n\naction=OK") : action("OK"));
  };
  bench.ask("text");  // has the connection that is there
  bench.ask("good");
  bench.ask("bad");
  const auto given_up = bench.ask("given up");
  bench.ask("nonsense");
  bench.ask("last");
  bench.client.cancel(given_up);
  bench.run_until(5);
  std::ranges::sort(bench.said);
  CHECK(bench.said == std::vector<std::string>{"bad=!the policy has no answer", "good=OK", "last=OK", "nonsense=!''; expected: name=value", "text=OK"});
}

TEST_CASE("policy link: when the program is killed its questions are asked once more, of the next one, and not a third time") {
  Bench bench;
  bench.make_known();
  for (const auto* name : {"a", "b", "c"}) bench.ask(name);
  net::Timer kill(bench.loop, [&] {
    if (bench.calls.size() < 3) return;
    bench.server.reset();
    bench.calls.clear();
    bench.on_call = [](chain::PendingCall call) { call.answer(action("REJECT")); };
    bench.serve(10);  // all of them by text, since it is not known yet what this one takes
  });
  kill.start(1, 1);
  bench.run_until(3);
  kill.stop();
  std::ranges::sort(bench.said);
  CHECK(bench.said == std::vector<std::string>{"a=REJECT", "b=REJECT", "c=REJECT"});

  bench.said.clear();
  bench.make_known();
  for (const auto* name : {"a", "b", "c"}) bench.ask(name);
  net::Timer kill_all(bench.loop, [&] {
    if (bench.calls.size() < 3) return;
    bench.server.reset();
    bench.calls.clear();
    ::unlink((bench.folder + "/socket").c_str());
  });
  kill_all.start(1, 1);
  bench.run_until(3);
  kill_all.stop();
  for (const auto& said : bench.said) CHECK(said.find("=!") != std::string::npos);
}

TEST_CASE("policy link: a program that is silent has its time, and is asked by a new connection then") {
  Bench bench({.timeout_milliseconds = 100});
  bench.make_known();
  bench.ask("text");
  bench.ask("link");
  bench.run_until(2);
  for (const auto& said : bench.said) CHECK(said.ends_with("=!no answer in time"));
  bench.calls.clear();
  bench.said.clear();
  bench.on_call = [](chain::PendingCall call) { call.answer(action("OK")); };
  bench.ask("next");
  bench.run_until(1);
  CHECK(bench.said.front() == "next=OK");
}

namespace {

// Says that it takes frames, and does not.
class Liar final : net::StreamUser {
 public:
  Liar(net::Loop& loop, base::UniqueFd socket, int& offers) : stream_(loop, *this), offers_(offers) {
    REQUIRE(stream_.adopt(std::move(socket)));
    stream_.start_reading();
  }

 private:
  void on_octets(std::string_view octets) override {
    if (octets.starts_with("request=")) {
      if (octets.ends_with("frames=yes\n\n")) ++offers_;
      return stream_.write("action=OK\nframes=yes\n\n");
    }
    stream_.write("action=OK\n\n");  // no frame
  }
  void on_end(const base::Error*) override {}
  net::Stream stream_;
  int& offers_;
};

}  // namespace

TEST_CASE("policy link: a program that says it takes frames and does not is asked by text, from then on") {
  Bench bench;
  bench.server.reset();
  auto listening = net::listen_on(*net::Address::parse("unix:" + bench.folder + "/socket"));
  REQUIRE(listening);
  int offers = 0;
  std::vector<std::unique_ptr<Liar>> liars;
  net::Listener listener(bench.loop, std::move(*listening), [&](base::UniqueFd fd) { liars.push_back(std::make_unique<Liar>(bench.loop, std::move(fd), offers)); });
  bench.ask("first");
  bench.run_until(1);
  for (int i = 0; i < 5; ++i) bench.ask("one of many");
  bench.run_until(6);
  const int offered = offers;
  CHECK(offered > 0);
  for (int i = 0; i < 5; ++i) bench.ask("later");
  bench.run_until(11);
  CHECK(offers == offered);
  for (const auto& said : bench.said) CHECK_MESSAGE(said.ends_with("=OK"), said);
}
