#include "lib/chain/policy_client.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "lib/net/socket.h"
#include "lib/net/stream.h"

using chain::PolicyClient;
using Answers = std::vector<std::string>;

namespace {

const std::string kQuestion = "request=smtpd_access_policy\n\n";

// A policy that says what it is told to, a text for each octet stream that comes; "" closes the connection.
class Peer final : net::StreamUser {
 public:
  Peer(net::Loop& loop, base::UniqueFd socket, Answers& answers, int& questions) : stream_(loop, *this), answers_(answers), questions_(questions) {
    REQUIRE(stream_.adopt(std::move(socket)));
    stream_.start_reading();
  }

 private:
  void on_octets(std::string_view) override {
    ++questions_;
    if (answers_.empty()) return;  // is silent
    const auto answer = answers_.front();
    answers_.erase(answers_.begin());
    if (answer.empty()) return stream_.shut_down();
    stream_.write(answer);
    if (answer.ends_with("bye")) stream_.shut_down();
  }
  void on_end(const base::Error*) override {}
  net::Stream stream_;
  Answers& answers_;
  int& questions_;
};

struct Bench {
  explicit Bench(const PolicyClient::Limits& limits = {}) : client(loop, limits) {
    char pattern[] = "/tmp/policy.XXXXXX";
    folder = ::mkdtemp(pattern);
    auto listening = net::listen_on(*net::Address::parse("unix:" + folder + "/socket"));
    REQUIRE(listening);
    listener.emplace(loop, std::move(*listening), [this](base::UniqueFd fd) {
      ++connections;
      peers.push_back(std::make_unique<Peer>(loop, std::move(fd), answers, questions));
    });
  }
  ~Bench() { (void)std::system(("rm -rf " + folder).c_str()); }

  // What the policy answers, or "!" and why there is no answer.
  std::string ask(const chain::Words& words) {
    std::string said;
    client.ask(words, kQuestion, [&](base::Result<chain::PolicyAttributes> answer) {
      said = answer ? answer->empty() ? "" : answer->front().value : "!" + answer.error().cause;
      loop.stop();
    });
    loop.run();
    return said;
  }
  std::string ask() { return ask({"unix:" + folder + "/socket"}); }
  chain::Words script(const std::string& name, const std::string& text) {
    const std::string path = folder + "/" + name;
    std::ofstream(path) << "#!/bin/sh\n" << text;
    ::chmod(path.c_str(), 0755);
    return {path};
  }

  net::Loop loop;
  Answers answers;
  int connections = 0, questions = 0;
  std::string folder;
  std::optional<net::Listener> listener;
  std::vector<std::unique_ptr<Peer>> peers;
  PolicyClient client;
};

}  // namespace

TEST_CASE("policy client: a connection is used again") {
  Bench bench;
  bench.answers = {"action=DUNNO\n\n", "action=REJECT\nclose=yes\n\n"};
  CHECK(bench.ask() == "DUNNO");
  CHECK(bench.ask() == "REJECT");
  CHECK(bench.connections == 1);
  CHECK(bench.questions == 2);
}

TEST_CASE("policy client: one that was closed meanwhile is no failure, but a second time it is") {
  Bench bench;
  bench.answers = {"action=DUNNO\n\n", "", "action=OK\n\n"};
  CHECK(bench.ask() == "DUNNO");
  CHECK(bench.ask() == "OK");
  CHECK(bench.connections == 2);
  bench.answers = {"", ""};
  CHECK(bench.ask() == "!the connection was closed without an answer");
  bench.answers = {""};
  CHECK(bench.ask() == "!the connection was closed without an answer");
}

TEST_CASE("policy client: nonsense is an error, and not asked over again") {
  Bench bench;
  bench.answers = {"nonsense\n\n", "action=OK\n\n"};
  CHECK(bench.ask().starts_with("!'nonsense'"));
  CHECK(bench.ask() == "OK");
  CHECK(bench.connections == 2);
  bench.answers = {"action=OK\n\naction=OK\n\n", "action=DUNNO\n\n", "action=DUNNO\nbye"};
  CHECK(bench.ask() == "!more than one answer to a question");
  CHECK(bench.ask() == "DUNNO");
  CHECK(bench.ask() == "!the connection was closed without an answer");
  bench.answers = {std::string(100'000, 'x')};
  CHECK(bench.ask() == "!an answer of more than 64 KB");
}

TEST_CASE("policy client: one that is silent has its time") {
  Bench bench({.timeout_milliseconds = 60});
  CHECK(bench.ask() == "!no answer in time");
  CHECK(bench.questions == 1);
}

TEST_CASE("policy client: nobody there") {
  Bench bench;
  CHECK(bench.ask({"unix:" + bench.folder + "/none"}).starts_with("!"));
  CHECK(bench.ask({"/nonexistent/program"}).starts_with("!"));
}

TEST_CASE("policy client: what is more than the limit waits in line") {
  Bench bench({.connections = 2});
  bench.answers = Answers(7, "action=OK\n\n");
  int answered = 0;
  for (int i = 0; i < 7; ++i)
    bench.client.ask({"unix:" + bench.folder + "/socket"}, kQuestion, [&](const base::Result<chain::PolicyAttributes>& answer) {
      CHECK(answer);
      if (++answered == 7) bench.loop.stop();
    });
  bench.loop.run();
  CHECK(bench.connections == 2);
}

TEST_CASE("policy client: nobody gets the answer to a question that was given up, and no more are asked at once for it") {
  Bench bench({.timeout_milliseconds = 5000, .connections = 1});
  for (const auto* given_up : {"first", "second"}) {
    const auto handle = bench.client.ask({"unix:" + bench.folder + "/socket"}, kQuestion, [](const auto&) { FAIL("was given up"); });
    bench.client.cancel(handle);
    bench.answers = {std::string("action=") + given_up + "\n\n", "action=OK\n\n"};
    CHECK(bench.ask() == "OK");
  }
  CHECK(bench.connections == 1);
}

TEST_CASE("policy client: a question that was given up ends with its time, and frees its connection") {
  Bench bench({.timeout_milliseconds = 100, .connections = 1});
  bench.client.cancel(bench.client.ask({"unix:" + bench.folder + "/socket"}, kQuestion, [](const auto&) { FAIL("was given up"); }));
  CHECK(bench.ask().starts_with("!"));
  bench.answers = {"action=OK\n\n"};
  CHECK(bench.ask() == "OK");
}

TEST_CASE("policy client: a program is asked, kept, and started again when it has ended") {
  Bench bench;
  const auto words = bench.script("lasting", "while read -r line; do [ -n \"$line\" ] || printf 'action=%s\\n\\n' $$; done");
  const auto first = bench.ask(words);
  CHECK_FALSE(first.empty());
  CHECK(bench.ask(words) == first);
  const auto once = bench.script("once", "while read -r line; do [ -n \"$line\" ] || { printf 'action=once\\n\\n'; exit; }; done");
  CHECK(bench.ask(once) == "once");
  CHECK(bench.ask(once) == "once");
}

TEST_CASE("policy client: names are checked beforehand") {
  CHECK(chain::check_policy({"unix:/run/policy"}));
  CHECK(chain::check_policy({"inet:127.0.0.1:10023"}));
  CHECK(chain::check_policy({"vsl-filter", "--policy", "main.vsl"}));
  CHECK_FALSE(chain::check_policy({}));
  CHECK_FALSE(chain::check_policy({"inet:localhost"}));
  CHECK_FALSE(chain::check_policy({"unix:/run/policy", "x"}));
}
