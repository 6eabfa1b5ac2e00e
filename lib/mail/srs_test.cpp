#include "lib/mail/srs.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "lib/base/settings.h"

namespace {

using mail::Srs;
using std::chrono::days;

// 2026-09-21T14:13:20Z
const base::WallTime kNow = std::chrono::system_clock::from_time_t(1'790'000'000);

Srs srs(std::string domain, std::string secret, std::size_t length = 4) { return Srs({std::move(domain), {std::move(secret)}, length, 21}); }

const Srs kFirst = srs("forward.example", "tES2");
const Srs kSecond = srs("second.example", "other secret");
const Srs kThird = srs("third.example", "third", 8);

}  // namespace

TEST_CASE("srs: the addresses of Mail::SRS 0.31, there and back") {
  const std::string first = kFirst.forward("Alice.User@example.com", kNow);
  CHECK(first == "SRS0=6+iH=HN=example.com=Alice.User@forward.example");
  const std::string second = kSecond.forward(first, kNow);
  CHECK(second == "SRS1=OqTm=forward.example==6+iH=HN=example.com=Alice.User@second.example");
  const std::string third = kThird.forward(second, kNow);
  CHECK(third == "SRS1=HQECoW/G=forward.example==6+iH=HN=example.com=Alice.User@third.example");
  // From the third the bounce goes to the first, which alone knows whether it is true.
  CHECK(kThird.reverse(third, kNow) == first);
  CHECK(kSecond.reverse(second, kNow) == first);
  CHECK(kFirst.reverse(first, kNow) == "Alice.User@example.com");
  // What others have made of '=' behind SRS0 is kept for them.
  CHECK(kFirst.forward("SRS1+HHHH=h.example==HASH=TT=o.example=user@x.example", kNow) == "SRS1=thsp=h.example==HASH=TT=o.example=user@forward.example");
  CHECK(kFirst.forward("SRS0+HASH=TT=o.example=user@x.example", kNow).contains("=x.example=+HASH=TT=o.example=user@forward.example"));
  CHECK(kFirst.reverse(kFirst.forward("SRS0+HASH=TT=o.example=user@x.example", kNow), kNow) == "SRS0+HASH=TT=o.example=user@x.example");
}

TEST_CASE("srs: what needs no other address, or can have none, keeps its own") {
  for (const std::string sender : {"", "me@forward.example", "me@FORWARD.example", "postmaster", "@x.example", "\"\"@x.example", "me@x y"}) CHECK(kFirst.forward(sender, kNow) == sender);
  const std::string longest = std::string(215, 'a') + "@x.example";
  CHECK(kFirst.forward(longest, kNow).size() == 254);
  CHECK(kFirst.reverse(kFirst.forward(longest, kNow), kNow) == longest);
  const std::string too_long = std::string(216, 'a') + "@x.example";
  CHECK(kFirst.forward(too_long, kNow) == too_long);
  // Looks like one, and is none.
  CHECK(kFirst.forward("SRS0foo@x.example", kNow).starts_with("SRS0="));
  CHECK(kFirst.forward("SRS1=short@x.example", kNow).starts_with("SRS0="));
}

TEST_CASE("srs: any local part comes back as it was") {
  for (const std::string sender : {"a=b+c@x.example", "\"two words\"@x.example", "\"a@b\"@x.example", "=@x.example", "gr\xc3\xbc\xc3\x9f" "e@x.example", "u@[192.0.2.1]"})
    CHECK(kFirst.reverse(kFirst.forward(sender, kNow), kNow) == sender);
}

TEST_CASE("srs: forged, cut and stale addresses are refused") {
  using enum Srs::Fault;
  const auto fault = [](const std::string& address, base::WallTime now = kNow) { return kFirst.reverse(address, now).error(); };
  const std::string good = kFirst.forward("me@example.com", kNow);
  REQUIRE(kFirst.reverse(good, kNow));
  const auto with = [&](std::string_view old, std::string_view other) {
    std::string changed = good;
    return changed.replace(changed.find(old), old.size(), other);
  };
  CHECK(fault(with("=me@", "=you@")) == Forged);
  CHECK(fault(with("example.com", "example.net")) == Forged);
  CHECK(fault(with("=HN=", "=HM=")) == Forged);
  CHECK(fault("SRS0=AAAA=HN=example.com=me@forward.example") == Forged);
  CHECK(fault("SRS0=" + good.substr(5, 3) + good.substr(9)) == Forged);  // a shorter signature
  CHECK(kSecond.reverse(good, kNow).error() == Forged);                  // of another host
  for (const std::string_view bad : {"SRS0", "SRS0=", "SRS0=a", "SRS0=a=b", "SRS0=a=b=c", "SRS0=a=b=c=", "SRS0==b=c=d", "SRS1=a=b", "SRS1=a=b=", "SRS1==b=c"})
    CHECK(fault(std::string(bad) + "@forward.example") == Malformed);
  // Until the last day, whatever the hour; a day is known modulo 1024.
  CHECK(kFirst.reverse(good, kNow + days(21)));
  CHECK(fault(good, kNow + days(22)) == TooOld);
  CHECK(fault(good, kNow + days(1023)) == TooOld);
  CHECK(fault(good, kNow - days(1)) == TooOld);  // of tomorrow
}

TEST_CASE("srs: hosts on the way may fold the case, and an older secret is still known") {
  const std::string good = kFirst.forward("me@example.com", kNow);
  std::string folded;
  for (const char c : good) folded += static_cast<char>(std::tolower(c));
  CHECK(kFirst.is_ours(folded));
  CHECK(kFirst.reverse(folded, kNow) == "me@example.com");
  const Srs newer({"forward.example", {"newer", "tES2"}, 4, 21});
  CHECK(newer.forward("me@example.com", kNow) != good);
  CHECK(newer.reverse(good, kNow) == "me@example.com");
  CHECK(Srs({"forward.example", {"newer"}, 4, 21}).reverse(good, kNow).error() == Srs::Fault::Forged);
  // A longer one than we make is no weaker.
  const Srs longer({"forward.example", {"tES2"}, 27, 21});
  CHECK(kFirst.reverse(longer.forward("me@example.com", kNow), kNow) == "me@example.com");
  CHECK(longer.reverse(good, kNow).error() == Srs::Fault::Forged);
}

TEST_CASE("srs: which addresses are ours to read") {
  for (const std::string_view ours : {"SRS0=a@forward.example", "srs1-x@Forward.Example", "SRS0+a=b@forward.example"}) CHECK(kFirst.is_ours(ours));
  for (const std::string_view not_ours : {"SRS0=a@second.example", "SRS0@forward.example", "SRS2=a@forward.example", "SRS0a=b@forward.example", "me@forward.example", "SRS0=a", ""})
    CHECK_FALSE(kFirst.is_ours(not_ours));
}

TEST_CASE("srs: settings") {
  const auto with = [](std::vector<std::pair<const char*, std::string>> values) {
    base::Settings settings;
    for (const auto& [name, value] : values) REQUIRE(settings.set(*base::find_setting(name), value));
    return Srs::from(settings);
  };
  const std::string path = "srs-secret-" + std::to_string(::getpid());
  const auto secrets = [&](std::string_view text, mode_t mode = 0600) {
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return with({{"delivery.srs_domain", "forward.example"}, {"delivery.srs_secret_file", path}});
  };
  CHECK_FALSE(with({}).value());
  const auto good = secrets("# of 2026\nsixteen-octets-16\n\nanother-of-sixteen\n");
  REQUIRE(good);
  CHECK((*good)->domain() == "forward.example");
  CHECK_FALSE(secrets("fifteen-octets-"));
  CHECK(secrets("sixteen-octets-1"));
  CHECK_FALSE(secrets("# nothing\n"));
  CHECK(secrets("sixteen-octets-1").has_value());
  CHECK(secrets("sixteen-octets-1", 0644).error().cause.contains("everybody can read it"));
  ::chmod(path.c_str(), 0600);
  CHECK_FALSE(with({{"delivery.srs_domain", "forward.example"}}));
  CHECK_FALSE(with({{"delivery.srs_domain", "forward.example"}, {"delivery.srs_secret_file", path + "-not-there"}}));
  CHECK_FALSE(with({{"delivery.srs_domain", "-"}, {"delivery.srs_secret_file", path}}));
  for (const auto& [length, is_good] : {std::pair("3", false), {"4", true}, {"27", true}, {"28", false}})
    CHECK(with({{"delivery.srs_domain", "f.example"}, {"delivery.srs_secret_file", path}, {"delivery.srs_hash_length", length}}).has_value() == is_good);
  for (const auto& [age, is_good] : {std::pair("23h", false), {"1d", true}, {"1000d", true}, {"1001d", false}})
    CHECK(with({{"delivery.srs_domain", "f.example"}, {"delivery.srs_secret_file", path}, {"delivery.srs_max_age", age}}).has_value() == is_good);
  (void)std::remove(path.c_str());
}
