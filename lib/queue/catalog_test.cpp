#include "lib/queue/catalog.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "lib/base/io.h"
#include "lib/queue/catalog_writer.h"
#include "lib/queue/testing.h"

using namespace queue;
using namespace queue::testing;
using catalog_format::Row;
using catalog_format::Text;

namespace {

const Place kDeferred{State::Deferred, {}};

Id defer(TestSpool& spool, const std::string& recipient, const std::string& reply = "450 later") {
  const Item item = make_item("Subject: x\r\n\r\n", recipient);
  REQUIRE(spool->store(item, base::Blob::of_octets("Subject: x\r\n\r\n"), kDeferred));
  const Event event = make_event(EventKind::Deferred, 0, reply);
  REQUIRE(spool->append_progress(item.id, std::span(&event, 1)));
  return item.id;
}

Catalog open(TestSpool& spool) {
  auto catalog = Catalog::open(*spool);
  REQUIRE(catalog);
  REQUIRE(*catalog);
  return std::move(**catalog);
}

// Who is found: the first recipient by id, and how: "row" or "file".
struct Found {
  std::map<std::string, std::string> recipients;
  std::map<std::string, std::string> by;
};
Found visit(TestSpool& spool, std::string_view domain, bool looks_at_files = true, std::vector<Id> unlisted = {}) {
  WholeCatalog whole{open(spool), std::move(unlisted)};
  Found found;
  const BriefVisitor visitor{
      .wants = [&](const Brief& brief) { return std::ranges::any_of(brief.text.recipients, [&](const auto& each) { return each.ends_with(domain); }); },
      .on_brief = [&](const Brief& brief) {
        CHECK(found.by.emplace(brief.listed.id.string(), "row").second);
        found.recipients[brief.listed.id.string()] = brief.text.recipients.front();
        return true;
      },
      .read = {.on_seen = [&](const Seen& seen) {
        if (!seen.item.envelope.recipients.front().ends_with(domain)) return true;
        CHECK(found.by.emplace(seen.item.id.string(), "file").second);
        found.recipients[seen.item.id.string()] = seen.item.envelope.recipients.front();
        return true;
      }},
      .looks_at_files = looks_at_files,
  };
  REQUIRE(visit_catalog(*spool, whole, visitor));
  return found;
}

void damage(TestSpool& spool, std::string_view name, off_t at) {
  const base::UniqueFd file(::open((spool.path + "/" + std::string(name)).c_str(), O_RDWR));
  char octet = 0;
  REQUIRE(::pread(file.get(), &octet, 1, at) == 1);
  octet ^= 0x20;
  REQUIRE(::pwrite(file.get(), &octet, 1, at) == 1);
}

}  // namespace

TEST_CASE("catalog: a row is read as it was written, and not when an octet of it is another") {
  Row row;
  row.kind = Row::Kind::Message;
  row.must_look = true;
  row.attempts = 7;
  row.text_octets = 100;
  row.id = Id::make();
  row.arrived_after_id = -3;
  row.modified = base::WallTime(std::chrono::nanoseconds(1'700'000'000'123'456'789));
  row.file_octets = 5'000'000'000;
  row.header_octets = 200;
  row.text_offset = 64;
  row.text_checksum = 0xDEADBEEF;
  const std::string octets = to_octets(row, 9);
  REQUIRE(octets.size() == catalog_format::kRowOctets);
  const Row read = catalog_format::parse_row(octets, 9);
  CHECK(read.kind == Row::Kind::Message);
  CHECK(read.must_look);
  CHECK(read.attempts == 7);
  CHECK(read.text_octets == 100);
  CHECK(read.id == row.id);
  CHECK(read.arrived_after_id == -3);
  CHECK(read.modified == row.modified);
  CHECK(read.file_octets == row.file_octets);
  CHECK(read.header_octets == 200);
  CHECK(read.text_offset == 64);
  CHECK(read.text_checksum == 0xDEADBEEF);
  CHECK(catalog_format::parse_row(octets, 8).kind == Row::Kind::None);
  for (std::size_t i = 0; i < octets.size(); ++i) {
    std::string other = octets;
    other[i] ^= 1;
    CHECK(catalog_format::parse_row(other, 9).kind == Row::Kind::None);
  }
  CHECK(catalog_format::parse_row(std::string_view(octets).substr(1), 9).kind == Row::Kind::None);
}

TEST_CASE("catalog: headers and texts") {
  const base::WallTime time(std::chrono::nanoseconds(123));
  CHECK(catalog_format::parse_rows_header(catalog_format::rows_header({5, time}))->folder_time == time);
  CHECK_FALSE(catalog_format::parse_rows_header(catalog_format::rows_header({5}))->folder_time);
  CHECK(catalog_format::parse_texts_header(catalog_format::texts_header({5}))->nonce == 5);
  CHECK_FALSE(catalog_format::parse_texts_header(catalog_format::rows_header({5})));
  CHECK_FALSE(catalog_format::parse_rows_header(""));
  Text text{"a", "b", {"c", "d"}};
  REQUIRE(catalog_format::parse_text("\n450 4.1.1 x\nyou@example.com\n", text));
  CHECK(text.sender.empty());
  CHECK(text.reason == "450 4.1.1 x");
  CHECK(text.recipients == std::vector<std::string>{"you@example.com"});
  for (const auto* torn : {"", "a", "a\n", "a\nb", "a\nb\nc"}) CHECK_FALSE(catalog_format::parse_text(torn, text));
}

TEST_CASE("catalog: each message is found once, by its row or, when that is old, by its file") {
  TestSpool spool;
  std::vector<Id> ids;
  for (int i = 0; i < 300; ++i) ids.push_back(defer(spool, "u" + std::to_string(i) + (i % 3 == 0 ? "@a.invalid" : "@b.invalid")));
  REQUIRE(rebuild_catalog(*spool).value() == 300);
  auto found = visit(spool, "@a.invalid");
  CHECK(found.by.size() == 100);
  CHECK(std::ranges::all_of(found.by, [](const auto& each) { return each.second == "row"; }));
  CHECK(found.recipients.at(ids[3].string()) == "u3@a.invalid");

  REQUIRE(spool->remove(ids[0], kDeferred));
  REQUIRE(spool->move(ids[3], kDeferred, {State::Hold, {}}));
  REQUIRE(spool->set_modified(ids[6], kDeferred, base::wall_now() + std::chrono::hours(1)));
  const Id late = defer(spool, "late@a.invalid");
  found = visit(spool, "@a.invalid", true, {late, ids[9]});
  CHECK(found.by.size() == 99);
  CHECK_FALSE(found.by.contains(ids[0].string()));
  CHECK_FALSE(found.by.contains(ids[3].string()));
  CHECK(found.by.at(ids[6].string()) == "file");
  CHECK(found.by.at(ids[9].string()) == "row");
  CHECK(found.by.at(late.string()) == "file");
}

TEST_CASE("catalog: the last row of a message counts, and a row may say that it has gone") {
  TestSpool spool;
  const Id one = defer(spool, "one@a.invalid"), other = defer(spool, "other@a.invalid");
  auto writer = CatalogWriter::make_anew(*spool, nullptr);
  REQUIRE(writer);
  for (int i = 0; i < 3; ++i) REQUIRE(writer->add(one));
  REQUIRE(writer->add(other));
  REQUIRE(writer->write());
  CHECK(visit(spool, "@a.invalid", false).by.size() == 2);
  CHECK(visit(spool, "@a.invalid", true).by.size() == 2);
  writer->gone(other);
  REQUIRE(writer->add(Id::make()));  // there is none of that name: gone too
  REQUIRE(writer->write());
  CHECK(writer->rows() == 6);
  CHECK(visit(spool, "@a.invalid", false).by.size() == 1);
  auto catalog = open(spool);
  CHECK(catalog.present()->messages == 1);
  auto anew = CatalogWriter::make_anew(*spool, &catalog);
  REQUIRE(anew);
  CHECK(anew->rows() == 1);
  CHECK(visit(spool, "@a.invalid", false).by.size() == 1);
  CHECK(visit(spool, "@a.invalid", false).by.contains(one.string()));
}

TEST_CASE("catalog: what a row has no room for is read from the file") {
  TestSpool spool;
  Item item = make_item("x");
  for (int i = 0; i < 400; ++i) item.envelope.recipients.push_back("somebody" + std::to_string(i) + "@a.invalid");
  item.envelope.recipients.front() = "first@a.invalid";
  REQUIRE(spool->store(item, base::Blob::of_octets("x"), kDeferred));
  REQUIRE(rebuild_catalog(*spool));
  CHECK(visit(spool, "@a.invalid").by.at(item.id.string()) == "file");
}

TEST_CASE("catalog: where it is damaged, the folder is read for the rest") {
  TestSpool spool;
  std::set<std::string> all;
  for (int i = 0; i < 20; ++i) all.insert(defer(spool, "u@a.invalid").string());
  const auto check_all = [&](bool looks_at_files) {
    const auto found = visit(spool, "@a.invalid", looks_at_files);
    CHECK(found.by.size() == all.size());
  };
  REQUIRE(rebuild_catalog(*spool));
  damage(spool, kCatalogRows, 64 + 64 * 5 + 20);
  CHECK_FALSE(open(spool).present()->is_whole);
  CHECK_FALSE(count_catalog(open(spool), [](const Brief&) {}));
  check_all(true);
  check_all(false);
  REQUIRE(rebuild_catalog(*spool));
  damage(spool, kCatalogTexts, 64 + 40);
  check_all(true);
  check_all(false);
  // A new one of it makes good what can be made good.
  auto catalog = open(spool);
  REQUIRE(CatalogWriter::make_anew(*spool, &catalog));
  CHECK(open(spool).rows() == 20);
  check_all(false);
}

TEST_CASE("catalog: torn at its end, of two lives, or of another version") {
  TestSpool spool;
  for (int i = 0; i < 5; ++i) defer(spool, "u@a.invalid");
  REQUIRE(rebuild_catalog(*spool));
  const std::string rows = spool.path + "/" + std::string(kCatalogRows), texts = spool.path + "/" + std::string(kCatalogTexts);
  REQUIRE(::truncate(rows.c_str(), 64 + 64 * 4 + 10) == 0);
  auto torn = open(spool);
  CHECK(torn.rows() == 4);
  auto writer = CatalogWriter::go_on(*spool, torn);
  REQUIRE(writer);
  REQUIRE(writer->add(defer(spool, "new@a.invalid")));
  REQUIRE(writer->write());
  CHECK(open(spool).rows() == 5);
  CHECK(open(spool).present()->is_whole);

  const auto octets = base::read_file(rows, 1 << 20);
  REQUIRE(rebuild_catalog(*spool));
  const base::UniqueFd file(::open(rows.c_str(), O_RDWR | O_TRUNC));
  REQUIRE(base::write_all(file.get(), *octets));
  CHECK_FALSE(*Catalog::open(*spool));  // its texts are those of the later one
  damage(spool, kCatalogRows, 14);
  CHECK_FALSE(*Catalog::open(*spool));
  ::unlink(rows.c_str());
  CHECK_FALSE(*Catalog::open(*spool));
}

TEST_CASE("catalog: it is whole only for the folder as it was") {
  TestSpool spool;
  for (int i = 0; i < 1000; ++i) REQUIRE(spool->store(make_item("x"), base::Blob::of_octets("x"), kDeferred));
  CHECK_FALSE(whole_catalog(*spool));
  REQUIRE(rebuild_catalog(*spool));
  auto whole = whole_catalog(*spool);
  REQUIRE(whole);
  CHECK(whole->unlisted.empty());
  std::size_t sampled = 0, counted = 0;
  REQUIRE(sample_catalog(whole->catalog, 320, [&](const Brief& brief) { sampled += brief.text.recipients.size(); }));
  CHECK(sampled >= 300);
  CHECK(sampled <= 340);
  REQUIRE(count_catalog(whole->catalog, [&](const Brief&) { ++counted; }));
  CHECK(counted == 1000);
  ::usleep(20'000);
  REQUIRE(spool->store(make_item("x"), base::Blob::of_octets("x"), kDeferred));
  CHECK_FALSE(whole_catalog(*spool));
  // Once more is written nothing is said of the folder until complete().
  REQUIRE(rebuild_catalog(*spool));
  auto writer = CatalogWriter::go_on(*spool, open(spool));
  REQUIRE(writer);
  writer->gone(Id::make());
  REQUIRE(writer->write());
  CHECK_FALSE(whole_catalog(*spool));
  REQUIRE(writer->complete(*settled_folder_time(*spool)));
  CHECK(whole_catalog(*spool));
}
