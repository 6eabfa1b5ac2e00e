#include "vsl-filter/modes/playback.h"

#include <doctest/doctest.h>

#include <map>

using namespace rules;
using End = Played::End;

namespace {

Skip status(Skip::Kind kind, std::string reply = {}) {
  Skip skip;
  skip.kind = kind;
  skip.reply = std::move(reply);
  return skip;
}

// Plays with statuses by "STAGE" or "rcpt RECIPIENT"; all else is next().
Played play_with(std::map<std::string, Skip> statuses, Session& session, std::optional<Stage> only = {}, std::string* order = nullptr) {
  Scenario scenario;
  scenario.reverse_path = "ann@client.example";
  scenario.recipients = {"bob@own.example", "eve@else.example"};
  scenario.message = base::Blob::of_octets("Subject: x\r\n\r\ntext\r\n");
  const auto run = [&](Session& of, Stage stage) {
    std::string key(name_of(stage));
    if (stage == Stage::Rcpt) key += " " + of.transaction()->recipients.all().back().address;
    if (order != nullptr) *order += (order->empty() ? "" : ", ") + key;
    StageResult result;
    if (const auto found = statuses.find(key); found != statuses.end()) {
      result.status = found->second;
      if (result.status.finishes()) of.set_skip(stage, result.status);
    }
    return result;
  };
  auto played = play(session, scenario, run, only);
  REQUIRE(played);
  return *played;
}

}  // namespace

TEST_CASE("playback: every stage in its turn, rcpt for each recipient") {
  Session session;
  std::string order;
  const auto played = play_with({}, session, {}, &order);
  CHECK(order == "connect, helo, mail, rcpt bob@own.example, rcpt eve@else.example, data, preq, postq, delivery");
  CHECK(played.end == End::Accepted);
  CHECK(session.transaction()->message->header().get("Subject") == "x");
}

TEST_CASE("playback: a deny is the end, with its reply or the standard one") {
  Session session;
  auto played = play_with({{"mail", status(Skip::Kind::Deny)}}, session);
  CHECK(played.end == End::Refused);
  CHECK(played.at == Stage::Mail);
  CHECK(played.reply == "554 permanent problems with the remote server");
  CHECK(played.events.size() == 3);
  Session other;
  played = play_with({{"connect", status(Skip::Kind::Deny, "421 4.7.0 later")}}, other);
  CHECK(played.end == End::Deferred);
  CHECK(played.reply == "421 4.7.0 later");
}

TEST_CASE("playback: a refused recipient does not keep the message from the others") {
  Session session;
  const auto played = play_with({{"rcpt eve@else.example", status(Skip::Kind::Info, "554 5.7.1 Relay access denied")}}, session);
  CHECK(played.end == End::Accepted);
  CHECK(played.reply.empty());
  REQUIRE(session.transaction()->recipients.size() == 1);
  CHECK(session.transaction()->recipients.all().front().address == "bob@own.example");
}

TEST_CASE("playback: without recipients there is no message") {
  Session session;
  const auto played = play_with({{"rcpt bob@own.example", status(Skip::Kind::Info, "451 4.7.1 later")},
                                 {"rcpt eve@else.example", status(Skip::Kind::Info, "451 4.7.1 later")}}, session);
  CHECK(played.end == End::Deferred);
  CHECK(played.at == Stage::Rcpt);
  CHECK(played.reply == "451 4.7.1 later");
}

TEST_CASE("playback: a remark is no refusal") {
  Session session;
  CHECK(play_with({{"mail", status(Skip::Kind::Info, "250 2.1.0 fine, fine")}}, session).end == End::Accepted);
}

TEST_CASE("playback: a quarantine of any stage is where the message goes") {
  Session session;
  auto quarantine = status(Skip::Kind::Quarantine);
  quarantine.name = "suspects";
  const auto played = play_with({{"connect", quarantine}}, session);
  CHECK(played.end == End::Quarantined);
  CHECK(played.quarantine == "suspects");
}

TEST_CASE("playback: one stage alone has what those before it would have brought") {
  Session session;
  std::string order;
  const auto played = play_with({{"helo", status(Skip::Kind::Deny)}}, session, Stage::Preq, &order);
  CHECK(order == "preq");
  CHECK(played.end == End::Accepted);
  CHECK(session.connection.helo == "localhost");
  CHECK(session.transaction()->recipients.size() == 2);
}

TEST_CASE("playback: what is given wins over what the message tells") {
  SavedFacts saved;
  saved.client_ip = "192.0.2.1";
  saved.helo = "a.example";
  saved.reverse_path = "x@a.example";
  saved.recipients = {"y@b.example"};
  GivenFacts given;
  auto scenario = Scenario::of(saved, given, {}, {});
  CHECK(scenario.client_ip == "192.0.2.1");
  CHECK(scenario.helo == "a.example");
  CHECK(scenario.reverse_path == "x@a.example");
  given.client_ip = "192.0.2.2";
  given.reverse_path = "";
  given.recipients = {"z@c.example"};
  scenario = Scenario::of(saved, given, {}, {});
  CHECK(scenario.client_ip == "192.0.2.2");
  CHECK(scenario.helo == "localhost");
  CHECK(scenario.reverse_path.empty());
  CHECK(scenario.recipients == std::vector<std::string>{"z@c.example"});
}
