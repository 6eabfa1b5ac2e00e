#include "queue-run/due.h"

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <random>
#include <set>

using run::DueIndex;

namespace {

queue::Id id_of(int number) { return queue::Id::make(base::WallTime(std::chrono::seconds(1'000'000'000 + number))); }
// With that time in it: an Id that is made never goes back behind those of other tests.
queue::Id id_at(int seconds) {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::string text(queue::Id::kOctets, '0');
  std::uint64_t time = (1'000'000'000ULL + static_cast<std::uint64_t>(seconds)) * 1'000'000;
  for (std::size_t i = 11; i-- > 0; time >>= 5) text[i] = kDigits[time & 31];
  return *queue::Id::parse(text);
}
base::WallTime at(int milliseconds) { return base::WallTime(std::chrono::milliseconds(milliseconds)); }

}  // namespace

TEST_CASE("due: the earliest leaves first, and not before its time") {
  DueIndex index;
  const auto a = id_of(1), b = id_of(2), c = id_of(3);
  index.set(a, at(300));
  index.set(b, at(100));
  index.set(c, at(200));
  CHECK(index.earliest() == at(100));
  CHECK_FALSE(index.take_due(at(99)));
  CHECK(index.take_due(at(100)) == b);
  CHECK(index.summarize(at(250), {}).due == 1);
  index.set(a, at(150));  // touched
  CHECK(index.take_due(at(1000)) == a);
  CHECK(index.take_due(at(1000)) == c);
  CHECK_FALSE(index.take_due(at(1000)));
  CHECK_FALSE(index.earliest());
}

TEST_CASE("due: remove and contains") {
  DueIndex index;
  const auto a = id_of(1);
  CHECK_FALSE(index.remove(a));
  index.set(a, at(1));
  CHECK(index.contains(a));
  CHECK(index.remove(a));
  CHECK_FALSE(index.contains(a));
  CHECK(index.size() == 0);
}

TEST_CASE("due: what is not seen in a review has gone") {
  DueIndex index;
  std::vector<queue::Id> ids;
  for (int i = 0; i < 21; ++i) ids.push_back(id_of(i));
  for (std::size_t i = 0; i < 10; ++i) index.set(ids[i], at(1000));
  CHECK(index.end_review(true).empty());  // none has begun
  index.begin_review();
  CHECK(index.end_review(false).empty());  // a folder could not be read
  CHECK(index.size() == 10);
  index.begin_review();
  for (std::size_t i = 0; i < 10; i += 2) index.set(ids[i], at(1000));
  CHECK(index.remove(ids[1]));    // was seen to go
  index.set(ids[20], at(5));      // came meanwhile, in its slot
  for (std::size_t i = 10; i < 20; ++i) index.set(ids[i], at(7));
  const auto gone = index.end_review(true);
  CHECK(std::set(gone.begin(), gone.end()) == std::set{ids[3], ids[5], ids[7], ids[9]});
  CHECK(index.size() == 16);
  CHECK(index.contains(ids[20]));
  CHECK_FALSE(index.contains(ids[3]));
  CHECK(index.end_review(true).empty());
  CHECK(index.take_due(at(5)) == ids[20]);
}

TEST_CASE("due: everything can be made due at once") {
  DueIndex index;
  for (int i = 0; i < 100; ++i) index.set(id_of(i), at(1000 + i * 7 % 31));
  index.all_due_at(at(5));
  CHECK(index.summarize(at(5), {}).due == 100);
  for (int i = 0; i < 100; ++i) CHECK(index.take_due(at(5)));
}

TEST_CASE("due: a summary by age, at the edges of its columns") {
  DueIndex index;
  const auto now = base::WallTime(std::chrono::seconds(1'000'000'100));
  const std::array<std::chrono::seconds, 2> limits = {std::chrono::seconds(10), std::chrono::seconds(60)};
  CHECK_FALSE(index.summarize(now, limits).oldest);
  const auto at_60 = id_at(40), under_60 = id_at(41), at_10 = id_at(90), under_10 = id_at(91);
  for (const auto& id : {at_60, under_60, at_10, under_10}) {
    index.set(id, now + std::chrono::seconds(5));
    index.set_octets(id, 1000);
  }
  index.set(at_10, now);
  index.set_octets(under_10, 5'000'000'000);  // counted as 4 GiB
  index.set_octets(id_at(92), 1);             // not there
  const auto summary = index.summarize(now, limits);
  CHECK(summary.by_age == std::vector<std::size_t>{1, 2, 1});
  CHECK(summary.oldest == at_60);
  CHECK(summary.due == 1);
  CHECK(summary.octets == 3000 + std::uint64_t{UINT32_MAX});
  index.remove(at_60);
  CHECK(index.summarize(now, limits).by_age == std::vector<std::size_t>{1, 2, 0});
  index.set(id_at(93), now);  // takes the place of the one that went, not its octets
  CHECK(index.summarize(now, limits).octets == 2000 + std::uint64_t{UINT32_MAX});
}

TEST_CASE("due: those that wait for a destination are brought forward, one after the other") {
  DueIndex index;
  std::vector<queue::Id> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(id_of(i));
  for (const auto& id : ids) index.set(id, at(100'000));
  for (int i = 0; i < 4; ++i) index.set_waits_for(ids[static_cast<std::size_t>(i)], "back.example");
  index.set_waits_for(ids[4], "dead.example");
  index.set(ids[0], at(500));  // sooner than it would become
  CHECK(index.bring_forward("", at(1000), std::chrono::milliseconds(20)) == 0);
  CHECK(index.bring_forward("back.example", at(1000), std::chrono::milliseconds(20)) == 4);
  CHECK(index.take_due(at(2000)) == ids[0]);
  for (int i = 1; i < 4; ++i) {
    CHECK_FALSE(index.take_due(at(1000 + 20 * i - 1)));
    CHECK(index.take_due(at(1000 + 20 * i)) == ids[static_cast<std::size_t>(i)]);
  }
  CHECK_FALSE(index.take_due(at(99'999)));
  CHECK(index.size() == 2);
}

// The same random steps on the index and on a map that is slow and surely right.
TEST_CASE("due: behaves as a sorted map under random changes") {
  std::mt19937 random(7);
  std::vector<queue::Id> ids;
  for (int i = 0; i < 500; ++i) ids.push_back(id_of(i));
  DueIndex index;
  std::map<queue::Id, int> model;
  for (int step = 0; step < 50'000; ++step) {
    const auto& id = ids[random() % ids.size()];
    const int time = static_cast<int>(random() % 10'000);
    switch (random() % 4) {
      case 0:
      case 1:
        index.set(id, at(time));
        model[id] = time;
        break;
      case 2: REQUIRE(index.remove(id) == (model.erase(id) == 1)); break;
      default: {
        const auto taken = index.take_due(at(time));
        int earliest = INT32_MAX;
        for (const auto& [known, due] : model) earliest = std::min(earliest, due);
        REQUIRE(taken.has_value() == (earliest <= time));
        if (taken) {
          REQUIRE(model.at(*taken) == earliest);
          model.erase(*taken);
        }
      }
    }
    REQUIRE(index.size() == model.size());
  }
  for (const auto& id : ids) CHECK(index.contains(id) == model.contains(id));
}
