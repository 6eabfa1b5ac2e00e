#include "lib/net/stream.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <functional>
#include <optional>
#include <string>

#include "lib/net/socket.h"

using net::Address;
using net::Loop;
using net::Stream;

namespace {

struct Recorder : net::StreamUser {
  std::string octets;
  std::string events;  // c connected, d drained, e end, x error
  std::function<void()> then = [] {};
  void on_octets(std::string_view more) override {
    octets += more;
    then();
  }
  void on_end(const base::Error* error) override {
    events += error != nullptr ? 'x' : 'e';
    then();
  }
  void on_connected() override {
    events += 'c';
    then();
  }
  void on_drained() override {
    events += 'd';
    then();
  }
};

struct Connected {
  Recorder left, right;
  std::optional<Stream> a, b;
  explicit Connected(Loop& loop) {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    a.emplace(loop, left);
    b.emplace(loop, right);
    REQUIRE(a->adopt(base::UniqueFd(fds[0])));
    REQUIRE(b->adopt(base::UniqueFd(fds[1])));
  }
};

}  // namespace

TEST_CASE("net: what one side writes the other reads, and the end too") {
  Loop loop;
  Connected pair(loop);
  pair.a->write("hello ");
  pair.a->write("world");
  CHECK(pair.a->unsent_octets() == 0);
  pair.a->shut_down();
  pair.b->start_reading();
  loop.run();
  CHECK(pair.right.octets == "hello world");
  CHECK(pair.right.events == "e");
}

TEST_CASE("net: what the socket does not take is kept, in order, and the end comes after it") {
  Loop loop;
  Connected pair(loop);
  std::string sent;
  for (int i = 0; i < 300'000; ++i) sent += std::to_string(i) + ",";
  pair.a->write(sent);
  CHECK(pair.a->unsent_octets() > 0);
  pair.a->write("last");
  pair.a->shut_down();
  pair.b->start_reading();
  loop.run();
  CHECK(pair.right.octets == sent + "last");
  CHECK(pair.left.events == "d");
  CHECK(pair.right.events == "e");
  CHECK(pair.a->unsent_octets() == 0);
}

TEST_CASE("net: a stream that has stopped reading gets nothing until it starts again") {
  Loop loop;
  Connected pair(loop);
  pair.b->start_reading();
  pair.b->stop_reading();
  pair.a->write("x");
  loop.run();  // nothing to wait for is left
  CHECK(pair.right.octets.empty());
  pair.b->start_reading();
  pair.right.then = [&] { loop.stop(); };
  loop.run();
  CHECK(pair.right.octets == "x");
}

TEST_CASE("net: a write to a peer that has gone ends in on_end with the error, once, from the loop") {
  Loop loop;
  Connected pair(loop);
  pair.b.reset();
  pair.a->write("x");
  CHECK(pair.left.events.empty());
  loop.run();
  CHECK(pair.left.events == "x");
  pair.a->write("y");
  loop.run();
  CHECK(pair.left.events == "x");
}

TEST_CASE("net: what a peer said before it went is read before the failed write is told") {
  Loop loop;
  Connected pair(loop);
  pair.a->start_reading();
  pair.b->write("552 too large\r\n");
  pair.b.reset();
  CHECK(pair.a->takes_more());
  pair.a->write("more of the message");
  CHECK_FALSE(pair.a->takes_more());
  pair.left.then = [&] {
    if (pair.left.events.empty()) CHECK(pair.left.octets == "552 too large\r\n");
  };
  loop.run();
  CHECK(pair.left.octets == "552 too large\r\n");
  CHECK(pair.left.events == "x");
}

TEST_CASE("net: a stream may be destroyed in each of its callbacks") {
  SUBCASE("octets") {
    Loop loop;
    Connected pair(loop);
    pair.right.then = [&] { pair.b.reset(); };
    pair.a->write("x");
    pair.b->start_reading();
    loop.run();
    CHECK(pair.right.octets == "x");
  }
  SUBCASE("end") {
    Loop loop;
    Connected pair(loop);
    pair.right.then = [&] { pair.b.reset(); };
    pair.a.reset();
    pair.b->start_reading();
    loop.run();
    CHECK(pair.right.events == "e");
  }
  SUBCASE("drained") {
    Loop loop;
    Connected pair(loop);
    pair.left.then = [&] { pair.a.reset(); };
    pair.a->write(std::string(4 << 20, 'x'));
    pair.b->start_reading();
    loop.run();
    CHECK(pair.right.octets.size() == 4 << 20);
  }
}

TEST_CASE("net: connecting ends in on_connected or in an error") {
  Loop loop;
  auto listening = net::listen_on(*Address::parse("127.0.0.1:0"));
  REQUIRE(listening);
  const auto address = Address::of_local(listening->get());
  std::optional<Stream> server;
  Recorder at_server;
  std::optional<net::Listener> listener;
  listener.emplace(loop, std::move(*listening), [&](base::UniqueFd connected) {
    server.emplace(loop, at_server);
    REQUIRE(server->adopt(std::move(connected)));
    server->start_reading();
    listener.reset();  // from inside its own callback
  });
  Recorder at_client;
  Stream client(loop, at_client);
  const auto source = *Address::parse("127.0.0.2:0");
  REQUIRE(client.connect(address, &source));
  client.write("early");  // goes out when the connection is there
  client.shut_down();
  loop.run();
  CHECK(at_client.events.front() == 'c');
  CHECK(at_server.octets == "early");
  CHECK(Address::of_peer(server->descriptor()).ip() == "127.0.0.2");

  Recorder refused;
  Stream nobody(loop, refused);
  const auto connecting = nobody.connect(address);  // a loopback refusal may come at once
  loop.run();
  CHECK((!connecting || refused.events == "x"));
}

TEST_CASE("net: a paused listener leaves connections waiting") {
  Loop loop;
  auto listening = net::listen_on(*Address::parse("127.0.0.1:0"));
  const auto address = Address::of_local(listening->get());
  int accepted = 0;
  net::Listener listener(loop, std::move(*listening), [&](base::UniqueFd) {
    if (++accepted == 3) loop.stop();
  });
  listener.pause();
  std::vector<base::UniqueFd> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(std::move(*net::connect_to(address)));
  loop.run();
  CHECK(accepted == 0);
  listener.resume();
  loop.run();
  CHECK(accepted == 3);
}

TEST_CASE("net: a listener without free descriptors waits and goes on") {
  Loop loop;
  auto listening = net::listen_on(*Address::parse("127.0.0.1:0"));
  const auto address = Address::of_local(listening->get());
  const auto client = net::connect_to(address);
  bool accepted = false;
  net::Listener listener(loop, std::move(*listening), [&](base::UniqueFd) {
    accepted = true;
    loop.stop();
  });
  rlimit before;
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none = {static_cast<rlim_t>(client->get()), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  net::Timer more(loop, [&] { ::setrlimit(RLIMIT_NOFILE, &before); });
  more.start(30);
  loop.run();
  CHECK(accepted);
}

TEST_CASE("net: a file is no stream") {
  Loop loop;
  Recorder user;
  Stream stream(loop, user);
  CHECK_FALSE(stream.adopt(base::UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC))));
  stream.write("x");
  stream.start_reading();
}

TEST_CASE("net: an idle stream takes less than a kilobyte") {
  Loop loop;
  Recorder user;
  constexpr int kStreams = 500;
  std::vector<base::UniqueFd> peers;
  std::vector<std::unique_ptr<Stream>> streams;
  peers.reserve(kStreams);
  streams.reserve(kStreams);
  const auto before = ::mallinfo2().uordblks;
  for (int i = 0; i < kStreams; ++i) {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    peers.emplace_back(fds[0]);
    streams.push_back(std::make_unique<Stream>(loop, user));
    REQUIRE(streams.back()->adopt(base::UniqueFd(fds[1])));
    streams.back()->start_reading();
    streams.back()->write("x");
  }
  CHECK((::mallinfo2().uordblks - before) / kStreams < 1024);
  MESSAGE("octets for an idle stream: ", (::mallinfo2().uordblks - before) / kStreams);
}
