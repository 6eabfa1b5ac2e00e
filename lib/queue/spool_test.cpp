#include "lib/queue/spool.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "lib/base/io.h"
#include "lib/queue/folder_reader.h"
#include "lib/queue/folders.h"
#include "lib/queue/testing.h"

using namespace queue;
using namespace queue::testing;
namespace fs = std::filesystem;

namespace {

const Place kWorking{State::Working, {}}, kHold{State::Hold, {}}, kDeferred{State::Deferred, {}};
constexpr std::string_view kMessage = "Subject: x\r\n\r\nhello\r\n";

Item stored(TestSpool& spool, const Place& place, std::string_view message = kMessage) {
  Item item = make_item(message);
  REQUIRE(spool->store(item, base::Blob::of_octets(std::string(message)), place));
  return item;
}

std::vector<Entry> all_in(const Spool& spool, const Place& place, std::vector<Foreign>* foreign = nullptr) {
  std::vector<Entry> entries;
  REQUIRE(spool.list(place, [&](const Entry& entry) { return entries.push_back(entry), true; }, foreign));
  return entries;
}

void write_file(const std::string& path, std::string_view octets) { std::ofstream(path, std::ios::binary) << octets; }

}  // namespace

TEST_CASE("spool: what was stored is read back, from a file that nobody else may read") {
  TestSpool spool;
  for (const auto& message : {std::string(kMessage), std::string(), std::string(300'000, 'x'), std::string("\0\r\n\xFF", 4)}) {
    const Item item = stored(spool, kWorking, message);
    const auto read = spool->read(kWorking, item.id);
    REQUIRE(read);
    CHECK(octets_of(read->message) == message);
    CHECK(read->item.envelope.recipients == item.envelope.recipients);
    struct stat status;
    REQUIRE(::stat(spool->file_path(kWorking, item.id).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
  CHECK(spool.count("tmp") == 0);
  CHECK(all_in(*spool, kWorking).size() == 4);
}

TEST_CASE("spool: open says what is missing, and does not make it") {
  CHECK_FALSE(Spool::open("/nonexistent/spool"));
  TestSpool spool;
  CHECK(Spool::open("dir:" + spool.path + "/"));
  CHECK_FALSE(Spool::open("amqp:" + spool.path));
  CHECK_FALSE(Spool::open("dir:"));
  fs::remove(spool.path + "/hold");
  const auto opened = Spool::open(spool.path);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().cause.find("folder hold") != std::string::npos);
  CHECK_FALSE(fs::exists(spool.path + "/hold"));
}

TEST_CASE("spool: a move is one rename, never over another message, and says when the message is not there") {
  TestSpool spool;
  const Item item = stored(spool, kHold);
  const auto next = std::chrono::time_point_cast<base::WallTime::duration>(base::wall_now() + std::chrono::hours(2));
  REQUIRE(spool->move(item.id, kHold, kDeferred, next));
  const auto entries = all_in(*spool, kDeferred);
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].modified == next);
  CHECK(entries[0].arrived == item.id.time());
  CHECK(spool->move(item.id, kHold, kWorking).error().error_number == ENOENT);
  fs::copy(spool->file_path(kDeferred, item.id), spool->file_path(kHold, item.id));
  CHECK(spool->move(item.id, kDeferred, kHold).error().error_number == EEXIST);
  const Place quarantine{State::Quarantine, "spam"};
  REQUIRE(spool->move(item.id, kDeferred, quarantine));
  CHECK(all_in(*spool, quarantine).size() == 1);
  CHECK(spool->places().back() == quarantine);
  CHECK(spool->needs_sync());
  REQUIRE(spool->sync());
  CHECK_FALSE(spool->needs_sync());
}

TEST_CASE("spool: quarantines lie in each other, with messages of their own") {
  TestSpool spool;
  const Place above{State::Quarantine, "virus"}, below{State::Quarantine, "virus/zip/mail"};
  const Item inner = stored(spool, below), outer = stored(spool, above);
  REQUIRE(spool->places().size() == kStates.size() + 2);
  CHECK(spool->places().back() == below);
  std::vector<Foreign> foreign;
  std::vector<Id> listed;
  REQUIRE(spool->list(above, [&](const Entry& entry) { return listed.push_back(entry.id), true; }, &foreign));
  CHECK(listed == std::vector<Id>{outer.id});
  CHECK(foreign.empty());
  CHECK((*spool->find(inner.id))->place == below);
  REQUIRE(spool->move(outer.id, above, below));
  CHECK(all_in(*spool, below).size() == 2);
  // A link is no folder of the spool's.
  fs::create_directory_symlink(spool.path + "/hold", spool.path + "/quarantine/link");
  CHECK(spool->places().size() == kStates.size() + 2);
}

TEST_CASE("spool: find looks everywhere") {
  TestSpool spool;
  const Place quarantine{State::Quarantine, "virus"};
  const Item a = stored(spool, kWorking), b = stored(spool, quarantine);
  REQUIRE(spool->find(a.id));
  CHECK((*spool->find(a.id))->place == kWorking);
  CHECK((*spool->find(b.id))->place == quarantine);
  CHECK_FALSE(*spool->find(Id::make()));
}

TEST_CASE("spool: foreign and half-written files are told, never taken for messages") {
  TestSpool spool;
  const Item good = stored(spool, kWorking), torn = stored(spool, kWorking), other = stored(spool, kWorking);
  const std::string folder = spool.path + "/working/";
  write_file(folder + "notes.txt", "x");
  fs::create_directory(folder + Id::make().string());
  fs::create_symlink("/etc/passwd", folder + Id::make().string());
  REQUIRE(::mkfifo((folder + Id::make().string()).c_str(), 0600) == 0);
  fs::resize_file(spool->file_path(kWorking, torn.id), fs::file_size(spool->file_path(kWorking, torn.id)) - 1);
  fs::rename(spool->file_path(kWorking, other.id), folder + Id::make().string());
  const Id empty = Id::make(), text = Id::make();
  write_file(folder + empty.string(), "");
  write_file(folder + text.string(), "From: me\n\nhello\n");

  std::vector<Foreign> foreign;
  std::size_t readable = 0;
  for (const auto& entry : all_in(*spool, kWorking, &foreign)) {
    const auto read = spool->read(kWorking, entry.id);
    if (read) ++readable;
    else CHECK(read.error().fault == base::Fault::Permanent);
  }
  CHECK(foreign.size() == 4);
  CHECK(readable == 1);
  CHECK(spool->read(kWorking, good.id));
  CHECK_FALSE(spool->read(kWorking, torn.id));
  CHECK_FALSE(spool->read(kWorking, empty));
  CHECK_FALSE(spool->read(kWorking, text));
}

TEST_CASE("spool: a message has one owner at a time") {
  TestSpool spool;
  const Item item = stored(spool, kWorking);
  auto mine = spool->take(kWorking, item.id);
  REQUIRE(mine);
  CHECK(spool->take(kWorking, item.id).error().error_number == EWOULDBLOCK);
  CHECK(spool->read(kWorking, item.id));
  REQUIRE(spool->move(item.id, kWorking, kHold));
  CHECK(spool->take(kHold, item.id).error().error_number == EWOULDBLOCK);
  mine = base::fail(base::Fault::Bug, "let go");
  CHECK(spool->take(kHold, item.id));
  CHECK(spool->take(kWorking, item.id).error().error_number == ENOENT);
}

TEST_CASE("spool: locks of programs") {
  TestSpool spool;
  CHECK_FALSE(spool->is_locked("queue-run"));
  {
    const auto lock = spool->lock("queue-run");
    REQUIRE(lock);
    CHECK(spool->is_locked("queue-run"));
    const auto second = spool->lock("queue-run");
    REQUIRE_FALSE(second);
    CHECK(second.error().error_number == EWOULDBLOCK);
    CHECK(second.error().cause.find(std::to_string(::getpid())) != std::string::npos);
  }
  CHECK_FALSE(spool->is_locked("queue-run"));
  CHECK(spool->lock("queue-run"));
}

TEST_CASE("spool: progress is appended, ends a torn line, and goes after the message") {
  TestSpool spool;
  const Item item = stored(spool, kWorking);
  CHECK(spool->read_progress(item.id)->empty());
  const std::vector<Event> events = {make_event(EventKind::Deferred, 0, "451 later")};
  REQUIRE(spool->append_progress(item.id, events));
  std::ofstream(spool->progress_path(item.id), std::ios::app) << "2026-11-21T20:15:01.0000";
  REQUIRE(spool->append_progress(item.id, events));
  CHECK(spool->read_progress(item.id)->size() == 2);
  REQUIRE(spool->remove(item.id, kWorking));
  CHECK(fs::exists(spool->progress_path(item.id)));
  REQUIRE(spool->sync());
  CHECK_FALSE(fs::exists(spool->progress_path(item.id)));
  CHECK(spool->remove(item.id, kWorking).error().error_number == ENOENT);
}

TEST_CASE("spool: a draft that is not published leaves nothing") {
  TestSpool spool;
  const Item item = make_item(kMessage);
  {
    auto draft = Draft::begin(*spool, item.id);
    REQUIRE(draft);
    REQUIRE(draft->write(item, base::Blob::of_octets(std::string(kMessage))));
    CHECK(spool.count("tmp") == 1);
    CHECK_FALSE(Draft::begin(*spool, item.id));
  }
  CHECK(spool.count("tmp") == 0);
  CHECK_FALSE(*spool->find(item.id));
}

TEST_CASE("spool: a second message of one id is refused, and the first stays") {
  TestSpool spool;
  const Item item = stored(spool, kWorking);
  const auto second = spool->store(item, base::Blob::of_octets(std::string(kMessage)), kWorking);
  REQUIRE_FALSE(second);
  CHECK(second.error().error_number == EEXIST);
  CHECK(octets_of(spool->read(kWorking, item.id)->message) == kMessage);
  CHECK(spool.count("tmp") == 0);
}

TEST_CASE("spool: repair after a crash at each step") {
  TestSpool spool;
  const auto age = [](const std::string& path) { fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(2)); };

  // Drafts: ours and old go; young ones and foreign ones stay.
  const std::string old_draft = spool.path + "/tmp/" + Id::make().string(), young = spool.path + "/tmp/" + Id::make().string(), foreign = spool.path + "/tmp/x";
  for (const auto& path : {old_draft, young, foreign}) write_file(path, "x");
  age(old_draft);
  age(foreign);

  // One message in two folders: the one that sends least stays.
  const Item twice = stored(spool, kWorking);
  fs::create_hard_link(spool->file_path(kWorking, twice.id), spool->file_path(kHold, twice.id));
  const Item copied = stored(spool, kDeferred);
  fs::copy(spool->file_path(kDeferred, copied.id), spool->file_path(kWorking, copied.id));
  // Two different ones of one id: not ours to choose.
  const Item different = stored(spool, kHold);
  write_file(spool->file_path(kWorking, different.id), "something else");

  // Progress without a message goes, unless the message is in the log.
  const Id lone = Id::make(), in_log = Id::make();
  for (const auto& id : {lone, in_log, twice.id}) write_file(spool->progress_path(id), "");

  const auto is_in_log = [&](const Id& id) { return id == in_log; };
  const auto said = spool->repair();
  REQUIRE(said);
  CHECK(said->size() == 4);
  CHECK(spool->remove_lone_progress(base::wall_now() - std::chrono::hours(1), is_in_log)->empty());  // it may be written just now
  CHECK(fs::exists(spool->progress_path(lone)));
  CHECK(spool->remove_lone_progress(base::wall_now() + std::chrono::hours(1), is_in_log)->size() == 1);
  CHECK_FALSE(fs::exists(old_draft));
  CHECK(fs::exists(young));
  CHECK(fs::exists(foreign));
  CHECK((*spool->find(twice.id))->place == kHold);
  CHECK_FALSE(fs::exists(spool->file_path(kWorking, twice.id)));
  CHECK_FALSE(fs::exists(spool->file_path(kWorking, copied.id)));
  CHECK(fs::exists(spool->file_path(kDeferred, copied.id)));
  CHECK(fs::exists(spool->file_path(kHold, different.id)));
  CHECK(fs::exists(spool->file_path(kWorking, different.id)));
  CHECK_FALSE(fs::exists(spool->progress_path(lone)));
  CHECK(fs::exists(spool->progress_path(in_log)));
  CHECK(fs::exists(spool->progress_path(twice.id)));
  // The second time there is only what nobody may decide.
  CHECK(spool->repair()->size() == 1);
}

TEST_CASE("spool: a message in two folders is found when they are too large to be read") {
  TestSpool spool;
  const auto fill = [&](const Place& place) {  // names alone: nobody opens these
    for (std::size_t i = 0; i < 60'000; ++i) REQUIRE(::mknod(spool->file_path(place, Id::make()).c_str(), S_IFREG | 0600, 0) == 0);
  };
  fill(kDeferred);
  REQUIRE(queue::is_large(spool->folder_path(kDeferred)));
  REQUIRE_FALSE(queue::is_large(spool->folder_path(kHold)));
  const Item in_small = stored(spool, kHold);
  fs::create_hard_link(spool->file_path(kHold, in_small.id), spool->file_path(kDeferred, in_small.id));
  CHECK(spool->repair()->size() == 1);
  CHECK(fs::exists(spool->file_path(kHold, in_small.id)));
  CHECK_FALSE(fs::exists(spool->file_path(kDeferred, in_small.id)));

  fill(kWorking);
  const Item in_large = stored(spool, kWorking);
  fs::create_hard_link(spool->file_path(kWorking, in_large.id), spool->file_path(kDeferred, in_large.id));
  CHECK(spool->repair()->size() == 1);
  CHECK_FALSE(fs::exists(spool->file_path(kWorking, in_large.id)));
}

TEST_CASE("spool: a folder is read piece by piece, and each message once") {
  TestSpool spool;
  std::set<Id> stored_ids;
  for (int i = 0; i < 300; ++i) stored_ids.insert(stored(spool, kDeferred).id);
  write_file(spool.path + "/deferred/x", "not a message");
  std::set<Id> names, listed;
  auto reader = queue::FolderReader::open(*spool, kDeferred);
  REQUIRE(reader);
  std::vector<queue::FolderReader::Name> piece;
  std::vector<queue::Foreign> foreign;
  for (bool more = true; more;) {
    const auto read = reader->next_names(7, piece, &foreign);
    REQUIRE(read);
    CHECK(piece.size() <= 7);
    for (const auto& name : piece) CHECK(names.insert(name.id).second);
    more = *read;
  }
  CHECK(names == stored_ids);
  CHECK(foreign.size() == 1);
  REQUIRE(spool->list(kDeferred, [&](const queue::Entry& entry) { return listed.insert(entry.id).second && listed.size() < 100; }));
  CHECK(listed.size() == 100);
}
