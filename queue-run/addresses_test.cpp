#include "queue-run/addresses.h"

#include <doctest/doctest.h>

#include <array>

namespace {

const base::WallTime kNow = std::chrono::system_clock::from_time_t(1'790'000'000);
const std::vector<std::string> kOwn = {"here.example", "relayed.example"};

run::Addresses addresses() { return run::Addresses({mail::Srs({"srs.here.example", {"a secret of the test"}, 4, 21}), mail::DomainList(kOwn)}); }

std::string sender_for(const run::Addresses& addresses, std::string_view sender, std::string_view first, std::string_view second = {}) {
  const std::array recipients{first, second.empty() ? first : second};
  return addresses.sender_for(sender, recipients, kNow);
}

}  // namespace

TEST_CASE("addresses: what others have sent goes on to others with a way back, all else as it came") {
  const auto all = addresses();
  const auto forwarded = sender_for(all, "me@far.example", "you@other.example");
  CHECK(forwarded.starts_with("SRS0="));
  CHECK(forwarded.ends_with("=far.example=me@srs.here.example"));
  CHECK(all.return_of(forwarded, kNow)->address == "me@far.example");
  CHECK(sender_for(all, "me@far.example", "you@relayed.example", "them@other.example") == forwarded);
  CHECK(sender_for(all, "me@far.example", "you@relayed.example") == "me@far.example");
  CHECK(sender_for(all, "me@here.example", "you@other.example") == "me@here.example");
  CHECK(sender_for(all, "me@RELAYED.example", "you@other.example") == "me@RELAYED.example");
  CHECK(sender_for(all, "", "you@other.example").empty());
  CHECK(sender_for(run::Addresses({}), "me@far.example", "you@other.example") == "me@far.example");
}

TEST_CASE("addresses: bounces go back, or nowhere") {
  const auto all = addresses();
  CHECK_FALSE(all.return_of("you@here.example", kNow));
  CHECK_FALSE(all.return_of("SRS0=AAAA=HN=far.example=me@elsewhere.example", kNow));
  CHECK(all.return_of("SRS0=AAAA=HN=far.example=me@srs.here.example", kNow)->refusal == "550 5.1.1 no way back to a sender: not made here");
  const auto old = sender_for(all, "me@far.example", "you@other.example");
  CHECK(all.return_of(old, kNow + std::chrono::days(22))->refusal == "550 5.1.1 no way back to a sender: too old");
}
