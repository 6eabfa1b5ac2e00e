#include "address-map/expansion.h"

#include <doctest/doctest.h>

#include <map>

using namespace address_map;
using Kind = Target::Kind;

namespace {

class FakeMaps final : public Maps {
 public:
  FakeMaps(std::string_view aliases, std::string_view virtuals, std::map<std::string, std::string> includes = {}) : includes_(std::move(includes)) {
    add(Format::Aliases, aliases);
    add(Format::Virtual, virtuals);
  }
  void add(Format format, std::string_view text) {
    auto entries = parse_map(format, text, "map");
    REQUIRE_MESSAGE(entries, entries.error().cause);
    for (auto& entry : *entries) maps_[format][entry.key] = entry.targets;
  }
  [[nodiscard]] base::Result<std::optional<Targets>> find(Format format, const std::string& key) const override {
    if (key.starts_with("broken")) return base::fail(base::Fault::Temporary, "disk");
    const auto map = maps_.find(format);
    if (map == maps_.end() || !map->second.contains(key)) return std::nullopt;
    return map->second.at(key);
  }
  [[nodiscard]] base::Result<Targets> include(const std::string& path) const override {
    if (!includes_.contains(path)) return base::fail(base::Fault::Temporary, "no such file");
    return parse_include(includes_.at(path), path);
  }

 private:
  std::map<Format, std::map<std::string, Targets>> maps_;
  std::map<std::string, std::string> includes_;
};

Rules rules() {
  Rules rules;
  rules.local_domains = mail::DomainList(std::vector<std::string>{"here.test", "also.test"});
  return rules;
}

std::string text_of(const base::Result<std::vector<Result>>& results) {
  if (!results) return "error: " + results.error().cause;
  std::string text;
  for (const auto& result : *results) {
    if (!text.empty()) text += ' ';
    text += (result.kind == Kind::Command ? "|" : "") + result.text + (result.is_list ? "<" + result.owner : "");
  }
  return text;
}

}  // namespace

TEST_CASE("expansion: aliases of local domains") {
  const FakeMaps maps("postmaster: root\nroot: Ann, bob@far.test\nteam: ann, carl, postmaster\nself: \\self, copy@far.test\nkeep: keep, copy@far.test\n"
                      "cmd: \"|run this\", /var/mail/x\n",
                      "");
  const auto all = rules();
  const Expander expander(maps, all);
  CHECK(text_of(expander.expand("Postmaster@Here.test")) == "Ann@Here.test bob@far.test");
  CHECK(text_of(expander.expand("postmaster")) == "Ann bob@far.test");
  CHECK(text_of(expander.expand("team@also.test")) == "ann@also.test carl@also.test bob@far.test");
  CHECK(text_of(expander.expand("self@here.test")) == "self@here.test copy@far.test");
  CHECK(text_of(expander.expand("keep@here.test")) == "keep@here.test copy@far.test");
  CHECK(text_of(expander.expand("cmd@here.test")) == "|run this /var/mail/x");
  CHECK(text_of(expander.expand("postmaster@far.test")) == "postmaster@far.test");
  CHECK(text_of(expander.expand("nobody@here.test")) == "nobody@here.test");
  const auto command = expander.expand("cmd@here.test");
  CHECK(command->front().alias == "cmd@here.test");
}

TEST_CASE("expansion: virtual maps, the longest match first") {
  const FakeMaps maps("joe: joseph\n",
                      "info@far.test ann@x.test, bob\n"
                      "info+help@far.test helper@x.test\n"
                      "@far.test catch@x.test\n"
                      "@old.test @new.test\n"
                      "sales@new.test sam@x.test\n"
                      "local-name other@x.test\n"
                      "stay@far.test stay@far.test, copy@x.test\n"
                      "joe@here.test joe@here.test\n"
                      "in@old.test joe@here.test\n");
  const auto all = rules();
  const Expander expander(maps, all);
  CHECK(text_of(expander.expand("INFO@Far.test")) == "ann@x.test catch@x.test");  // bob of far.test
  CHECK(text_of(expander.expand("info+help@far.test")) == "helper@x.test");
  CHECK(text_of(expander.expand("info+more@far.test")) == "ann+more@x.test catch@x.test");
  CHECK(text_of(expander.expand("else@far.test")) == "catch@x.test");
  CHECK(text_of(expander.expand("Any.One+x@old.test")) == "Any.One+x@new.test");
  CHECK(text_of(expander.expand("sales@old.test")) == "sam@x.test");
  CHECK(text_of(expander.expand("local-name@here.test")) == "other@x.test");
  CHECK(text_of(expander.expand("local-name@x.test")) == "local-name@x.test");
  CHECK(text_of(expander.expand("stay@far.test")) == "stay@far.test copy@x.test");
  CHECK(text_of(expander.expand("in@old.test")) == "joseph@here.test");
}

TEST_CASE("expansion: extensions") {
  const FakeMaps maps("joe: joseph, joe\nann+box: |cmd\n", "");
  auto all = rules();
  const Expander expander(maps, all);
  CHECK(text_of(expander.expand("joe+lists@here.test")) == "joseph@here.test joe+lists@here.test");
  CHECK(text_of(expander.expand("ann+box@here.test")) == "|cmd");
  CHECK(text_of(expander.expand("ann+other@here.test")) == "ann+other@here.test");
  CHECK(text_of(expander.expand("+joe@here.test")) == "+joe@here.test");
  all.delimiter = "";
  CHECK(text_of(Expander(maps, all).expand("joe+lists@here.test")) == "joe+lists@here.test");
}

TEST_CASE("expansion: lists with owners") {
  const FakeMaps maps("list: ann@far.test, :include:/members\nowner-list: boss@far.test\nouter: list, carl\n", "", {{"/members", "bob@far.test\nann@far.test\nlist\n"}});
  const auto all = rules();
  const Expander expander(maps, all);
  CHECK(text_of(expander.expand("list@here.test")) == "ann@far.test<owner-list@here.test bob@far.test<owner-list@here.test list@here.test<owner-list@here.test");
  CHECK(text_of(expander.expand("outer@here.test")) == "ann@far.test<owner-list@here.test bob@far.test<owner-list@here.test list@here.test<owner-list@here.test carl@here.test");
  CHECK(text_of(expander.expand("owner-list@here.test")) == "boss@far.test");
}

TEST_CASE("expansion: loops and limits") {
  std::string chain;
  for (int i = 0; i < 20; ++i) chain += "c" + std::to_string(i) + ": c" + std::to_string(i + 1) + "\n";
  std::string many = "many: ";
  for (int i = 0; i < 10; ++i) many += (i > 0 ? ", m" : "m") + std::to_string(i) + "@far.test";
  const FakeMaps maps("a: b\nb: a\nx: y, out@far.test\ny: x, z@far.test\nmissing: :include:/nowhere\nbad: broken\n" + chain + many + "\n", "");
  auto all = rules();
  const Expander expander(maps, all);
  CHECK(text_of(expander.expand("a@here.test")) == "error: maps: <a@here.test> leads in a circle and to nobody");
  CHECK(text_of(expander.expand("x@here.test")) == "z@far.test out@far.test");
  CHECK(text_of(expander.expand("missing@here.test")) == "error: no such file");
  CHECK(text_of(expander.expand("bad@here.test")) == "error: disk");
  CHECK(expander.expand("missing@here.test").error().fault == base::Fault::Temporary);
  all.depth_max = 20;
  CHECK(text_of(expander.expand("c0@here.test")) == "c20@here.test");
  all.depth_max = 19;
  CHECK(text_of(expander.expand("c0@here.test")) == "error: maps: <c0@here.test> leads through more than 19 addresses");
  all.results_max = 10;
  CHECK(expander.expand("many@here.test")->size() == 10);
  all.results_max = 9;
  CHECK(text_of(expander.expand("many@here.test")) == "error: maps: <many@here.test> becomes more than 9 recipients");
}

TEST_CASE("expansion: whether a map has somebody") {
  FakeMaps maps("joe: x\n", "info@far.test x\n@all.test y\n");
  maps.add(Format::Recipients, "ann\nbob@also.test\n");
  const auto all = rules();
  const Expander expander(maps, all);
  for (const auto* known : {"joe@here.test", "Joe+x@also.test", "info@far.test", "anyone@all.test", "ann@here.test", "ann+x@also.test", "bob@also.test"}) {
    CAPTURE(known);
    CHECK(*expander.is_in_maps(known));
  }
  for (const auto* unknown : {"bob@here.test", "joe@far.test", "ann@far.test", "carl@here.test"}) {
    CAPTURE(unknown);
    CHECK_FALSE(*expander.is_in_maps(unknown));
  }
}
