#include "mta-sts/finder.h"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <future>

#include "mta-sts/answers.h"

using namespace mta_sts;
using authn::sts::Mode;

namespace {

constexpr std::string_view kPolicy = "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 1000\n";

// A world of one domain: its record, what its server says, a clock.
struct World {
  World() {
    std::string pattern = std::filesystem::temp_directory_path() / "sts.XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  ~World() { std::filesystem::remove_all(folder); }

  Finder finder() {
    const auto look_up = [this](const std::string& name, net::dns::Type) {
      ++questions;
      net::dns::Answer answer;
      answer.status = name == "_mta-sts.example.org" ? dns : net::dns::Status::NoName;
      if (answer.status == net::dns::Status::Found) answer.records = {static_cast<char>(record.size()) + record};
      return answer;
    };
    const auto fetch = [this](const std::string&) {
      ++fetches;
      return served;
    };
    return {Store(folder), look_up, fetch, Times{500, 300}, [this] { return now; }};
  }

  std::string folder;
  net::dns::Status dns = net::dns::Status::Found;
  std::string record = "v=STSv1; id=1;";
  Fetched served{std::string(kPolicy), {}, {}};
  std::uint64_t now = 1'000'000;
  int questions = 0, fetches = 0;
};

}  // namespace

TEST_CASE("mta-sts: a policy is fetched once, kept on the disk, and counts until its time is over") {
  World world;
  {
    auto finder = world.finder();
    const auto found = finder.find("example.org");
    REQUIRE(found.kept);
    CHECK(found.kept->policy.mode == Mode::Enforce);
    CHECK(found.kept->id == "1");
    CHECK(attributes_of(found) == "action=enforce\nid=1\nmx=mx.example.org\n");
    CHECK_FALSE(finder.find("example.net").kept);
  }
  auto finder = world.finder();  // another life
  world.dns = net::dns::Status::Temporary;  // whoever keeps the record from us
  world.served = {{}, "sts-policy-fetch-error", "gone"};
  world.now += 999;
  CHECK(finder.find("example.org").kept);
  CHECK(world.fetches == 1);
  world.now += 1;
  CHECK_FALSE(finder.find("example.org").kept);
  CHECK(world.fetches == 1);  // without a record there is nothing to fetch
}

TEST_CASE("mta-sts: it is fetched anew when the id is another one, and when it is old") {
  World world;
  auto finder = world.finder();
  CHECK_FALSE(finder.refresh("example.org"));  // of what nobody has asked for
  REQUIRE(finder.find("example.org").kept);
  CHECK_FALSE(finder.refresh("example.org"));
  world.record = "v=STSv1; id=2;";
  world.served.text = "version: STSv1\nmode: testing\nmx: *.example.org\nmax_age: 2000\n";
  CHECK(finder.find("example.org").kept->id == "1");
  CHECK(finder.refresh("example.org"));
  CHECK(finder.find("example.org").kept->id == "2");
  CHECK(finder.find("example.org").kept->policy.mode == Mode::Testing);
  world.now += 499;
  CHECK_FALSE(finder.refresh("example.org"));
  world.now += 1;
  CHECK(finder.refresh("example.org"));
  CHECK(world.fetches == 3);
}

TEST_CASE("mta-sts: what cannot be had anew stays as it is, and is not asked for at every message") {
  World world;
  auto finder = world.finder();
  REQUIRE(finder.find("example.org").kept);
  world.record = "v=STSv1; id=2;";
  world.served = {"no policy", {}, {}};
  CHECK(finder.refresh("example.org"));
  CHECK(finder.find("example.org").kept->id == "1");
  CHECK_FALSE(finder.refresh("example.org"));
  world.now += 300;
  CHECK(finder.refresh("example.org"));
}

TEST_CASE("mta-sts: a policy that cannot be had is none, and says why") {
  World world;
  world.served = {{}, "sts-webpki-invalid", "not trusted"};
  auto finder = world.finder();
  for (int i = 0; i < 2; ++i) {
    const auto found = finder.find("example.org");
    CHECK_FALSE(found.kept);
    CHECK(attributes_of(found) == "action=none\nfailure=sts-webpki-invalid\nproblem=not trusted\n");
    CHECK(json_of("example.org", found) == "{\"domain\":\"example.org\",\"failure\":\"sts-webpki-invalid\",\"problem\":\"not trusted\"}\n");
  }
  CHECK(world.fetches == 1);
  world.now += 300;
  world.served = {"version: STSv1\n", {}, {}};
  CHECK(finder.find("example.org").failure == "sts-policy-invalid");
  CHECK(world.fetches == 2);
}

TEST_CASE("mta-sts: a server that hangs holds up its own domain only, and that not for long") {
  World world;
  std::promise<void> begun, go;
  const auto look_up = [](const std::string&, net::dns::Type) {
    net::dns::Answer answer;
    answer.status = net::dns::Status::Found;
    const std::string record = "v=STSv1; id=1;";
    answer.records = {static_cast<char>(record.size()) + record};
    return answer;
  };
  const auto fetch = [&, gone = go.get_future().share()](const std::string& domain) -> Fetched {
    if (domain == "hangs.example") {
      begun.set_value();
      gone.wait_for(std::chrono::seconds(20));
    }
    return {std::string(kPolicy), {}, {}};
  };
  Finder finder(Store(world.folder), look_up, fetch, Times{0, 300}, [] { return std::uint64_t{1'000'000}; },
                Limits{.questions = 2, .waiting = 1, .fetches = 1, .patience = std::chrono::milliseconds(300)});
  REQUIRE(finder.find("known.example").kept);
  auto first = std::async(std::launch::async, [&] { return finder.find("hangs.example"); });
  begun.get_future().wait();
  CHECK(finder.find("known.example").kept);
  CHECK(finder.find("new.example").failure == "sts-policy-fetch-error");  // no room for its fetch
  CHECK_FALSE(finder.refresh("hangs.example"));
  CHECK(finder.refresh("known.example"));  // renewals have room of their own
  auto second = std::async(std::launch::async, [&] { return finder.find("hangs.example"); });
  CHECK(second.get().failure == "sts-policy-fetch-error");  // had no more patience
  CHECK(first.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
  go.set_value();
  CHECK(first.get().kept);
  CHECK(finder.find("new.example").kept);  // the failure was none of its own
}

TEST_CASE("mta-sts: what is kept is read as it was written, and nothing else is") {
  const Kept kept{"a1", 17, std::string(kPolicy), *authn::sts::parse_policy(kPolicy)};
  const auto again = parse_kept(format(kept));
  REQUIRE(again);
  CHECK(again->id == "a1");
  CHECK(again->fetched_seconds == 17);
  CHECK(again->text == kPolicy);
  CHECK(again->is_fresh(1016));
  CHECK_FALSE(again->is_fresh(1017));
  for (const auto* bad : {"", "id: ", "id: a\n", "id: a\nfetched: x\n\n", "id: a\nfetched: 1\nversion: STSv1"}) CHECK_FALSE(parse_kept(bad));
  CHECK_FALSE(parse_kept("id: a\nfetched: 99999999999999\n\n" + std::string(kPolicy)));
}

TEST_CASE("mta-sts: the folder is made, and cleared of what has had its time") {
  World world;
  const auto folder = world.folder + "/deep/er";
  const Store store(folder);
  REQUIRE(store.open(0));
  REQUIRE(store.write("a.example", {"1", 100, std::string(kPolicy), {}}));
  REQUIRE(store.write("b.example", {"1", 500, std::string(kPolicy), {}}));
  REQUIRE(store.open(1200));
  CHECK_FALSE(store.read("a.example"));
  CHECK(store.read("b.example"));
}
