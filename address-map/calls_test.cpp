#include "address-map/calls.h"

#include <doctest/doctest.h>

#include <map>

#include "lib/chain/context.h"
#include "lib/chain/envelope.h"

using namespace address_map;

namespace {

class FakeMaps final : public Maps {
 public:
  FakeMaps() {
    const auto entries = parse_map(Format::Aliases,
                                   "team: ann, bob@far.test\nlist: ann, carl@far.test\nowner-list: boss\ncmd: ann, |one, |two, /box\n"
                                   "root: ann\nloop: loop2\nloop2: loop\n",
                                   "map");
    REQUIRE(entries);
    for (const auto& entry : *entries) entries_[entry.key] = entry.targets;
  }
  [[nodiscard]] base::Result<std::optional<Targets>> find(Format format, const std::string& key) const override {
    if (format != Format::Aliases || !entries_.contains(key)) return std::nullopt;
    return entries_.at(key);
  }
  [[nodiscard]] base::Result<Targets> include(const std::string&) const override { return Targets(); }

 private:
  std::map<std::string, Targets> entries_;
};

struct Setup {
  FakeMaps maps;
  Rules rules;
  Setup() {
    rules.local_domains = mail::DomainList(std::vector<std::string>{"here.test"});
    rules.virtual_domains = mail::DomainList(std::vector<std::string>{"virtual.test"});
  }
  base::Result<std::vector<Group>> regroup(std::vector<std::string> recipients, std::string context = {}) {
    chain::Call call;
    call.envelope = chain::to_octets({"me@x.test", std::move(recipients)});
    call.context = std::move(context);
    return address_map::regroup(Expander(maps, rules), call);
  }
};

mail::Envelope envelope(const Group& group) { return *chain::parse_envelope(group.envelope); }
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("calls: what no map has goes on as it is") {
  Setup setup;
  CHECK(setup.regroup({"ann@here.test", "x@far.test"})->empty());
  CHECK(setup.regroup({"ann@here.test", "ann@HERE.test"})->empty());
  CHECK(setup.regroup({"loop@here.test"}).error().fault == base::Fault::Temporary);
  CHECK(setup.regroup({"team@here.test"}, "[]").error().fault == base::Fault::Permanent);
}

TEST_CASE("calls: recipients are replaced, each once") {
  Setup setup;
  const auto groups = setup.regroup({"team@here.test", "bob@far.test", "x@far.test"});
  REQUIRE(groups->size() == 1);
  CHECK(envelope(groups->front()).reverse_path == "me@x.test");
  CHECK(envelope(groups->front()).recipients == Names{"ann@here.test", "bob@far.test", "x@far.test"});
  CHECK(chain::Context::parse(groups->front().context)->dsn(Names{"ann@here.test"}).of(0).original_recipient == "rfc822;team@here.test");
}

TEST_CASE("calls: a list with an owner is a message of its own, that of the sender goes first") {
  Setup setup;
  const auto groups = setup.regroup({"list@here.test", "x@far.test"}, R"({"envelop":{"mail_from":"me@x.test","rcpt":[
    {"address":"list@here.test","transfer_method":"Deliver","notify":"SUCCESS"},{"address":"x@far.test","notify":"NEVER"}]},"other":1})");
  REQUIRE(groups->size() == 2);
  CHECK(envelope((*groups)[0]).reverse_path == "me@x.test");
  CHECK(envelope((*groups)[0]).recipients == Names{"list@here.test", "x@far.test"});  // of the former the sender is told
  CHECK(chain::Context::parse((*groups)[0].context)->recipients()[0].transfer_method == "Expanded");
  CHECK(envelope((*groups)[1]).reverse_path == "owner-list@here.test");
  CHECK(envelope((*groups)[1]).recipients == Names{"ann@here.test", "carl@far.test"});
  const auto own = chain::Context::parse((*groups)[0].context), list = chain::Context::parse((*groups)[1].context);
  CHECK(own->text("envelop.mail_from") == "me@x.test");
  CHECK(own->number("other") == 1);
  CHECK(own->dsn(Names{"x@far.test"}).of(0).notify == mail::kNever);
  CHECK(list->text("envelop.mail_from") == "owner-list@here.test");
  CHECK(list->dsn(Names{"ann@here.test", "carl@far.test"}).is_empty());
}

TEST_CASE("calls: who asks for success is told once of an alias of several, and once of a list") {
  Setup setup;
  const auto groups = setup.regroup({"team@here.test", "list@here.test"}, R"({"envelop":{"dsn":{"ret":"HDRS","envid":"Q1"},"rcpt":[
    {"address":"team@here.test","notify":"SUCCESS,DELAY","orcpt":"rfc822;t@x.test"},{"address":"list@here.test","notify":"SUCCESS"}]}})");
  REQUIRE(groups->size() == 2);
  CHECK(envelope((*groups)[0]).recipients == Names{"team@here.test", "ann@here.test", "bob@far.test", "list@here.test"});
  const auto own = *chain::Context::parse((*groups)[0].context), list = *chain::Context::parse((*groups)[1].context);
  const auto entries = own.recipients();
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].transfer_method == "Expanded");
  CHECK(entries[0].target == "alias");
  CHECK(entries[0].dsn.notify == (mail::kSuccess | mail::kDelay));
  for (const auto i : {1, 2}) {
    CHECK(entries[i].transfer_method == "Deliver");
    CHECK(entries[i].dsn.notify == mail::kDelay);
    CHECK(entries[i].dsn.original_recipient == "rfc822;t@x.test");
  }
  CHECK(entries[3].target == "list");
  CHECK(own.text("envelop.dsn.envid") == "Q1");
  CHECK_FALSE(list.text("envelop.dsn.envid"));
  CHECK(list.recipients().front().dsn.is_empty());

  // An alias of one is a new name, and nothing else.
  const auto one = setup.regroup({"root@here.test"}, R"({"envelop":{"rcpt":[{"address":"root@here.test","notify":"SUCCESS"}]}})");
  CHECK(envelope(one->front()).recipients == Names{"ann@here.test"});
  CHECK(chain::Context::parse(one->front().context)->recipients().front().dsn.notify == mail::kSuccess);
  // Who asked for nothing but success is told of nothing else.
  const auto never = setup.regroup({"team@here.test"}, R"({"envelop":{"rcpt":[{"address":"team@here.test","notify":"SUCCESS"}]}})");
  CHECK(chain::Context::parse(never->front().context)->recipients()[1].dsn.notify == mail::kNever);
}

TEST_CASE("calls: ORCPT and NOTIFY go on through an alias") {
  Setup setup;
  const auto groups = setup.regroup({"team@here.test"}, R"({"envelop":{"rcpt":[{"address":"team@here.test","notify":"FAILURE"}]}})");
  const auto dsn = chain::Context::parse(groups->front().context)->dsn(Names{"ann@here.test", "bob@far.test"});
  for (std::size_t i : {0, 1}) {
    CHECK(dsn.of(i).notify == mail::kFailure);
    CHECK(dsn.of(i).original_recipient == "rfc822;team@here.test");
  }
}

TEST_CASE("calls: commands and files are said in the context, each in a message where its address is free") {
  Setup setup;
  const auto groups = setup.regroup({"cmd@here.test"});
  REQUIRE(groups->size() == 3);
  CHECK(envelope((*groups)[0]).recipients == Names{"ann@here.test", "cmd@here.test"});
  CHECK(envelope((*groups)[1]).recipients == Names{"cmd@here.test"});
  const auto of = [&](std::size_t group, std::size_t recipient) { return chain::Context::parse((*groups)[group].context)->recipients()[recipient]; };
  CHECK(of(0, 0).transfer_method == "Deliver");
  CHECK(of(0, 1).transfer_method == "Pipe");
  CHECK(of(0, 1).target == "one");
  CHECK(of(1, 0).target == "two");
  CHECK(of(2, 0).transfer_method == "File");
  CHECK(of(2, 0).target == "/box");
}

TEST_CASE("calls: who has a way by rules keeps it") {
  Setup setup;
  CHECK(setup.regroup({"team@here.test"}, R"({"envelop":{"rcpt":[{"address":"team@here.test","transfer_method":{"Forward":{"Ip":"192.0.2.1"}}}]}})")->empty());
}

TEST_CASE("calls: questions") {
  Setup setup;
  const Expander expander(setup.maps, setup.rules);
  const auto ask = [&](std::string_view recipient, bool knows = true, std::string_view state = "RCPT") {
    return action_for(expander, setup.rules, knows, "request=smtpd_access_policy\nprotocol_state=" + std::string(state) + "\nrecipient=" + std::string(recipient) + "\n");
  };
  CHECK(ask("team@here.test") == "DUNNO");
  CHECK(ask("nobody@here.test") == "550 5.1.1 <nobody@here.test>: no such user here");
  CHECK(ask("nobody@here.test", false) == "DUNNO");
  CHECK(ask("nobody@virtual.test", false) == "550 5.1.1 <nobody@virtual.test>: no such user here");
  CHECK(ask("Postmaster@here.test") == "DUNNO");
  CHECK(ask("postmaster") == "DUNNO");
  CHECK(ask("nobody@far.test") == "DUNNO");
  CHECK(ask("nobody@here.test", true, "DATA") == "DUNNO");
  CHECK(ask("", true) == "DUNNO");
}
