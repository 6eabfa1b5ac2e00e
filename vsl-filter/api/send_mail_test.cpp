// send_mail(): what lies in the spool afterwards, and what the rule hears when nothing does.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "lib/chain/context.h"
#include "lib/queue/testing.h"
#include "vsl-filter/stages/testing.h"

using namespace rules;
using testing::ask;

namespace {

constexpr const char* kCaught = "fn caught(f) { let told = \"nothing\"; try { told = `${f.call()}`; } catch (e) { told = e; } told }";

// A spool, and a folder of files that rules send.
struct Place {
  queue::testing::TestSpool spool;
  std::string app = spool.path + "/app";
  std::vector<std::string> log;

  Place() { std::filesystem::create_directories(app + "/notices"); }
  void write(const std::string& name, const std::string& octets) const { std::ofstream(app + "/" + name) << octets; }
  Site site(const std::string& message_limit = "50m") {
    return testing::site(&log, {{"queue.spool", spool.path}, {"rules.app_directory", app}, {"queue.message_limit", message_limit}});
  }
  std::vector<queue::StoredItem> queued() {
    std::vector<queue::StoredItem> items;
    const queue::Place place{queue::State::Deliver, {}};
    REQUIRE(spool->list(place, [&](const queue::Entry& entry) {
      auto item = spool->read(place, entry.id);
      REQUIRE(item);
      items.push_back(std::move(*item));
      return true;
    }));
    return items;
  }
};

}  // namespace

TEST_CASE("send_mail: the file is queued with its line ends mended") {
  Place place;
  Session session = testing::session(Stage::Preq);
  place.write("notices/late.eml", "Subject: late\nX: y\n\nhello\n");
  CHECK(ask(Stage::Preq, "", R"({ send_mail("postmaster@own.example", ["ann@client.example", "no address", "bob@own.example"], "notices/late.eml"); true })", session, place.site()) == "true");
  const auto items = place.queued();
  REQUIRE(items.size() == 1);
  CHECK(items[0].item.envelope.reverse_path == "postmaster@own.example");
  CHECK(items[0].item.envelope.recipients == std::vector<std::string>{"ann@client.example", "bob@own.example"});
  CHECK(queue::testing::octets_of(items[0].message) == "Subject: late\r\nX: y\r\n\r\nhello\r\n");
  REQUIRE(place.log.size() >= 1);
  CHECK(place.log.front() == "info send_mail: notices/late.eml from <postmaster@own.example> to 2 recipients is queued as " + items[0].item.id.string());
}

TEST_CASE("send_mail: the null sender, one recipient, a relay") {
  Place place;
  Session session = testing::session(Stage::Connect);
  place.write("wire.eml", "Subject: a\r\n\r\nb\r\n");
  CHECK(ask(Stage::Connect, "", R"({ sys::send_mail("<>", address("ann@client.example"), "wire.eml", "[2001:db8::5]:2525"); true })", session, place.site()) == "true");
  const auto items = place.queued();
  REQUIRE(items.size() == 1);
  CHECK(items[0].item.envelope.reverse_path.empty());
  CHECK(queue::testing::octets_of(items[0].message) == "Subject: a\r\n\r\nb\r\n");
  const auto context = chain::Context::parse(items[0].item.context);
  REQUIRE(context);
  REQUIRE(context->recipients().size() == 1);
  CHECK(context->recipients()[0].transfer_method == "Forward");
  CHECK(context->recipients()[0].target == "[2001:db8::5]:2525");
  // The message that is looked at keeps its own transports.
  CHECK(session.transaction() == nullptr);
}

TEST_CASE("send_mail: what the rule hears, and that nothing is queued") {
  Place place;
  place.write("a.eml", "Subject: a\n\nb\n");
  place.write("large.eml", "Subject: a\n\n" + std::string(2000, 'x') + "\n");
  std::filesystem::create_symlink("/etc/passwd", place.app + "/link.eml");
  struct Row {
    const char* call;
    const char* told;
  };
  for (const Row& row : {
           Row{R"(send_mail("a@b.example", ["c@d.example"], "none.eml"))", "send_mail cannot read 'none.eml': path 'none.eml': No such file or directory"},
           {R"(send_mail("no address", ["c@d.example"], "a.eml"))", "MissingParts: the sender of send_mail: 'no address' is not a valid address"},
           {R"(send_mail("a@b.example", ["none", ""], "a.eml"))", "MissingTo: send_mail has no valid recipient"},
           {R"(send_mail("a@b.example", [], "a.eml"))", "MissingTo"},
           {R"(send_mail("a@b.example", ["c@d.example"], "a.eml", "not a host"))", "not a host could not be used as a forward target."},
           {R"(send_mail("a@b.example", ["c@d.example"], "../a.eml"))", "leaves the folder of the rules' files"},
           {R"(send_mail("a@b.example", ["c@d.example"], "/etc/passwd"))", "is absolute"},
           {R"(send_mail("a@b.example", ["c@d.example"], "link.eml"))", "has a link or a file on its way"},
           {R"(send_mail("a@b.example", ["c@d.example"], "large.eml"))", "send_mail cannot read 'large.eml'"},
       }) {
    CAPTURE(std::string(row.call));
    Session session = testing::session(Stage::Preq);
    const auto told = ask(Stage::Preq, kCaught, std::string("caught(|| ") + row.call + ")", session, place.site("1000"));
    CAPTURE(told);
    CHECK(told.find(row.told) != std::string::npos);
  }
  CHECK(place.queued().empty());
  Session session = testing::session(Stage::Preq);
  Site nowhere = place.site();
  (void)nowhere.settings.set(*base::find_setting("queue.spool"), "/nonexistent/spool");
  CHECK(ask(Stage::Preq, kCaught, R"(caught(|| send_mail("a@b.example", ["c@d.example"], "a.eml")))", session, std::move(nowhere)).starts_with("send_mail cannot queue 'a.eml': "));
  Site trial = place.site();
  trial.is_trial = true;
  CHECK(ask(Stage::Preq, kCaught, R"(caught(|| send_mail("a@b.example", ["c@d.example"], "a.eml")) == "")", session, std::move(trial)) == "true");
  CHECK(place.queued().empty());
}
