#include "queue-run/catalog_keeper.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>

#include "lib/queue/testing.h"

using namespace queue;
using namespace queue::testing;

namespace {

const Place kDeferred{State::Deferred, {}};

Entry defer(TestSpool& spool) {
  const Item item = make_item("x");
  REQUIRE(spool->store(item, base::Blob::of_octets("x"), kDeferred));
  const auto entry = spool->find(item.id);
  REQUIRE(entry);
  REQUIRE(*entry);
  return **entry;
}

void wait_until_ready(run::CatalogKeeper& keeper) {
  for (int i = 0; i < 1000; ++i) {
    if (const auto pending = keeper.pending(100); pending && pending->empty()) return;
    ::usleep(5000);
  }
  FAIL("the catalog does not get ready");
}

std::uint64_t messages(TestSpool& spool) {
  const auto catalog = Catalog::open(*spool);
  REQUIRE(catalog);
  REQUIRE(*catalog);
  return (*catalog)->present()->messages;
}

}  // namespace

TEST_CASE("catalog keeper: what lies there, comes, changes and goes") {
  TestSpool spool;
  const auto one = defer(spool), other = defer(spool);
  std::uint64_t rows = 0;
  {
    run::CatalogKeeper keeper(*spool);
    keeper.start();
    keeper.lies(one.id, one.modified);
    keeper.lies(other.id, other.modified);
    CHECK_FALSE(keeper.pending(100));  // not all are known
    keeper.all_lie();
    wait_until_ready(keeper);
    CHECK(messages(spool) == 2);
    const auto third = defer(spool);
    keeper.changed(third.id);
    REQUIRE(spool->remove(one.id, kDeferred));
    keeper.gone(one.id);
    wait_until_ready(keeper);
    CHECK(messages(spool) == 2);
    keeper.stop(settled_folder_time(*spool));
    const auto catalog = Catalog::open(*spool);
    CHECK((*catalog)->header().folder_time == settled_folder_time(*spool));
    rows = (*catalog)->rows();
  }
  // Another one finds the rows right, and says so again, without a new one.
  run::CatalogKeeper keeper(*spool);
  keeper.start();
  REQUIRE(spool->list(kDeferred, [&](const Entry& entry) { return keeper.lies(entry.id, entry.modified), true; }));
  keeper.all_lie();
  wait_until_ready(keeper);
  keeper.stop(settled_folder_time(*spool));
  CHECK((*Catalog::open(*spool))->rows() == rows);
}

TEST_CASE("catalog keeper: what has gone and changed while none ran is found at the start") {
  TestSpool spool;
  const auto stays = defer(spool), goes = defer(spool);
  REQUIRE(rebuild_catalog(*spool) == 2);
  REQUIRE(spool->remove(goes.id, kDeferred));
  const auto later = base::wall_now() + std::chrono::hours(1);
  REQUIRE(spool->set_modified(stays.id, kDeferred, later));
  run::CatalogKeeper keeper(*spool);
  keeper.start();
  keeper.lies(stays.id, later);
  keeper.all_lie();
  wait_until_ready(keeper);
  CHECK(messages(spool) == 1);
  keeper.stop(std::nullopt);
  CHECK_FALSE((*Catalog::open(*spool))->header().folder_time);  // nobody says of which folder
  std::vector<catalog_format::Row> rows;
  const auto catalog = Catalog::open(*spool);
  REQUIRE((*catalog)->read_rows(0, (*catalog)->rows(), rows));
  CHECK(std::ranges::count(rows, catalog_format::Row::Kind::Gone, &catalog_format::Row::kind) == 1);
}

TEST_CASE("catalog keeper: rows that no longer count do not pile up") {
  TestSpool spool;
  const auto one = defer(spool);
  run::CatalogKeeper keeper(*spool);
  keeper.start();
  keeper.all_lie();
  for (int i = 0; i < 25'000; ++i) keeper.changed(one.id);
  wait_until_ready(keeper);
  CHECK(messages(spool) == 1);
  CHECK((*Catalog::open(*spool))->rows() < 13'000);
}
