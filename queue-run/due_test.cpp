#include "queue-run/due.h"

#include <doctest/doctest.h>

#include <map>
#include <random>

using run::DueIndex;

namespace {

queue::Id id_of(int number) { return queue::Id::make(base::WallTime(std::chrono::seconds(1'000'000'000 + number))); }
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
  CHECK(index.due_at(at(250)) == 1);
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

TEST_CASE("due: everything can be made due at once") {
  DueIndex index;
  for (int i = 0; i < 100; ++i) index.set(id_of(i), at(1000 + i * 7 % 31));
  index.all_due_at(at(5));
  CHECK(index.due_at(at(5)) == 100);
  for (int i = 0; i < 100; ++i) CHECK(index.take_due(at(5)));
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
