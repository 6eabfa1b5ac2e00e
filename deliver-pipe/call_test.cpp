#include "deliver-pipe/call.h"

#include <doctest/doctest.h>

#include <map>

using namespace pipe_delivery;
using chain::Words;

namespace {

const Party kOne{"lists.test", "me@example.com", {"Joe+Box@Lists.Test"}};
const Party kTwo{"lists.test", "", {"a@lists.test", "b@lists.test"}};

base::Result<Words> words(Words command, const Party& party) { return words_of({std::move(command), {"h", "", {"r"}}}, party); }

}  // namespace

TEST_CASE("pipe: the words of a call") {
  const auto call = parse_call({"{", "cmd", "-x", "}", "host", "", "a@b", "c@d"});
  REQUIRE(call);
  CHECK(call->command == Words{"cmd", "-x"});
  CHECK(call->delivery.host == "host");
  CHECK(call->delivery.recipients == Words{"a@b", "c@d"});
  CHECK(call->name() == "cmd");

  const auto shell = parse_call({"|vacation joe", "me@x", "joe@y"});
  REQUIRE(shell);
  CHECK(shell->command.empty());
  CHECK(shell->name() == "|vacation joe");
  CHECK(*words_of(*shell, kOne) == Words{"/bin/sh", "-c", "vacation joe"});

  for (const auto& wrong : std::initializer_list<Words>{{}, {"{"}, {"{", "cmd"}, {"{", "}", "h", "s", "r"}, {"{", "cmd", "}", "h", "s"}, {"h", "s", "r"}, {"|", "s", "r"}, {"|cmd", "s"}}) {
    CAPTURE(wrong.size());
    const auto bad = parse_call(wrong);
    REQUIRE_FALSE(bad);
    CHECK(bad.error().fault == base::Fault::Usage);
  }
}

TEST_CASE("pipe: placeholders of arguments") {
  CHECK(*words({"cmd", "{recipient}", "{user}", "x{extension}y", "{local}@{domain}", "{sender}", "{host}", "plain"}, kOne) ==
        Words{"cmd", "Joe+Box@Lists.Test", "Joe", "xBoxy", "Joe+Box@lists.test", "me@example.com", "lists.test", "plain"});
  CHECK(*words({"cmd", "{recipient}", "{sender}", "--"}, kTwo) == Words{"cmd", "a@lists.test", "b@lists.test", "", "--"});
  // The program itself is never made of what comes from the net.
  CHECK(words({"{user}"}, kOne)->front() == "{user}");
  for (const auto* wrong : {"{nobody}", "{", "a{b", "{user"}) {
    CAPTURE(wrong);
    CHECK(words({"cmd", wrong}, kOne).error().fault == base::Fault::Config);
  }
  for (const auto* wrong : {"{user}", "to={recipient}"}) CHECK(words({"cmd", wrong}, kTwo).error().fault == base::Fault::Config);
}

TEST_CASE("pipe: an address is no option") {
  const Party dash{"h", "-s@x", {"-r@x"}};
  CHECK(words({"cmd", "{recipient}"}, dash).error().fault == base::Fault::Permanent);
  CHECK(words({"cmd", "{sender}"}, dash).error().fault == base::Fault::Permanent);
  CHECK(*words({"cmd", "--to={recipient}"}, dash) == Words{"cmd", "--to=-r@x"});
  CHECK(words({"cmd", "{recipient}"}, {"h", "", {"a@x", "-b@x"}}).error().fault == base::Fault::Permanent);
}

TEST_CASE("pipe: the environment") {
  const auto of = [](const Party& party) {
    std::map<std::string, std::string> map;
    for (auto& [name, value] : variables_of(party, "From me\n")) map[name] = value;
    return map;
  };
  auto one = of(kOne);
  CHECK(one["SENDER"] == "me@example.com");
  CHECK(one["NEWSENDER"] == "me@example.com");
  CHECK(one["RECIPIENT"] == "Joe+Box@Lists.Test");
  CHECK(one["LOCAL"] == "Joe+Box");
  CHECK(one["HOST"] == "lists.test");
  CHECK(one["USER"] == "Joe");
  CHECK(one["EXT"] == "Box");
  CHECK(one["DEFAULT"] == "Box");
  CHECK(one["DTLINE"] == "Delivered-To: Joe+Box@Lists.Test\n");
  CHECK(one["RPLINE"] == "Return-Path: <me@example.com>\n");
  CHECK(one["UFLINE"] == "From me\n");
  CHECK(one.size() == variable_names().size());
  const auto two = of(kTwo);
  CHECK_FALSE(two.contains("RECIPIENT"));
  CHECK(two.at("RPLINE") == "Return-Path: <>\n");
  auto plain = of({"h", "", {"joe+box@x"}, ""});
  CHECK(plain["USER"] == "joe+box");
  CHECK(plain["EXT"].empty());
}
